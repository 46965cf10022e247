import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { TestProject } from 'vitest/node';

const root = join(import.meta.dirname, '..', '..');

/** A package that runs apps, besides those of the templates of `cdk init`. */
const runners = { 'ts-node': '10.9.2' };

/** The packed library, and a folder with one installation of it that all tests share. */
export interface PackedLibrary {
  /** Path of the archive that `npm pack` made. */
  readonly archive: string;
  /** Size of the archive in bytes. */
  readonly size: number;
  /** Paths of the files in the archive. */
  readonly files: readonly string[];
  /** A copy of this repository, built. Packing removes `dist/` first, which other tests use. */
  readonly repository: string;
  /** A folder whose `node_modules` has the library, its peers, and the packages of the apps that `cdk init` makes. */
  readonly consumer: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly packed: PackedLibrary;
  }
}

/** Packs the library and installs it. Runs once, before the tests of the project `package`. */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-package-'));
  const repository = join(folder, 'repository');
  const left = ['node_modules', 'dist', 'cdk.out', 'test-results', '.git', '.cache'];
  cpSync(root, repository, { recursive: true, filter: (path) => !left.includes(relative(root, path)) });
  symlinkSync(join(root, 'node_modules'), join(repository, 'node_modules'));
  // A file of an earlier build, which the package must not contain.
  mkdirSync(join(repository, 'dist', 'functions', 'attic'), { recursive: true });
  writeFileSync(join(repository, 'dist', 'functions', 'attic', 'index.mjs'), '');
  const [{ filename, size, files }] = JSON.parse(npm(repository, 'pack', '--json', '--foreground-scripts=false')) as [
    { readonly filename: string; readonly size: number; readonly files: readonly { readonly path: string }[] },
  ];

  const consumer = join(folder, 'consumer');
  mkdirSync(consumer);
  const archive = join(repository, filename);
  const manifest = { type: 'module', dependencies: { ...dependenciesOfTemplates(), 'cdk-perennial': archive } };
  writeFileSync(join(consumer, 'package.json'), JSON.stringify(manifest));
  npm(consumer, 'install', '--prefer-offline', '--no-audit', '--no-fund');
  project.provide('packed', { archive, size, files: files.map(({ path }) => path), repository, consumer });
  return () => rmSync(folder, { recursive: true, force: true });
}

/** Returns the packages of the templates of `cdk init` in the ranges that they ask for. The CDK has the versions of this repository. */
function dependenciesOfTemplates(): Readonly<Record<string, string>> {
  const { devDependencies: own } = readManifest(join(root, 'package.json'));
  const templates = ['javascript', 'typescript'].map((language) =>
    readManifest(join(template(language), 'package.json')),
  );
  const asked = Object.assign({}, ...templates.flatMap((each) => [each.devDependencies, each.dependencies])) as Record<
    string,
    string
  >;
  const pinned = ['aws-cdk', 'aws-cdk-lib', 'constructs'].map((name) => [name, own[name]]);
  return { ...asked, ...runners, ...Object.fromEntries(pinned) };
}

/** Returns the folder of a template of `cdk init` in the installed CDK. */
const template = (language: string): string =>
  join(root, 'node_modules', 'aws-cdk', 'lib', 'init-templates', 'app', language);

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const readManifest = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Manifest;

/** Runs npm as from a shell, without the environment variables that `npm run` sets. */
export function npm(cwd: string, ...args: readonly string[]): string {
  return execFileSync('npm', args, {
    cwd,
    env: shellEnvironment(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Returns the environment of this process without the variables that `npm run` and Vitest set. */
export function shellEnvironment(): NodeJS.ProcessEnv {
  const ofRunner = /^(npm_(package|lifecycle|config_local_prefix)|VITEST|NODE_ENV$|NODE_OPTIONS$|CDK_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofRunner.test(name)));
}
