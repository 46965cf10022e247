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
} from '../../../lambdas/domain/contract/errors.ts';
import type { StoreCertificateInput } from '../../../lambdas/domain/contract/steps.ts';
import { accessHash, isSharingOutdated } from '../../../lambdas/domain/rules/certificate/secret-sharing.ts';
import { authorities, secretValue } from '../../fakes/certificate-authority.ts';
import { crossSign, makeAuthority, makeLeaf, makePrivateKey, pemOf } from '../../fakes/certificates.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, factsWith, issuer, otherExecution, run, specWith } from '../../fakes/specs.ts';
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

/** A finalized order, its key staged, over a secret that holds an older certificate. */
async function finalized(names: readonly string[] = spec.identifiers): Promise<World> {
  const world = createWorld({ now: '2026-03-01T12:00:00Z' });
  world.ledger.put('www', { lease: execution });
  const url = await world.acme.newAccount(issuer, accountKey);
  world.accounts.put(issuer.directoryUrl, { privateKey: accountKey, url, version: '1' });
  world.secrets.put('www', { current: old });
  await world.secrets.stageKey('www', orderUrl, privateKey);
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
});
const store = ({ ports }: World, preferredChain: string | null = null) =>
  storeCertificate(input(preferredChain), ports);

const current = (world: World): CertificateSecretValue =>
  JSON.parse(world.secrets.labelled('www', 'AWSCURRENT') ?? '') as CertificateSecretValue;

