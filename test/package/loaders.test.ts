import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, inject, test } from 'vitest';
import { shellEnvironment } from './packed.ts';

const { consumer } = inject('packed');

const body = `
const stack = new Stack(new App(), 'Site');
const certificates = new CertificateRenewal(stack, 'Certificates', {
  issuer: letsEncryptStaging({ termsOfServiceAgreed: true }),
  hostedZones: [{ id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' }],
  certificates: [{ name: 'www', identifiers: ['example.com'] }],
});
let found = '';
try { certificates.grantRead('ww', stack as any); } catch (error) { found = error instanceof ConfigError ? 'ConfigError' : String(error); }
console.log(found, typeof parseEvent, typeof parseCertificateSecret);
`;
const esModule = `import { App, Stack } from 'aws-cdk-lib';
import { CertificateRenewal, ConfigError, letsEncryptStaging } from 'cdk-perennial';
import { parseEvent } from 'cdk-perennial/events';
import { parseCertificateSecret } from 'cdk-perennial/secret';
${body}`;
const withRequire = (code: string) => code.replace(/^import (\{.*\}) from ('.*');$/gm, 'const $1 = require($2);');
const withoutTypes = (code: string) => code.replace(' as any', '');

/** Writes an app into a folder with this module type. @returns its path */
function app(type: 'module' | 'commonjs', name: string, code: string): string {
  const folder = join(consumer, 'loaders', type);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { module: 'commonjs', target: 'es2022' } }),
  );
  writeFileSync(join(folder, name), code);
  return join(folder, name);
}

async function output(args: readonly string[], cwd = consumer): Promise<string> {
  // ts-node needs the compiler API, which TypeScript 7 does not have.
  const env = {
    ...shellEnvironment(),
    TS_NODE_COMPILER: join(import.meta.dirname, '..', '..', 'node_modules', 'typescript-5'),
  };
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, env });
  return stdout;
}

const bin = (name: string) => join(consumer, 'node_modules', name);

test.each<[string, () => readonly string[] | Promise<readonly string[]>]>([
  ['Node.js with import', () => [app('module', 'plain.js', withoutTypes(esModule))]],
  ['Node.js with require', () => [app('commonjs', 'plain.js', withoutTypes(withRequire(esModule)))]],
  ['tsx in an ES module', () => [bin('tsx/dist/cli.mjs'), app('module', 'tsx.ts', esModule)]],
  ['tsx in CommonJS', () => [bin('tsx/dist/cli.mjs'), app('commonjs', 'tsx.ts', esModule)]],
  ['ts-node', () => [bin('ts-node/dist/bin-transpile.js'), app('commonjs', 'ts-node.ts', esModule)]],
  ['an app that swc compiles to CommonJS', () => [app('commonjs', 'swc.js', compiledBySwc(esModule))]],
  [
    'an app that esbuild bundles as an ES module with external packages',
    () => bundled('esm', app('module', 'bundled.ts', esModule), 'mjs'),
  ],
  [
    'an app that esbuild bundles as CommonJS with external packages',
    () => bundled('cjs', app('module', 'bundled.ts', esModule), 'cjs'),
  ],
])('the library and its subpaths load in %s, with one class for instanceof', async (_, args) => {
  expect(await output(await args())).toBe('ConfigError function function\n');
});

/** Compiles as `@swc/jest` does. The compiler is that of the template of `cdk init`. */
function compiledBySwc(code: string): string {
  const { transformSync } = createRequire(join(consumer, 'package.json'))('@swc/core') as {
    transformSync(code: string, options: object): { readonly code: string };
  };
  return transformSync(code, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  }).code;
}

async function bundled(format: 'esm' | 'cjs', entry: string, extension: string): Promise<readonly string[]> {
  const outfile = join(consumer, 'loaders', `bundled.${extension}`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format,
    packages: 'external',
    logLevel: 'silent',
  });
  return [outfile];
}

test('import and require return the same classes', async () => {
  const code = `import { createRequire } from 'node:module';
import * as imported from 'cdk-perennial';
const required = createRequire(import.meta.url)('cdk-perennial');
console.log(Object.keys(required).length, Object.keys(required).every((name) => required[name] === imported[name]));`;
  expect(await output([app('module', 'both.js', code)])).toMatch(/^[1-9]\d* true\n$/);
});
