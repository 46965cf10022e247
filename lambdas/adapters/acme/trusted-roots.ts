import { existsSync, readFileSync } from 'node:fs';

/** Reads the PEM of configured roots from the file in the bundle. Returns an empty object if there is no file. */
export function readTrustedRoots(): { trustedRoots?: string } {
  const file = new URL('./roots.pem', import.meta.url);
  return existsSync(file) ? { trustedRoots: readFileSync(file, 'utf8') } : {};
}
