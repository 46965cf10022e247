import { existsSync, readFileSync } from 'node:fs';

/** PEM of the roots that the configuration trusts beside Node's own, from the file beside the bundle; empty without one. */
export function readTrustedRoots(): { trustedRoots?: string } {
  const file = new URL('./roots.pem', import.meta.url);
  return existsSync(file) ? { trustedRoots: readFileSync(file, 'utf8') } : {};
}
