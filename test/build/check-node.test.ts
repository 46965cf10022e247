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

test('the check passes on a Node.js that runs TypeScript files', () => {
  expect(runCheck()).toMatchObject({ status: 0, stdout: '', stderr: '' });
});

test('the check fails on a Node.js that cannot run TypeScript files, and says how to install one that can', () => {
  const { status, stderr } = runCheck('--no-strip-types');
  expect(status).toBe(1);
  expect(stderr).toContain(`Node.js ${process.version} (${process.execPath}) cannot run the TypeScript files`);
  expect(stderr).toMatch(/"npm ci" without --ignore-scripts.*Node\.js 22\.18 or newer\.\n$/);
});

/** Returns the first command of a script. If that is another npm script, returns the first command of that script. */
function firstCommand(script: string): string {
  const [command = ''] = script.split(' && ');
  const [, other] = /^npm run (\w+)$/.exec(command) ?? [];
  return other === undefined ? command : firstCommand(scripts[other] ?? '');
}

test.each([
  ...Object.entries(scripts).filter(([, script]) => /\bnode .*\.ts\b/.test(script)),
  ...['check', 'test'].map((name) => [name, scripts[name] ?? ''] as const),
  ['cdk', (read('cdk.json') as { readonly app: string }).app] as const,
])('the command of %s checks Node.js first', (_, script) => {
  expect(firstCommand(script)).toBe(check);
});

test('package.json and README require the same version of Node.js', () => {
  expect(engines.node).toBe('>=22.18');
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain('Node.js 22.18 or newer');
});
