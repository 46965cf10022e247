import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript-5';
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

/** Writes an app into a folder of its own. @returns the folder and its compiler options */
function app(name: string, compilerOptions: object, type = 'commonjs', code = site) {
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
  return { folder, options };
}

type App = ReturnType<typeof app>;

/** Files whose diagnostics are not reported. */
const ofCdk = /node_modules\/(aws-cdk-lib|constructs|@aws-cdk)\//;

/** Returns the diagnostics of the compiler of TypeScript 7 that are not about aws-cdk-lib and constructs. */
async function compile({ folder, options }: App): Promise<readonly string[]> {
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['site.ts'] }));
  const tsc = join(modules, 'typescript', 'bin', 'tsc');
  const run = promisify(execFile)(process.execPath, [tsc, '--project', folder], { cwd: folder });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return stdout.split('\n').filter((line) => /error TS\d/.test(line) && !ofCdk.test(line));
}

/** Declaration files that were read, because all apps of this file import the same ones. */
const declarations = new Map<string, ts.SourceFile | undefined>();

/**
 * Returns the diagnostics of TypeScript 5 that are not about aws-cdk-lib and constructs. Their files are not even checked, which would take most of
 * the time.
 */
function compileWithFive({ folder, options: given }: App): readonly string[] {
  const { options, errors } = ts.convertCompilerOptionsFromJson(given, folder);
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (file, language, ...others) => {
    if (!file.endsWith('.d.ts')) return getSourceFile(file, language, ...others);
    const format = typeof language === 'object' ? language.impliedNodeFormat : undefined;
    const key = `${file} ${format}`;
    if (!declarations.has(key)) declarations.set(key, getSourceFile(file, language, ...others));
    return declarations.get(key);
  };
  const program = ts.createProgram([join(folder, 'site.ts')], options, host);
  const checked = program.getSourceFiles().filter(({ fileName }) => !ofCdk.test(fileName));
  const diagnostics = [
    ...errors,
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...checked.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ];
  return diagnostics.map(
    ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  );
}

const strict = { skipLibCheck: false, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };

const node10 = { module: 'commonjs', moduleResolution: 'node10', skipLibCheck: true };

test.each<[string, object, string?]>([
  ['node10', node10],
  ['node16', { module: 'node16', ...strict }],
  ['nodenext', { module: 'nodenext', ...strict }],
  ['nodenext-module', { module: 'nodenext', ...strict }, 'module'],
  ['bundler', { module: 'esnext', moduleResolution: 'bundler', ...strict }],
])('the types of the library and its subpaths have no error in TypeScript 5 with %s', (name, options, type) => {
  expect(compileWithFive(app(name, options, type))).toEqual([]);
});

test.each<[string, object, string?]>([
  ['seven-nodenext', { module: 'nodenext', ...strict }],
  ['seven-bundler', { module: 'esnext', moduleResolution: 'bundler', ...strict }, 'module'],
])('the types of the library and its subpaths have no error in TypeScript 7 with %s', async (name, options, type) => {
  expect(await compile(app(name, options, type))).toEqual([]);
});

test.each([
  ['node10', node10],
  ['nodenext', { module: 'nodenext', skipLibCheck: true }],
])('a mistake in the props is a compile error with %s', (name, options) => {
  const mistaken = app(`mistaken-${name}`, options, 'commonjs', site.replace('identifiers:', 'identifier:'));
  expect(compileWithFive(mistaken)).toEqual([expect.stringContaining("'identifier'")]);
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
