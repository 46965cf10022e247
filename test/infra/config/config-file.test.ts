import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Config files by name, and words of the sentence that each is rejected with. */
const rejected: Readonly<Record<string, readonly [text: string, ...words: string[]]>> = {
  'certificates.json': ['{}', 'file: ', '".json"', 'TypeScript or JavaScript'],
  'certificates.yaml': ['a: 1', 'file: ', '".yaml"', 'TypeScript or JavaScript'],
  'no-default.mjs': ['export const a = 1;', 'default export: missing', 'defineConfig'],
  'function.mjs': ['export default () => ({});', 'default export: found a function', 'defineConfig'],
  'promise.mjs': ['export default Promise.resolve({});', 'default export: found a promise', 'defineConfig'],
  'syntax.mjs': ['export default {\n  a: 1,,\n};', 'file: has a syntax error', 'Unexpected token', 'node --check'],
  'syntax.ts': ['const a: number = 1;\nexport default {,};', 'file: has a syntax error in line 2: '],
  'outside.ts': ["import 'cdk-perennial';\nexport default {};", 'file: ', '"cdk-perennial"', 'keep the file in /'],
  'throws.mjs': ['\nconst a = undefined;\nexport default a.b;', 'file: throws an error in line 3: ', "reading 'b'"],
  'throws-text.mjs': ["throw 'no';", 'file: throws an error: no'],
};

const root = join(import.meta.dirname, '..', '..', '..');
let folder: string;
let printed: Readonly<Record<string, unknown>>;

/** Loads the files in one process of Node.js, because a test runner has its own loader. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-config-'));
  for (const [name, [text]] of Object.entries(rejected)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'valid.mjs'), 'export default { a: 1 };');
  mkdirSync(join(folder, 'folder.ts'));
  const names = [...Object.keys(rejected), 'valid.mjs', 'folder.ts', 'missing.ts'];
  const script = `
    import { loadConfigFile } from ${JSON.stringify(join(root, 'infra', 'config', 'config-file.ts'))};
    const printed = {};
    for (const name of ${JSON.stringify(names)})
      printed[name] = await loadConfigFile(${JSON.stringify(folder)} + '/' + name).catch(({ mistakes }) => mistakes);
    process.stdout.write(JSON.stringify(printed));`;
  const options = { cwd: root, encoding: 'utf8', stdio: 'pipe' } as const;
  printed = JSON.parse(execFileSync(process.execPath, ['--input-type=module', '--eval', script], options));
}, 30_000);
afterAll(() => rmSync(folder, { recursive: true }));

test.each(Object.entries(rejected))('%s is rejected with one sentence in one line', (name, [, ...words]) => {
  expect(printed[name]).toEqual([expect.stringMatching(/^[a-z ]+: .+; .+$/)]);
  for (const word of words) expect(printed[name]).toEqual([expect.stringContaining(word)]);
});

test.each([
  ['missing.ts', 'does not exist'],
  ['folder.ts', 'is not a file'],
])('%s is rejected, because it %s', (name, words) => {
  expect(printed[name]).toEqual([expect.stringMatching(new RegExp(`^file: ${words}; .*certificates.ts`))]);
});

test('the default export of a module is returned as it is', () => {
  expect(printed['valid.mjs']).toEqual({ a: 1 });
});
