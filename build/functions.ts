import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { type BundleSize, bundle, printSizes, root, withRequire } from './bundle.ts';

/** The folders of `lambdas/` that have a handler. Each one becomes one bundle. */
export const functions = [
  'fleet',
  'check',
  'order',
  'challenge',
  'certificate',
  'delivery',
  'deployment',
  'report',
  'notification',
] as const;

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

/**
 * Bundles every function into `dist/functions/<name>/index.mjs`. The construct and the npm package use this output. The AWS SDK is
 * included, because the SDK of the Lambda runtime changes with the runtime, so the tested version would not be the one that runs.
 *
 * @returns the size of each bundle, largest first
 */
export async function buildFunctions(out: string = join(root, 'dist', 'functions')): Promise<readonly BundleSize[]> {
  const handlers = Object.fromEntries(functions.map((name) => [`${name}/index`, `lambdas/${name}/handler.ts`]));
  const sizes = await bundle(handlers, out, { target: 'node24', plugins: [unusedParts], banner: { js: withRequire } });
  return sizes.map(({ name, bytes }) => ({ name: name.replace('/index', ''), bytes }));
}

if (import.meta.main) printSizes(await buildFunctions());
