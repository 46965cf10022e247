import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { shellEnvironment } from './packed.ts';

const { consumer, archive } = inject('packed');
const modules = join(import.meta.dirname, '..', '..', 'node_modules');

const site = `import { App, Stack } from 'aws-cdk-lib';
import { CertificateRenewal, ConfigError, letsEncryptStaging } from 'cdk-perennial';
import { parseEvent } from 'cdk-perennial/events';
import { parseCertificateSecret } from 'cdk-perennial/secret';
const certificates = new CertificateRenewal(new Stack(new App(), 'Site'), 'Certificates', {
  issuer: letsEncryptStaging({ termsOfServiceAgreed: true }),
  hostedZones: [{ id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' }],
  certificates: [{ name: 'www', identifiers: ['example.com'] }],
});
export const prefix: string = certificates.secretPrefix;
export const key: string = parseCertificateSecret('').privateKey;
export const event: string = parseEvent({}).detailType;
export const mistakes: readonly string[] = new ConfigError([]).mistakes;
`;

/** Compiles an app in a folder of its own. @returns the diagnostics that are not about aws-cdk-lib and constructs */
async function diagnostics(compiler: string, name: string, compilerOptions: object, type = 'commonjs', code = site) {
  const folder = join(consumer, 'types', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
  writeFileSync(join(folder, 'site.ts'), code);
  const options = {
    target: 'es2022',
    strict: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(modules, '@types')],
    ...compilerOptions,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['site.ts'] }));
  const tsc = join(modules, compiler, compiler === 'typescript' ? 'bin/tsc' : 'lib/tsc.js');
  const run = promisify(execFile)(process.execPath, [tsc, '--project', folder], { cwd: folder });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return stdout
    .split('\n')
    .filter((line) => /error TS\d/.test(line) && !/node_modules\/(aws-cdk-lib|constructs|@aws-cdk)\//.test(line));
}

const strict = { skipLibCheck: false, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };

test.each<[string, string, object, string?]>([
  ['typescript-5', 'node10', { module: 'commonjs', moduleResolution: 'node10', skipLibCheck: true }],
  ['typescript-5', 'node16', { module: 'node16', ...strict }],
  ['typescript-5', 'nodenext', { module: 'nodenext', ...strict }],
  ['typescript-5', 'nodenext-module', { module: 'nodenext', ...strict }, 'module'],
  ['typescript-5', 'bundler', { module: 'esnext', moduleResolution: 'bundler', ...strict }],
  ['typescript', 'seven-nodenext', { module: 'nodenext', ...strict }],
  ['typescript', 'seven-bundler', { module: 'esnext', moduleResolution: 'bundler', ...strict }, 'module'],
])('the types of the library and its subpaths have no error in %s with %s', async (compiler, name, options, type) => {
  expect(await diagnostics(compiler, name, options, type)).toEqual([]);
});

test('a mistake in the props is a compile error under each resolution', async () => {
  const mistaken = site.replace('identifiers:', 'identifier:');
  for (const module of [
    { module: 'commonjs', moduleResolution: 'node10', skipLibCheck: true },
    { module: 'nodenext', skipLibCheck: true },
  ])
    expect(await diagnostics('typescript-5', 'mistaken', module, 'commonjs', mistaken)).toEqual([
      expect.stringContaining("'identifier'"),
    ]);
});

test('Are The Types Wrong finds no problem', async () => {
  const attw = join(modules, '@arethetypeswrong', 'cli', 'dist', 'index.js');
  const args = [attw, archive, '--format', 'json', '--exclude-entrypoints', './schemas/*'];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: shellEnvironment(),
    maxBuffer: 64e6,
  }).catch((error: { stdout: string }) => error);
  const { analysis, problems } = JSON.parse(stdout) as {
    readonly analysis: { readonly entrypoints: Readonly<Record<string, object>> };
    readonly problems?: unknown;
  };
  expect(Object.keys(analysis.entrypoints)).toEqual(expect.arrayContaining(['.', './secret', './events']));
  expect(problems ?? {}).toEqual({});
});
