import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { storeCertificate } from '../../../lambdas/certificate/store-certificate.ts';
import type { CertificateSecretValue } from '../../../lambdas/domain/contract/certificate-secret.ts';
import {
  AccountDoesNotExistError,
  CaUnavailableError,
  CertificateMismatchError,
  CompromisedKeyError,
  LeaseLostError,
  OrderSharedError,
  StagedKeyMissingError,
  UnexpectedError,
} from '../../../lambdas/domain/contract/errors.ts';
import type { StoreCertificateInput } from '../../../lambdas/domain/contract/steps.ts';
import { accessHash, isSharingOutdated } from '../../../lambdas/domain/rules/certificate/secret-sharing.ts';
import { authorities, secretValue } from '../../fakes/certificate-authority.ts';
import { crossSign, makeAuthority, makeLeaf, makePrivateKey, pemOf } from '../../fakes/certificates.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { atCa, execution, factsWith, issuer, otherExecution, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const spec = specWith({ identifiers: ['*.example.com', 'example.com'] });
const orderUrl = 'https://ca.test/order/1';
const old = { versionId: 'version-1', value: 'the old certificate, whole' };

let privateKey: string;
let accountKey: string;
beforeAll(() => {
  privateKey = makePrivateKey();
  accountKey = makePrivateKey();
});

/** Creates a world with a finalized order, its staged key and a secret with an older certificate. */
async function finalized(names: readonly string[] = spec.identifiers): Promise<World> {
  const world = createWorld({ now: '2026-03-01T12:00:00Z' });
  world.ledger.put('www', { lease: execution });
  const { url } = await world.acme.newAccount(issuer, accountKey);
  world.accounts.put(issuer.directoryUrl, { privateKey: accountKey, url, version: '1' });
  world.secrets.put('www', { current: old });
  await world.secrets.stageKey('www', atCa(orderUrl), privateKey);
  for (const name of names) world.ca.alreadyValid.add(name);
  const order = await world.ca.newOrder({ identifiers: names, profile: null });
  await world.ca.finalize(order, names, privateKey);
  return world;
}

const input = (preferredChain: string | null = null): StoreCertificateInput => ({
  ...run,
  spec: { ...spec, issuer: { ...issuer, preferredChain } },
  order: { url: orderUrl, finalize: `${orderUrl}/finalize`, expires: null },
  certificateUrl: `${orderUrl}/certificate`,
  checkInterval: 21_600,
});
const store = ({ ports }: World, preferredChain: string | null = null) =>
  storeCertificate(input(preferredChain), ports);

const current = (world: World): CertificateSecretValue =>
  JSON.parse(world.secrets.labelled('www', 'AWSCURRENT') ?? '') as CertificateSecretValue;

