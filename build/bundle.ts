import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { thirdPartyNotices } from './third-party-notices.ts';

export const root = join(import.meta.dirname, '..');

export interface BundleSize {
  readonly name: string;
  readonly bytes: number;
}

/** Without it, CommonJS modules in a bundle could not load the modules of Node.js. */
export const withRequire = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/**
 * Bundles sources with their packages into minified ES modules, `<out>/<name>.mjs`, with the licences of the packages beside them.
 *
 * @param entryPoints paths of sources by the name of their bundle
 * @returns the size of each bundle, largest first
 */
export async function bundle(
  entryPoints: Readonly<Record<string, string>>,
  out: string,
  options: Pick<BuildOptions, 'target' | 'plugins' | 'banner'>,
): Promise<readonly BundleSize[]> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { ...entryPoints },
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    // Prefers ES modules, because esbuild removes unused code only from them. Three SDK clients take 390 KB instead of 590 KB.
    mainFields: ['module', 'main'],
    define: { PERENNIAL_VERSION: JSON.stringify(version) },
    legalComments: 'none', // THIRD-PARTY-NOTICES.txt has the complete licences.
    metafile: true,
    write: false,
    logLevel: 'warning',
    ...options,
  });
  const bundled = Object.keys(metafile.inputs).map((file) => join(root, file));
  for (const { path, contents } of outputFiles) writeIfChanged(path, contents);
  writeIfChanged(join(out, 'THIRD-PARTY-NOTICES.txt'), Buffer.from(thirdPartyNotices(bundled)));
  const names = Object.fromEntries(Object.entries(entryPoints).map(([name, source]) => [source, name]));
  return Object.values(metafile.outputs)
    .map(({ bytes, entryPoint = '' }) => ({ name: names[entryPoint] ?? entryPoint, bytes }))
    .toSorted((a, b) => b.bytes - a.bytes);
}

/** Writes a file only if its content changed, because another process may read a bundle while it is built again. */
export function writeIfChanged(path: string, contents: Uint8Array): void {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}

/** Prints the size of each bundle. */
export function printSizes(sizes: readonly BundleSize[]): void {
  for (const { name, bytes } of sizes) console.log(`${name.padEnd(12)} ${(bytes / 1024).toFixed(0).padStart(6)} KB`);
}
