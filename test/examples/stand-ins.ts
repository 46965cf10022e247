import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes an executable script with this name into a folder for the PATH. */
export function standIn(folder: string, name: string, script: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), script);
  chmodSync(join(folder, name), 0o755);
}

/** A replacement for jq with the options and the two filters that the example and the page use. */
export const jq = `#!${process.execPath}
const name = process.argv[process.argv.indexOf('--arg') + 2];
const secret = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const both = 'select(.format == 1) | .privateKey + .fullChain';
const value = process.argv.at(-1) !== both ? secret[name] : secret.format === 1 ? secret.privateKey + secret.fullChain : null;
process.stdout.write(String(value));
process.exit(value === undefined || value === null || value === false ? 1 : 0);
`;
