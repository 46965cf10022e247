import { existsSync, readFileSync } from 'node:fs';
import type { TrustedRoots } from './connections.ts';

/** Reads the configured roots from the file in the bundle. Returns an empty object if there is no file. */
export function readTrustedRoots(): { trustedRoots?: TrustedRoots } {
  const file = new URL('./roots.json', import.meta.url);
  return existsSync(file) ? { trustedRoots: JSON.parse(readFileSync(file, 'utf8')) } : {};
}