describe('a certificate that matches the order', () => {
  test('becomes AWSCURRENT with its chain and key, and the old one becomes AWSPREVIOUS', async () => {
    const world = await finalized();
    await store(world);
    const { certificate, chain, fullChain, ...rest } = current(world);
    expect(rest).toMatchObject({
      format: 1,
      privateKey,
      identifiers: ['*.example.com', 'example.com'],
      notBefore: '2026-03-01T11:00:00.000Z',
      notAfter: '2026-05-30T10:59:59.000Z',
      issuer: 'CN=Test Intermediate',
      keyType: 'P-256',
      directoryUrl: issuer.directoryUrl,
      profile: null,
    });
    expect(new X509Certificate(certificate).subject).toBe('CN=*.example.com');
    expect(new X509Certificate(chain).subject).toBe('CN=Test Intermediate');
    expect(fullChain).toBe(certificate + chain);
    expect(world.secrets.labelled('www', 'AWSPREVIOUS')).toBe(old.value);
  });

  test('of a fallback that does not offer the configured profile is stored with the default profile', async () => {
    const world = await finalized();
    const configured = { ...issuer, directoryUrl: 'https://configured.test/directory' };
    const { spec: given, ...others } = input();
    await storeCertificate(
      { ...others, spec: { ...given, profile: 'shortlived', issuers: [configured, issuer] } },
      world.ports,
    );
    expect(current(world).profile).toBeNull();
    expect(world.ledger.get('www').current?.profile).toBeNull();
  });

  test('is recorded in the ledger with its order and execution', async () => {
    const world = await finalized();
    const { current: facts, warnings } = await store(world);
    expect(warnings).toEqual([]);
    expect(facts).toMatchObject({
      secretArn: world.secrets.arn('www'),
      versionId: world.secrets.certificateVersion(orderUrl),
      orderUrl,
      execution,
      identifiers: spec.identifiers,
    });
    expect(world.ledger.get('www').current).toEqual(facts);
  });

  test('leaves no private key and no PEM block in the output, the log or the ledger', async () => {
    const world = await finalized();
    const output = await store(world);
    expect(JSON.stringify([output, world.log.lines, world.ledger.get('www')])).not.toMatch(/BEGIN|PRIVATE/);
  });

  test('that lives for a day is stored with a warning if the schedule is too slow for it', async () => {
    const world = await finalized();
    const { intermediate } = await authorities();
    const validity = { notBefore: '2026-03-01T11:59:00Z', notAfter: '2026-03-02T11:59:00Z' };
    const leaf = await makeLeaf(intermediate, { identifiers: spec.identifiers, privateKey, ...validity });
    world.ca.certificate = async () => ({ pem: leaf + pemOf(intermediate.certificate), alternates: [] });
    const { current: facts } = await store(world);
    expect(facts.warnings).toEqual([
      'it lives for 24 h, and the schedule of 6 h is too slow for it. Set schedule to 90 minutes or less, so that 8 runs fit between its renewal time and its expiry',
    ]);
    expect(world.log.messages('warn')).toHaveLength(1);
  });

  test('that expires before the one in use is stored, and the ledger and the event have a warning', async () => {
    const world = await finalized();
    world.ledger.put('www', { current: factsWith({ notAfter: '2026-08-01T00:00:00Z' }) });
    const { current: facts } = await store(world);
    expect(facts.warnings).toEqual([expect.stringContaining('before the certificate that it replaces')]);
    expect(world.ledger.get('www').current).toEqual(facts);
    expect(world.log.messages('warn')).toEqual([expect.stringContaining('before the certificate that it replaces')]);
    expect((await store(world)).current).toEqual(facts);
  });

  test('is stored even if a configured reader does not exist, and the error is logged', async () => {
    const world = await finalized();
    const readers = ['arn:aws:iam::444455556666:role/nobody'];
    world.secrets.noSuchReader = readers[0] ?? '';
    const { current: facts } = await storeCertificate({ ...input(), spec: { ...spec, readers } }, world.ports);
    expect(world.ledger.get('www').current).toEqual(facts);
    expect(world.log.messages('error')).toEqual([expect.stringContaining('role/nobody')]);
    expect(isSharingOutdated({ readers }, world.ledger.get('www'))).toBe(true);
  });

  test('is not shared if its secret is new and no reader is configured', async () => {
    const world = await finalized();
    world.secrets.put('www', {});
    await world.secrets.stageKey('www', atCa(orderUrl), privateKey);
    await store(world);
    expect(world.calls.names()).not.toContain('secrets.share');
  });

  test('loses readers that are not configured, even if the table was lost', async () => {
    const world = await finalized();
    await world.secrets.share('www', { readers: ['arn:aws:iam::444455556666:role/gone'], replicas: [] });
    await store(world);
    expect(world.secrets.access('www')).toEqual({ readers: [], replicas: [] });
  });

  test('is shared with the configured readers if its secret was deleted and created again', async () => {
    const world = await finalized();
    const readers = ['arn:aws:iam::444455556666:role/web'];
    const current = factsWith({
      secretArn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:certificates/www-Before',
    });
    world.ledger.put('www', { current, access: accessHash({ readers }, current) });
    await storeCertificate({ ...input(), spec: { ...spec, readers } }, world.ports);
    expect(world.secrets.access('www')).toEqual({ readers, replicas: [] });
  });

  test('with an additional name is stored with a warning', async () => {
    const world = await finalized(['*.example.com', 'example.com', 'extra.example.com']);
    const { warnings } = await store(world);
    expect(warnings).toEqual(['it also names extra.example.com']);
    expect(world.log.messages('warn')).toEqual(['Certificate of www: it also names extra.example.com']);
    expect(world.ledger.get('www').current?.identifiers).toEqual(spec.identifiers);
  });
});

