import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

interface Import {
  readonly file: string;
  /** A package's name, or a path in the repository. */
  readonly target: string;
  /** Erased before it runs. */
  readonly typeOnly: boolean;
}

const pattern = /^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const files = globSync(['lambdas/**/*.ts', 'infra/**/*.ts', 'build/**/*.ts'], { cwd: root });
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
const from = (...folders: readonly string[]) => imports.filter(({ file }) => within(file, ...folders));
const shown = (found: readonly Import[]) => found.map(({ file, target }) => `${file} imports ${target}`);
const isOurs = ({ target }: Import) => within(target, 'lambdas', 'infra', 'build', 'local', 'test');
const rooms = ['check', 'order', 'challenge', 'certificate', 'delivery', 'deployment'];

test('the imports are read at all', () => {
  expect(shown(imports)).toContain('lambdas/check/handler.ts imports lambdas/aws/ledger.ts');
  expect(imports.length).toBeGreaterThan(100);
});

describe('lambdas', () => {
  test('rules see nobody', () => {
    expect(
      shown(from('lambdas/rules').filter((each) => isOurs(each) && !within(each.target, 'lambdas/rules'))),
    ).toEqual([]);
  });

  test.each(['acme', 'aws', 'dns', 'tls'])('%s sees itself and the rules only', (folder) => {
    const allowed = [`lambdas/${folder}`, 'lambdas/rules'];
    expect(shown(from(`lambdas/${folder}`).filter((each) => isOurs(each) && !within(each.target, ...allowed)))).toEqual(
      [],
    );
  });

  test.each(rooms)('%s sees no other function, and nothing outside lambdas', (room) => {
    const allowed = [room, 'rules', 'acme', 'aws', 'dns', 'tls'].map((folder) => `lambdas/${folder}`);
    expect(shown(from(`lambdas/${room}`).filter((each) => isOurs(each) && !within(each.target, ...allowed)))).toEqual(
      [],
    );
  });

  test('only acme imports acme-client and axios', () => {
    const users = imports.filter(({ target }) => /^(acme-client|axios)(\/|$)/.test(target));
    expect(users.length).toBeGreaterThan(0);
    expect(shown(users.filter(({ file }) => !within(file, 'lambdas/acme')))).toEqual([]);
  });

  test('only aws imports the SDK', () => {
    const users = imports.filter(({ target }) => target.startsWith('@aws-sdk/') || target.startsWith('@smithy/'));
    expect(users.length).toBeGreaterThan(0);
    expect(shown(users.filter(({ file }) => !within(file, 'lambdas/aws')))).toEqual([]);
  });

  test('only handlers and the handler of all of them make adapters; a step sees their types at most', () => {
    const steps = from(...rooms.map((room) => `lambdas/${room}`)).filter(({ file }) => !file.endsWith('/handler.ts'));
    const adapters = ['acme', 'aws', 'dns', 'tls'].map((folder) => `lambdas/${folder}`);
    expect(shown(steps.filter(({ target, typeOnly }) => within(target, ...adapters) && !typeOnly))).toEqual([]);
  });

  test('no bundled file imports what is there at synth only', () => {
    expect(shown(from('lambdas').filter(({ target }) => /^(aws-cdk-lib|constructs|cdk-nag)/.test(target)))).toEqual([]);
  });
});

describe('infra', () => {
  test('sees of the functions their rules only', () => {
    expect(
      shown(from('infra').filter(({ target }) => within(target, 'lambdas') && !within(target, 'lambdas/rules'))),
    ).toEqual([]);
  });

  test('does not see the build, the local environment or the tests', () => {
    expect(shown(from('infra').filter(({ target }) => within(target, 'build', 'local', 'test')))).toEqual([]);
  });
});

test('the build sees none of what it builds', () => {
  expect(shown(from('build').filter((each) => isOurs(each) && !within(each.target, 'build')))).toEqual([]);
});
