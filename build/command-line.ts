import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BundleSize, bundle, printSizes, root, withRequire, writeIfChanged } from './bundle.ts';

/**
 * Bundles the command line into `dist/cli/command-line.mjs`, which `main.mjs` loads, so that the package needs no SDK as a dependency. It has all
 * sources of credentials of the SDK, which the functions do not need.
 */
export async function buildCommandLine(out: string = join(root, 'dist', 'cli')): Promise<readonly BundleSize[]> {
  const sizes = await bundle({ 'command-line': 'cli/main.ts' }, out, {
    target: 'node22',
    banner: { js: withRequire },
  });
  for (const asset of ['style.css', 'script.js'])
    writeIfChanged(join(out, 'page', asset), readFileSync(join(root, 'cli', 'page', asset)));
  const main = join(out, 'main.mjs');
  const start = readFileSync(join(root, 'cli', 'start.mjs'), 'utf8');
  writeIfChanged(main, Buffer.from(`#!/usr/bin/env node\n${start}`));
  chmodSync(main, 0o755);
  return sizes;
}

if (import.meta.main) printSizes(await buildCommandLine());