describe('a preferred chain', () => {
  const first = `${orderUrl}/certificate/1`;
  const second = `${orderUrl}/certificate/2`;
  const topOf = (world: World) => new X509Certificate(current(world).chain).issuer;

  /** Creates a world with the default chain and an alternate chain. The alternate has the same leaf below a cross-signed intermediate. */
  async function withAlternates() {
    const world = await finalized();
    const { pem } = await world.ports.acme
      .connect(issuer, { url: world.acme.accounts()[0] ?? '', privateKey: accountKey })
      .certificate(`${orderUrl}/certificate`);
    world.calls.made.length = 0;
    const { intermediate } = await authorities();
    const other = await makeAuthority({ name: 'Other Root' });
    const crossed = await crossSign(intermediate, other);
    const [leaf = ''] = pem.split(/(?<=-----END CERTIFICATE-----\n)/);
    return { world, leaf, alternate: leaf + pemOf(crossed) };
  }

  test('is not configured, so no alternate is downloaded', async () => {
    const { world, alternate } = await withAlternates();
    world.ca.alternates.set(first, alternate);
    await store(world);
    expect(world.calls.names('ca.')).toEqual(['ca.certificate']);
  });

  test('is the default chain, so no alternate is downloaded', async () => {
    const { world, alternate } = await withAlternates();
    world.ca.alternates.set(first, alternate);
    const { warnings } = await store(world, 'Test Root');
    expect(world.calls.names('ca.')).toEqual(['ca.certificate']);
    expect([topOf(world), warnings]).toEqual(['CN=Test Root', []]);
  });

  test('is stored instead of the default chain', async () => {
    const { world, alternate } = await withAlternates();
    world.ca.alternates.set(first, alternate);
    const { warnings } = await store(world, 'Other Root');
    expect([topOf(world), warnings]).toEqual(['CN=Other Root', []]);
  });

  test('is found after an alternate that cannot be downloaded', async () => {
    const { world, alternate } = await withAlternates();
    world.ca.alternates.set(first, new CaUnavailableError({ what: 'Not now.' })).set(second, alternate);
    await store(world, 'Other Root');
    expect(topOf(world)).toBe('CN=Other Root');
  });

  test('is not offered, so the default chain is stored with a warning that lists the offered chains', async () => {
    const { world, alternate } = await withAlternates();
    world.ca.alternates.set(first, new CaUnavailableError({ what: 'Not now.' })).set(second, alternate);
    const { warnings } = await store(world, 'Third Root');
    expect(topOf(world)).toBe('CN=Test Root');
    expect(warnings).toEqual([expect.stringContaining('Third Root')]);
    expect(warnings[0]).toContain(`Test Root, nothing (${first}: Not now.), Other Root`);
  });

  test.each([
    [45, 4],
    [130, 3],
    [200, 1],
  ])(
    'that never arrives is not waited for longer than the function runs, if a reply takes %i s',
    async (replyTimeout, downloads) => {
      const { world } = await withAlternates();
      for (const id of [1, 2, 3, 4])
        world.ca.alternates.set(`${orderUrl}/certificate/${id}`, new CaUnavailableError({ what: 'No reply.' }));
      const download = world.ca.certificate.bind(world.ca);
      world.ca.certificate = async (url) => {
        const isFirst = !world.ca.alternates.has(url);
        // The directory and a nonce come before the first chain.
        world.clock.advance((isFirst ? 3 : 1) * replyTimeout * 1000);
        return download(url);
      };
      const began = world.clock.now().getTime();
      const { spec: of, ...others } = input('Other Root');
      const slow = { ...of, issuer: { ...of.issuer, replyTimeout } };
      const { warnings } = await storeCertificate({ ...others, spec: slow }, world.ports);
      expect(topOf(world)).toBe('CN=Test Root');
      expect(warnings[0]?.match(/No reply/g)).toHaveLength(downloads);
      expect(warnings[0]?.includes('The others were not downloaded, because the CA replies too slowly')).toBe(
        downloads < 4,
      );
      // The function ends after 900 s and needs 30 s for its calls to AWS.
      expect((world.clock.now().getTime() - began) / 1000).toBeLessThanOrEqual(870);
    },
  );

  test('is not offered, and the warning has no control characters and overrides, whatever the offered roots are called', async () => {
    const { world, leaf } = await withAlternates();
    const { intermediate } = await authorities();
    const crossed = await crossSign(intermediate, await makeAuthority({ name: 'Other\u202e\u001b[31m Root' }));
    world.ca.alternates.set(first, leaf + pemOf(crossed));
    const { warnings, current } = await store(world, 'Third Root');
    expect(warnings.join()).toMatch(/Other.*Root/);
    expect([warnings, current.warnings, world.log.messages('warn')].flat().join()).not.toMatch(/\p{C}/u);
  });

  test('is not stored if its certificate does not match the order', async () => {
    const { world } = await withAlternates();
    const other = await makeAuthority({ name: 'Other Root' });
    const otherLeaf = await makeLeaf(other, { identifiers: spec.identifiers, privateKey: makePrivateKey() });
    world.ca.alternates.set(first, otherLeaf);
    const { warnings } = await store(world, 'Other Root');
    expect(topOf(world)).toBe('CN=Test Root');
    expect(warnings[0]).toContain('finalized for another key');
  });
});

