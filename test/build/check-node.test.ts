import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'));
const { scripts, engines } = read('package.json') as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
};
const check = 'node build/check-node.mjs';
const runCheck = (...flags: readonly string[]) =>
  spawnSync(process.execPath, [...flags, 'build/check-node.mjs'], { cwd: root, encoding: 'utf8' });

test('a Node.js that runs TypeScript files passes the check', () => {
  expect(runCheck()).toMatchObject({ status: 0, stdout: '', stderr: '' });
});

test('a Node.js that cannot run TypeScript files is named with what to do, before a file fails to load', () => {
  const { status, stderr } = runCheck('--no-strip-types');
  expect(status).toBe(1);
  expect(stderr).toBe(
    `Node.js ${process.version} (${process.execPath}) cannot run the TypeScript files of this repository. ` +
      'Run "npm ci" without --ignore-scripts, which installs Node.js 24 in node_modules, or install Node.js 22.18 or newer.\n',
  );
});

/** The first command of a script, where it runs others: of the first of them. */
function firstCommand(script: string): string {
  const [command = ''] = script.split(' && ');
  const [, other] = /^npm run (\w+)$/.exec(command) ?? [];
  return other === undefined ? command : firstCommand(scripts[other] ?? '');
}

test.each([
  ...Object.entries(scripts).filter(([, script]) => /\bnode .*\.ts\b/.test(script)),
  ...['check', 'test'].map((name) => [name, scripts[name] ?? ''] as const),
  ['cdk', (read('cdk.json') as { readonly app: string }).app] as const,
])('%s checks Node.js first', (_, script) => {
  expect(firstCommand(script)).toBe(check);
});

test('package.json, README and CONTRIBUTING ask for the same Node.js', () => {
  expect(engines.node).toBe('>=22.18');
  for (const file of ['README.md', 'CONTRIBUTING.md'])
    expect(readFileSync(join(root, file), 'utf8'), file).toContain('Node.js 22.18 or newer');
});
