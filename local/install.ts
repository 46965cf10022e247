import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buildPebble, PEBBLE_BUILD, PEBBLE_VERSION } from './build-pebble.ts';
import { run } from './processes.ts';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');

export interface Installation {
  /** Folder that holds everything: `PERENNIAL_CACHE`, else `$XDG_CACHE_HOME/perennial`, else `~/.cache/perennial`. */
  cache: string;
  /** The interpreter of the virtual environment with MiniStack in it. */
  python: string;
  /** The ACME test server's binary. */
  pebble: string;
  /** What this call installed; empty when all was there. */
  installed: string[];
}

export interface InstallOptions {
  env?: NodeJS.ProcessEnv;
  /** Told before each thing that takes a while. */
  onProgress?: (message: string) => void;
}

/** Something that must be on the machine is not; the message is one sentence that says what to install. */
export class MissingPrerequisiteError extends Error {
  override name = 'MissingPrerequisiteError';
}

/**
 * Installs what the local environment consists of, once: a Python virtual environment with MiniStack, and Pebble. The
 * folders carry the versions, so an upgrade installs beside the old ones.
 *
 * @throws MissingPrerequisiteError when Python is missing, too old, or without its venv module.
 */
export async function install(options: InstallOptions = {}): Promise<Installation> {
  const env = options.env ?? process.env;
  const cache = cacheFolder(env);
  const installed: string[] = [];
  const progress = (what: string) => {
    installed.push(what);
    options.onProgress?.(`Installing ${what} in ${cache}`);
  };

  const requirements = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 8);
  const venv = join(cache, `ministack-${requirements}`);
  const python = join(venv, 'bin', 'python');
  // existsSync follows the link: an environment whose Python was removed from the machine is made again.
  if (!existsSync(python)) {
    const machinePython = await findPython(env);
    progress('MiniStack');
    rmSync(venv, { recursive: true, force: true });
    await atomically(venv, async (folder) => {
      await run(machinePython, ['-m', 'venv', folder], { env });
      await pip(join(folder, 'bin', 'python'), ['--requirement', REQUIREMENTS], env);
    });
  }

  const pebbleFolder = join(cache, `pebble-${PEBBLE_BUILD}`);
  const pebble = join(pebbleFolder, 'pebble');
  if (!existsSync(pebble)) {
    progress(`Pebble ${PEBBLE_VERSION}`);
    await atomically(pebbleFolder, (folder) => buildPebble(folder, (args) => pip(python, args, env), env));
  }
  return { cache, python, pebble, installed };
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  return env.PERENNIAL_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'perennial');
}

/**
 * Fills a folder beside `target` and renames it, so that half an installation is never taken for a whole one. When two
 * install at once the first rename wins and the other's work is thrown away.
 */
async function atomically(target: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const partial = `${target}.partial-${randomBytes(4).toString('hex')}`;
  mkdirSync(partial, { recursive: true });
  try {
    await fill(partial);
    try {
      renameSync(partial, target);
    } catch (error) {
      if (!existsSync(target)) throw error;
    }
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function pip(python: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  return run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...args], { env });
}

const HOW_TO_INSTALL_PYTHON =
  'install it (Debian and Ubuntu: apt-get install python3 python3-venv; macOS: brew install python)';

async function findPython(env: NodeJS.ProcessEnv): Promise<string> {
  const script = 'import sys; print("%d.%d" % sys.version_info[:2], sys.executable); import venv, ensurepip';
  const tooOld: string[] = [];
  for (const name of ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python']) {
    let output: string;
    try {
      output = await run(name, ['-c', script], { env });
    } catch (error) {
      if (!String(error).includes('No module named')) continue; // Not there, or a stub that does not run.
      throw new MissingPrerequisiteError(
        `${name} has no venv module, which the local environment needs: ${HOW_TO_INSTALL_PYTHON}.`,
      );
    }
    const [version = '', executable = name] = output.trim().split(' ');
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major === 3 && minor >= 10) return executable;
    tooOld.push(`${name} is ${version}`);
  }
  const found = tooOld.length > 0 ? tooOld.join(', ') : 'there is no python3 on the PATH';
  throw new MissingPrerequisiteError(
    `The local environment needs Python 3.10 or newer, and ${found}: ${HOW_TO_INSTALL_PYTHON}.`,
  );
}
