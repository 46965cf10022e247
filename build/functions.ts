import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { thirdPartyNotices } from './third-party-notices.ts';

const root = join(import.meta.dirname, '..');

/** Folders of `lambdas/` with a handler: one bundle each. */
export const functions = ['check', 'order', 'challenge', 'certificate', 'delivery', 'deployment'] as const;

/**
 * Two parts of acme-client's that nothing here calls and that no bundler can see are unused: its old crypto (node-forge, the new one
 * is `crypto`) and the table of media types behind axios's uploads. A third of the two bundles that talk to the CA.
 */
const unusedParts: Plugin = {
  name: 'unused-parts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/crypto\/forge$|^mime-db$/ }, ({ path, importer }) =>
      /acme-client|mime-types/.test(importer) ? { path, namespace: 'unused' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
  },
};

export interface BundleSize {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Bundles every function into `dist/functions/<name>/index.mjs`, SDK included, so that what was tested is what runs: the runtime's own SDK
 * changes with the runtime. The construct and the npm package use this output.
 */
export async function buildFunctions(out: string = join(root, 'dist', 'functions')): Promise<readonly BundleSize[]> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: functions.map((name) => ({ in: `lambdas/${name}/handler.ts`, out: `${name}/index` })),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // ES modules before CommonJS: only they can be shaken, 390 KB instead of 590 for three SDK clients.
    mainFields: ['module', 'main'],
    // What is CommonJS inside still calls require for Node's own modules.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    plugins: [unusedParts],
    define: { PERENNIAL_VERSION: JSON.stringify(version) },
    legalComments: 'none', // they are in the notices, whole
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const bundled = Object.keys(metafile.inputs).map((file) => join(root, file));
  for (const { path, contents } of outputFiles) writeIfChanged(path, contents);
  writeIfChanged(join(out, 'THIRD-PARTY-NOTICES.txt'), Buffer.from(thirdPartyNotices(bundled)));
  return Object.values(metafile.outputs)
    .map(({ bytes, entryPoint = '' }) => ({ name: entryPoint.split('/')[1] ?? entryPoint, bytes }))
    .toSorted((a, b) => b.bytes - a.bytes);
}

/** Another process may read a bundle while it is built again. */
function writeIfChanged(path: string, contents: Uint8Array): void {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}

if (import.meta.main) {
  for (const { name, bytes } of await buildFunctions())
    console.log(`${name.padEnd(12)} ${(bytes / 1024).toFixed(0).padStart(6)} KB`);
}