describe('the old certificate stays current', () => {
  async function expectOld(world: World, error: abstract new (...args: never[]) => Error): Promise<void> {
    await expect(store(world)).rejects.toThrow(error);
    expect(world.secrets.labelled('www', 'AWSCURRENT')).toBe(old.value);
    expect(world.ledger.get('www').current).toBeNull();
  }

  test('if an identifier is missing', async () => {
    await expectOld(await finalized(['example.com']), CertificateMismatchError);
  });

  test('if the certificate has another key', async () => {
    const world = await finalized();
    world.secrets.deleteVersion('www', world.secrets.keyVersion(orderUrl));
    await world.secrets.stageKey('www', atCa(orderUrl), makePrivateKey());
    await expectOld(world, OrderSharedError);
  });

  test('if the staged key is missing', async () => {
    const world = await finalized();
    world.secrets.deleteVersion('www', world.secrets.keyVersion(orderUrl));
    await expectOld(world, StagedKeyMissingError);
  });

  test('if its key was reused and has become compromised', async () => {
    const world = await finalized();
    const value = { ...(await secretValue({ identifiers: spec.identifiers })), privateKey };
    world.secrets.put('www', { current: { versionId: 'version-1', value } });
    await world.secrets.stageKey('www', atCa(orderUrl), privateKey);
    await world.secrets.markCompromised('www', 'version-1');
    await expect(store(world)).rejects.toThrow(CompromisedKeyError);
    expect(await world.secrets.describe('www')).toMatchObject({ currentVersion: 'version-1' });
  });

  test('if it has hours left, and a longer one is in use', async () => {
    const world = await finalized();
    world.ledger.put('www', { current: factsWith() });
    const { intermediate } = await authorities();
    const pem = await makeLeaf(intermediate, {
      identifiers: spec.identifiers,
      privateKey,
      notBefore: '2026-03-01T11:00:00Z',
      notAfter: '2026-03-01T23:00:00Z',
    });
    world.ca.certificate = async () => ({ pem: pem + pemOf(intermediate.certificate), alternates: [] });
    await expect(store(world)).rejects.toThrow(CertificateMismatchError);
    expect(world.secrets.labelled('www', 'AWSCURRENT')).toBe(old.value);
    expect(world.ledger.get('www').current).toEqual(factsWith());
  });

  test('if its key becomes compromised during the download', async () => {
    const world = await finalized();
    const value = { ...(await secretValue({ identifiers: spec.identifiers })), privateKey };
    world.secrets.put('www', { current: { versionId: 'version-1', value } });
    await world.secrets.stageKey('www', atCa(orderUrl), privateKey);
    world.calls.meanwhile('secrets.putCertificate', () => world.secrets.markCompromised('www', 'version-1'));
    await expect(store(world)).rejects.toThrow(CompromisedKeyError);
    const { pem } = await world.ca.certificate(`${orderUrl}/certificate`);
    expect(world.acme.revocations).toEqual([{ certificate: pem, reason: 1, by: 'account' }]);
    expect(await world.secrets.describe('www')).toMatchObject({ currentVersion: 'version-1' });
  });

  test('if another execution makes a version current while this function stalls', async () => {
    const world = await finalized();
    const newer = await world.secrets.putCertificate(
      'www',
      'https://ca.test/order/2',
      await secretValue({ identifiers: spec.identifiers }),
    );
    world.calls.meanwhile('secrets.makeCurrent', () => world.secrets.restore('www', newer));
    await expect(store(world)).rejects.toThrow(UnexpectedError);
    expect(await world.secrets.describe('www')).toMatchObject({ currentVersion: newer });
  });

  test('if another execution holds the lease', async () => {
    const world = await finalized();
    world.ledger.put('www', { lease: otherExecution });
    await expectOld(world, LeaseLostError);
  });

  test('if another execution takes the lease during the download', async () => {
    const world = await finalized();
    world.calls.meanwhile('ca.certificate', () => world.ledger.put('www', { lease: otherExecution }));
    await expectOld(world, LeaseLostError);
  });

  test('if the account is not registered', async () => {
    const world = await finalized();
    world.accounts.put(issuer.directoryUrl, { privateKey: accountKey, url: null, version: '1' });
    await expectOld(world, AccountDoesNotExistError);
  });
});