describe('a certificate that is as ordered', () => {
  test('becomes what readers get, with its chain and key; the old one is the previous', async () => {
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

  test('is in the ledger at once, with the order and the execution that made it', async () => {
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

  test('leaves no key and no PEM in what the workflow gets or the log says', async () => {
    const world = await finalized();
    const output = await store(world);
    expect(JSON.stringify([output, world.log.lines, world.ledger.get('www')])).not.toMatch(/BEGIN|PRIVATE/);
  });

  test('is stored, and goes on to be delivered, although a reader of the configuration is not there', async () => {
    const world = await finalized();
    const readers = ['arn:aws:iam::444455556666:role/nobody'];
    world.secrets.noSuchReader = readers[0] ?? '';
    const { current: facts } = await storeCertificate({ ...input(), spec: { ...spec, readers } }, world.ports);
    expect(world.ledger.get('www').current).toEqual(facts);
    expect(world.log.messages('error')).toEqual([expect.stringContaining('role/nobody')]);
    expect(isSharingOutdated({ readers }, world.ledger.get('www'))).toBe(true);
  });

  test('asks nothing about readers of a secret that is new and has none', async () => {
    const world = await finalized();
    world.secrets.put('www', {});
    await world.secrets.stageKey('www', orderUrl, privateKey);
    await store(world);
    expect(world.calls.names()).not.toContain('secrets.share');
  });

  test('takes away the readers that a lost table knew, and the configuration does not', async () => {
    const world = await finalized();
    await world.secrets.share('www', { readers: ['arn:aws:iam::444455556666:role/gone'], replicas: [] });
    await store(world);
    expect(world.secrets.access('www')).toEqual({ readers: [], replicas: [] });
  });

  test('gives the readers of the configuration to a secret that was deleted and made anew', async () => {
    const world = await finalized();
    const readers = ['arn:aws:iam::444455556666:role/web'];
    const current = factsWith({
      secretArn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:certificates/www-Before',
    });
    world.ledger.put('www', { current, access: accessHash({ readers }, current) });
    await storeCertificate({ ...input(), spec: { ...spec, readers } }, world.ports);
    expect(world.secrets.access('www')).toEqual({ readers, replicas: [] });
  });

  test('with an extra name is stored with a warning that names it', async () => {
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

  /** The default chain, as issued, and the same leaf below a cross-signed intermediate. */
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

  test('that is none asks for no alternate', async () => {
    const { world, alternate } = await withAlternates();
    world.ca.alternates.set(first, alternate);
    await store(world);
    expect(world.calls.names('ca.')).toEqual(['ca.certificate']);
  });

  test('that the default has asks for no alternate', async () => {
    const { world, alternate } = await withAlternates();
    world.ca.alternates.set(first, alternate);
    const { warnings } = await store(world, 'Test Root');
    expect(world.calls.names('ca.')).toEqual(['ca.certificate']);
    expect([topOf(world), warnings]).toEqual(['CN=Test Root', []]);
  });

  test('is stored in place of the default', async () => {
    const { world, alternate } = await withAlternates();
    world.ca.alternates.set(first, alternate);
    const { warnings } = await store(world, 'Other Root');
    expect([topOf(world), warnings]).toEqual(['CN=Other Root', []]);
  });

  test('is found behind an alternate that cannot be downloaded', async () => {
    const { world, alternate } = await withAlternates();
    world.ca.alternates.set(first, new CaUnavailableError({ what: 'Not now.' })).set(second, alternate);
    await store(world, 'Other Root');
    expect(topOf(world)).toBe('CN=Other Root');
  });

  test('that nobody offers leaves the default, with a warning that names what there is', async () => {
    const { world, alternate } = await withAlternates();
    world.ca.alternates.set(first, new CaUnavailableError({ what: 'Not now.' })).set(second, alternate);
    const { warnings } = await store(world, 'Third Root');
    expect(topOf(world)).toBe('CN=Test Root');
    expect(warnings).toEqual([
      `no chain of it ends in the preferred Third Root, so the CA's default is stored; the chains end in Test Root, nothing (${first}: Not now.), Other Root`,
    ]);
  });

  test('that is not what was ordered is not stored', async () => {
    const { world } = await withAlternates();
    const other = await makeAuthority({ name: 'Other Root' });
    const stranger = await makeLeaf(other, { identifiers: spec.identifiers, privateKey: makePrivateKey() });
    world.ca.alternates.set(first, stranger);
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

  test('when an identifier is missing', async () => {
    await expectOld(await finalized(['example.com']), CertificateMismatchError);
  });

  test('when the certificate is for another key', async () => {
    const world = await finalized();
    world.secrets.deleteVersion('www', world.secrets.keyVersion(orderUrl));
    await world.secrets.stageKey('www', orderUrl, makePrivateKey());
    await expectOld(world, OrderSharedError);
  });

  test('when the staged key is gone', async () => {
    const world = await finalized();
    world.secrets.deleteVersion('www', world.secrets.keyVersion(orderUrl));
    await expectOld(world, StagedKeyMissingError);
  });

  test('when its key was reused and is compromised since', async () => {
    const world = await finalized();
    const value = { ...(await secretValue({ identifiers: spec.identifiers })), privateKey };
    world.secrets.put('www', { current: { versionId: 'version-1', value } });
    await world.secrets.stageKey('www', orderUrl, privateKey);
    await world.secrets.markCompromised('www', 'version-1');
    await expect(store(world)).rejects.toThrow(CompromisedKeyError);
    expect(await world.secrets.describe('www')).toMatchObject({ currentVersion: 'version-1' });
  });

  test('when another execution has taken over', async () => {
    const world = await finalized();
    world.ledger.put('www', { lease: otherExecution });
    await expectOld(world, LeaseLostError);
  });

  test('when another execution takes over during the download', async () => {
    const world = await finalized();
    world.calls.meanwhile('ca.certificate', () => world.ledger.put('www', { lease: otherExecution }));
    await expectOld(world, LeaseLostError);
  });

  test('when the account is gone', async () => {
    const world = await finalized();
    world.accounts.put(issuer.directoryUrl, { privateKey: accountKey, url: null, version: '1' });
    await expectOld(world, AccountDoesNotExistError);
  });
});

test('run twice, it stores once and the previous certificate is still the old one', async () => {
  const world = await finalized();
  const first = await store(world);
  const versions = world.secrets.versionIds('www');
  expect(await store(world)).toEqual(first);
  expect(world.secrets.versionIds('www')).toEqual(versions);
  expect(world.secrets.labelled('www', 'AWSPREVIOUS')).toBe(old.value);
});

test('it may die after any call: readers have the old one or the new one, and at the end the new one', async () => {
  const seen = new Set<string>();
  const look = (world: World) => seen.add(world.secrets.labelled('www', 'AWSCURRENT') ?? 'nothing');
  await interruptedAfterEachCall(
    () => finalized(),
    async (world) => {
      look(world);
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
