import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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

const HOW = 'install it (Debian and Ubuntu: apt-get install python3 python3-venv; macOS: brew install python).';

test('a machine without Python is told what to install', async () => {
  expect(await refusal()).toBe(
    `The local environment needs Python 3.10 or newer, and there is no python3 on the PATH: ${HOW}`,
  );
});

test('a machine with an old Python is told which one it has', async () => {
  command('python3', 'echo 3.8 /usr/bin/python3');
  expect(await refusal()).toBe(`The local environment needs Python 3.10 or newer, and python3 is 3.8: ${HOW}`);
});

test('a Python without venv is named, as Debian ships it', async () => {
  command('python3', `echo "ModuleNotFoundError: No module named 'ensurepip'" >&2; exit 1`);
  expect(await refusal()).toBe(`python3 has no venv module, which the local environment needs: ${HOW}`);
});

test('an installation that fails half way leaves nothing that looks whole', async () => {
  command('python3', 'case "$1" in -c) echo 3.12 "$0";; *) echo "disk full" >&2; exit 1;; esac');
  await expect(install({ env })).rejects.toThrow('disk full');
  expect(readdirSync(join(folder, 'cache'))).toEqual([]);
});
