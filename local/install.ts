import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buildPebble, PEBBLE_BUILD, PEBBLE_VERSION } from './build-pebble.ts';
import { run } from './processes.ts';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');

export interface Installation {
  /** Folder of all installations. It is `PERENNIAL_CACHE`, or else `$XDG_CACHE_HOME/perennial`, or else `~/.cache/perennial`. */
  cache: string;
  /** Path of the Python interpreter in the virtual environment of MiniStack and cfn-lint. */
  python: string;
  /** Path of the binary of Pebble, the ACME test server. */
  pebble: string;
  /** Names of the programs that this call installed. */
  installed: string[];
}

export interface InstallOptions {
  env?: NodeJS.ProcessEnv;
  /** Called with a message before each installation. */
  onProgress?: (message: string) => void;
}

/** A program or setting that the local environment needs is missing on the machine. The message says what to install. */
export class MissingPrerequisiteError extends Error {
  override name = 'MissingPrerequisiteError';
}

/**
 * Installs the programs of the local environment unless they are installed already. They are Pebble, and a Python virtual environment
 * with MiniStack and cfn-lint. The folder names contain the versions, so that an upgrade installs into a new folder.
 *
 * @throws MissingPrerequisiteError if Python is missing, too old, or without its venv module
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
  // `existsSync` follows the link, so the environment is created again if its Python was removed from the machine.
  if (!existsSync(python)) {
    const machinePython = await findPython(env);
    progress('MiniStack');
    // Another process may have installed it in the meantime.
    if (!existsSync(python)) rmSync(venv, { recursive: true, force: true });
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
 * Fills a temporary folder and renames it to `target`, so that an incomplete installation is never used. If two processes install at the
 * same time, the first rename wins and the other folder is removed.
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
  'Install it (Debian and Ubuntu: apt-get install python3 python3-venv; macOS: brew install python).';

async function findPython(env: NodeJS.ProcessEnv): Promise<string> {
  const script = 'import sys; print("%d.%d" % sys.version_info[:2], sys.executable); import venv, ensurepip';
  const tooOld: string[] = [];
  for (const name of ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python']) {
    let output: string;
    try {
      output = await run(name, ['-c', script], { env });
    } catch (error) {
      if (!String(error).includes('No module named')) continue; // The command does not exist, or is a stub that does not run.
      throw new MissingPrerequisiteError(
        `The local environment needs Python with the venv module. ${name} has no venv module. ${HOW_TO_INSTALL_PYTHON}`,
      );
    }
    const [version = '', executable = name] = output.trim().split(' ');
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major === 3 && minor >= 10) return executable;
    tooOld.push(`${name} is ${version}`);
  }
  const found = tooOld.length > 0 ? `On this machine ${tooOld.join(', ')}` : 'There is no python3 on the PATH';
  throw new MissingPrerequisiteError(
    `The local environment needs Python 3.10 or newer. ${found}. ${HOW_TO_INSTALL_PYTHON}`,
  );
}
