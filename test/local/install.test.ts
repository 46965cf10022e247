import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { install, MissingPrerequisiteError } from '../../local/install.ts';

let folder: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-install-'));
  mkdirSync(join(folder, 'bin'));
  env = { PATH: join(folder, 'bin'), PERENNIAL_CACHE: join(folder, 'cache') };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function command(name: string, script: string): void {
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'bin', name), 0o755);
}

async function refusal(): Promise<string> {
  const error = await install({ env }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(MissingPrerequisiteError);
  return (error as Error).message;
}

const howToInstall = /Install it.*apt-get install python3 python3-venv.*brew install python/;

test('install says what to install on a machine without Python', async () => {
  const message = await refusal();
  expect(message).toMatch(/needs Python 3\.10 or newer.*no python3 on the PATH/);
  expect(message).toMatch(howToInstall);
});

test('install names the version of a Python that is too old', async () => {
  command('python3', 'echo 3.8 /usr/bin/python3');
  const message = await refusal();
  expect(message).toMatch(/needs Python 3\.10 or newer.*python3 is 3\.8/);
  expect(message).toMatch(howToInstall);
});

test('install names a Python without the venv module, as on Debian', async () => {
  command('python3', `echo "ModuleNotFoundError: No module named 'ensurepip'" >&2; exit 1`);
  const message = await refusal();
  expect(message).toContain('python3 has no venv module');
  expect(message).toMatch(howToInstall);
});

test('an installation keeps that of another process which has ended in the meantime', async () => {
  const requirements = readFileSync(join(import.meta.dirname, '..', '..', 'local', 'requirements.txt'));
  const hash = createHash('sha256').update(requirements).digest('hex').slice(0, 8);
  const other = join(folder, 'cache', `ministack-${hash}`, 'bin');
  mkdirSync(other, { recursive: true });
  // The other process ends while this one looks for Python.
  const ends = `echo > ${other}/python; echo 3.12 "$0"`;
  command('python3', `case "$1" in -c) ${ends};; *) echo "disk full" >&2; exit 1;; esac`);
  await expect(install({ env })).rejects.toThrow('disk full');
  expect(readdirSync(other)).toEqual(['python']);
});

test('an installation that fails leaves no folder in the cache', async () => {
  command('python3', 'case "$1" in -c) echo 3.12 "$0";; *) echo "disk full" >&2; exit 1;; esac');
  await expect(install({ env })).rejects.toThrow('disk full');
  expect(readdirSync(join(folder, 'cache'))).toEqual([]);
});
