import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { thirdPartyNotices } from './third-party-notices.ts';

const root = join(import.meta.dirname, '..');

/** The folders of `lambdas/` that have a handler. Each one becomes one bundle. */
export const functions = ['check', 'order', 'challenge', 'certificate', 'delivery', 'deployment', 'report'] as const;

/**
 * Leaves out parts that no code here calls and that esbuild cannot recognize as unused. Two are in acme-client. One is its old crypto API,
 * which uses node-forge. The other is the table of media types for uploads with axios. Together they are a third of the two bundles
 * that connect to the CA. The others are the SDK's sources of credentials besides the environment variables, which Lambda always sets. They take 110 KB.
 */
const unusedParts: Plugin = {
  name: 'unused-parts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/crypto\/forge$|^mime-db$/ }, ({ path, importer }) =>
      /acme-client|mime-types/.test(importer) ? { path, namespace: 'unused' } : undefined,
    );
    onResolve({ filter: /^@aws-sdk\/credential-provider-(ini|login|process|sso|web-identity)$/ }, ({ path }) => ({
      path,
      namespace: 'unused',
    }));
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
  },
};

export interface BundleSize {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Bundles every function into `dist/functions/<name>/index.mjs`. The construct and the npm package use this output. The AWS SDK is
 * included, because the SDK of the Lambda runtime changes with the runtime, so the tested version would not be the one that runs.
 *
 * @returns the size of each bundle, largest first
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
    // Prefers ES modules, because esbuild removes unused code only from them. Three SDK clients take 390 KB instead of 590 KB.
    mainFields: ['module', 'main'],
    // CommonJS modules in the bundle still call `require` for the modules of Node.js.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    plugins: [unusedParts],
    define: { PERENNIAL_VERSION: JSON.stringify(version) },
    legalComments: 'none', // THIRD-PARTY-NOTICES.txt has the complete licences.
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

/** Writes a file only if its content changed, because another process may read a bundle while it is built again. */
function writeIfChanged(path: string, contents: Uint8Array): void {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}

if (import.meta.main) {
  for (const { name, bytes } of await buildFunctions())
    console.log(`${name.padEnd(12)} ${(bytes / 1024).toFixed(0).padStart(6)} KB`);
}
