import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

interface Import {
  readonly file: string;
  /** The name of a package, or a path in the repository. */
  readonly target: string;
  /** A type import, which is erased before the code runs. */
  readonly typeOnly: boolean;
}

const pattern = /^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const files = globSync(['lambdas/**/*.ts', 'infra/**/*.ts', 'build/**/*.ts', 'cli/**/*.ts'], { cwd: root });
const imports: readonly Import[] = files.flatMap((file) => {
  const source = readFileSync(join(root, file), 'utf8');
  const dynamic = [...source.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)].map(([, path = '']) => ({
    path,
    typeOnly: false,
  }));
  const written = [...source.matchAll(pattern)].map(([, type, path = '']) => ({ path, typeOnly: type !== undefined }));
  return [...written, ...dynamic].map(({ path, typeOnly }) => ({
    file,
    typeOnly,
    target: path.startsWith('.') ? relative(root, join(root, dirname(file), path)) : path,
  }));
});

const within = (path: string, ...folders: readonly string[]) => folders.some((folder) => path.startsWith(`${folder}/`));
const from = (...folders: readonly string[]) =>
  folders.flatMap((folder) => {
    const found = imports.filter(({ file }) => within(file, folder));
    if (found.length === 0) throw new Error(`There is no import in ${folder}.`);
    return found;
  });
const shown = (found: readonly Import[]) => found.map(({ file, target }) => `${file} imports ${target}`);
const isInRepository = ({ target }: Import) => within(target, 'lambdas', 'infra', 'build', 'local', 'test', 'cli');
/** Returns the imports of a folder from the repository, except those from the folder itself and from allowed folders. */
const outside = (folder: string, ...allowed: readonly string[]) =>
  shown(from(folder).filter((each) => isInRepository(each) && !within(each.target, folder, ...allowed)));

const functions = globSync('lambdas/*/handler.ts', { cwd: root }).map((file) => basename(dirname(file)));
const domain = 'lambdas/domain';

test('the test finds the imports', () => {
  expect(shown(imports)).toContain('lambdas/check/handler.ts imports lambdas/adapters/aws/dynamodb/ledger.ts');
  expect(imports.length).toBeGreaterThan(100);
});

describe('lambdas/domain', () => {
  test('contract imports only itself', () => {
    expect(outside(`${domain}/contract`)).toEqual([]);
  });

  test('ports import the contract', () => {
    expect(outside(`${domain}/ports`, `${domain}/contract`)).toEqual([]);
  });

  test('rules import the contract and the types of ports', () => {
    expect(outside(`${domain}/rules`, `${domain}/contract`, `${domain}/ports`)).toEqual([]);
    const values = from(`${domain}/rules`).filter(
      ({ target, typeOnly }) => within(target, `${domain}/ports`) && !typeOnly,
    );
    expect(shown(values)).toEqual([]);
  });
});

describe('lambdas/adapters', () => {
  test.each(['acme', 'aws', 'dns', 'tls'])('%s imports itself and the domain', (name) => {
    expect(outside(`lambdas/adapters/${name}`, domain)).toEqual([]);
  });

  test('only adapters/acme imports acme-client and axios', () => {
    const users = imports.filter(({ target }) => /^(acme-client|axios)(\/|$)/.test(target));
    expect(users.length).toBeGreaterThan(0);
    expect(
      shown(users.filter(({ file }) => within(file, 'lambdas') && !within(file, 'lambdas/adapters/acme'))),
    ).toEqual([]);
  });

  test('only adapters/aws imports the SDK', () => {
    const users = from('lambdas', 'infra', 'cli').filter(({ target }) => /^@(aws-sdk|smithy)\//.test(target));
    expect(users.length).toBeGreaterThan(0);
    expect(shown(users.filter(({ file }) => !within(file, 'lambdas/adapters/aws')))).toEqual([]);
  });
});

describe('the functions', () => {
  test.each(functions)('%s imports itself, the domain and, in handler.ts, adapters', (name) => {
    expect(outside(`lambdas/${name}`, domain, 'lambdas/adapters')).toEqual([]);
    const users = from(`lambdas/${name}`).filter(({ target }) => within(target, 'lambdas/adapters'));
    expect(shown(users.filter(({ file }) => !file.endsWith('/handler.ts')))).toEqual([]);
  });

  test('look up the hosts of CAs and endpoints with a time limit', () => {
    const connecting = ['acme/acme', 'acme/fetch-renewal-info', 'tls/tls-endpoints'];
    const filesThatImport = (...adapters: readonly string[]) =>
      imports
        .filter(({ target }) => adapters.some((each) => target === `lambdas/adapters/${each}.ts`))
        .map(({ file }) => file)
        .filter((file) => file.endsWith('/handler.ts'));
    const limited = filesThatImport('dns/host-lookup');
    expect(limited).toEqual([...new Set(filesThatImport(...connecting))]);
    expect(limited.length).toBeGreaterThan(0);
  });

  test('do not import packages that only synth needs', () => {
    expect(shown(from('lambdas').filter(({ target }) => /^(aws-cdk-lib|constructs|cdk-nag)/.test(target)))).toEqual([]);
  });
});

describe('infra', () => {
  test('imports domain/contract and domain/rules', () => {
    expect(outside('infra', `${domain}/contract`, `${domain}/rules`)).toEqual([]);
  });

  test('workflows do not import resources', () => {
    const found = from('infra/workflows').filter(({ target }) => within(target, 'infra/resources', 'infra/consumers'));
    expect(shown(found)).toEqual([]);
  });
});

test('the command line imports the domain, the adapters of AWS and DNS, and the step Check zones', () => {
  const found = outside('cli', domain, 'lambdas/adapters/aws', 'lambdas/adapters/dns');
  expect(found).toEqual(['cli/zones.ts imports lambdas/challenge/check-zones.ts']);
});

test('build does not import the code that it builds', () => {
  expect(outside('build')).toEqual([]);
});