test('a certificate whose key is marked as compromised when AWSCURRENT moves is due at once, and the issue cap does not delay it', async () => {
  const world = await finalized();
  const value = { ...(await secretValue({ identifiers: spec.identifiers })), privateKey };
  world.secrets.put('www', { current: { versionId: 'version-1', value } });
  await world.secrets.stageKey('www', atCa(orderUrl), privateKey);
  for (const order of ['1', '2']) await world.ledger.countIssue(spec.setHash, order, world.clock.now());
  world.calls.meanwhile('secrets.makeCurrent', () => world.secrets.markCompromised('www', 'version-1'));
  await expect(store(world)).rejects.toThrow(CompromisedKeyError);
  const { current: facts, revokedVersion } = world.ledger.get('www');
  expect(facts?.versionId).toBe(world.secrets.certificateVersion(orderUrl));
  expect(revokedVersion).toBe(facts?.versionId);
  expect(Object.keys(await world.ledger.issues(spec.setHash, world.clock.now()))).toHaveLength(1);
  expect(world.acme.revocations).toEqual([expect.objectContaining({ reason: 1, by: 'account' })]);
});

test('a second run stores nothing, and AWSPREVIOUS is still the old certificate', async () => {
  const world = await finalized();
  const first = await store(world);
  const versions = world.secrets.versionIds('www');
  expect(await store(world)).toEqual(first);
  expect(world.secrets.versionIds('www')).toEqual(versions);
  expect(world.secrets.labelled('www', 'AWSPREVIOUS')).toBe(old.value);
});

test('readers get the complete old or the complete new certificate after an interruption at any call', async () => {
  const seen = new Set<string>();
  const read = (world: World) => seen.add(world.secrets.labelled('www', 'AWSCURRENT') ?? 'nothing');
  await interruptedAfterEachCall(
    () => finalized(),
    async (world) => {
      read(world);
      return store(world);
    },
    (world, output, last) => {
      expect(current(world).privateKey, last).toBe(privateKey);
      expect(world.ledger.get('www').current, last).toEqual(output.current);
      expect(world.secrets.labelled('www', 'AWSPREVIOUS'), last).toBe(old.value);
      expect(world.secrets.versionIds('www'), last).toHaveLength(3);
    },
  );
  const keys = [...seen].map((value) => (value === old.value ? 'old' : JSON.parse(value).privateKey));
  expect(new Set(keys)).toEqual(new Set(['old', privateKey]));
});
