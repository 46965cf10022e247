import { beforeAll, describe, expect, test } from 'vitest';
import { revokeCertificate } from '../../../lambdas/certificate/revoke-certificate.ts';
import type { CertificateSecretValue } from '../../../lambdas/domain/contract/certificate-secret.ts';
import {
  AccountDoesNotExistError,
  CaUnavailableError,
  MalformedError,
  RenewalsInProgressError,
  UnauthorizedError,
  UnreadableSecretError,
} from '../../../lambdas/domain/contract/errors.ts';
import type { RevocationReason } from '../../../lambdas/domain/contract/revocation-reason.ts';
import { authorities, secretValue } from '../../fakes/certificate-authority.ts';
import { makeLeaf, withoutEnd } from '../../fakes/certificates.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { atCa, factsWith, issuer, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const identifiers = ['example.com'];
const spec = specWith({ reuseKey: true });

let expired: CertificateSecretValue;
let previous: CertificateSecretValue;
let current: CertificateSecretValue;
let other: CertificateSecretValue;
beforeAll(async () => {
  current = await secretValue({ identifiers, serialNumber: '0a03' });
  previous = { ...(await again(current, '0a02')), notAfter: '2026-03-20T00:00:00Z' };
  expired = { ...(await again(current, '0a01')), notAfter: '2026-02-20T00:00:00Z' };
  other = await secretValue({ identifiers, serialNumber: '0b01' });
});

/** Returns another certificate with the same key. */
async function again(value: CertificateSecretValue, serialNumber: string): Promise<CertificateSecretValue> {
  const { intermediate } = await authorities();
  const certificate = await makeLeaf(intermediate, { identifiers, privateKey: value.privateKey, serialNumber });
  return { ...value, certificate, serialNumber };
}

/** Creates a secret with four certificates. Three of them have the same key, and the last one is current. The issue cap of the set is reached. */
async function renewed(): Promise<World & { readonly versionId: string }> {
  const world = createWorld();
  const { secrets, ledger } = world;
  secrets.put('www');
  let versionId: string | null = null;
  for (const [index, value] of [expired, other, previous, current].entries()) {
    const order = `https://ca.test/earlier/${index}`;
    await secrets.stageKey('www', atCa(order), 'staged');
    const to = await secrets.putCertificate('www', order, value);
    await secrets.makeCurrent('www', { from: versionId, to });
    versionId = to;
  }
  for (const order of ['1', '2']) await ledger.countIssue(spec.setHash, order, world.clock.now());
  const { url } = await world.acme.newAccount(issuer, 'account key');
  world.accounts.put(issuer.directoryUrl, { privateKey: 'account key', url, version: '1' });
  return { ...world, versionId: versionId ?? '' };
}

const revoke = (reason: RevocationReason) => (world: World & { readonly versionId: string }) =>
  revokeCertificate(
    { ...run, spec, versionId: world.versionId, reason },
    { ...world.ports, versions: world.ports.secrets },
  );

describe('a compromised key', () => {
  test('signs the revocation of every unexpired certificate that has it', async () => {
    const world = await renewed();
    expect(await revoke('keyCompromise')(world)).toEqual({ revoked: ['0a03', '0a02'], renew: true });
    expect(world.acme.revocations).toEqual([
      { certificate: current.certificate, reason: 1, by: 'key' },
      { certificate: previous.certificate, reason: 1, by: 'key' },
    ]);
  });

  test('revokes the other certificates even if the first revocation fails, and then throws the error', async () => {
    const world = await renewed();
    world.calls.answer('acme.revoke', new CaUnavailableError({ what: 'down' }));
    await expect(revoke('keyCompromise')(world)).rejects.toThrow('down');
    expect(world.acme.revocations.map(({ certificate }) => certificate)).toEqual([previous.certificate]);
  });

  test('makes a renewal due even if the CA is unavailable', async () => {
    const world = await renewed();
    world.ledger.put('www', { current: factsWith({ versionId: world.versionId }) });
    world.calls.answer('acme.revoke', new CaUnavailableError({ what: 'down' }));
    await expect(revoke('keyCompromise')(world)).rejects.toThrow(CaUnavailableError);
    expect(world.ledger.get('www').revokedVersion).toBe(world.versionId);
  });

  test('needs no account', async () => {
    const world = await renewed();
    world.accounts.put(issuer.directoryUrl, { privateKey: 'account key', url: null, version: '2' });
    expect(await revoke('keyCompromise')(world)).toMatchObject({ renew: true });
  });

  test('allows the next certificate to pass the issue cap', async () => {
    const world = await renewed();
    const before = Object.keys(await world.ledger.issues(spec.setHash, world.clock.now()));
    await revoke('keyCompromise')(world);
    const after = Object.keys(await world.ledger.issues(spec.setHash, world.clock.now()));
    expect(after.length).toBeLessThan(before.length);
  });

  test('that is no longer current needs no new certificate', async () => {
    const world = await renewed();
    const order = 'https://ca.test/order/9';
    const to = await world.secrets.putCertificate('www', order, other);
    await world.secrets.makeCurrent('www', { from: world.versionId, to });
    expect(await revoke('keyCompromise')(world)).toEqual({ revoked: ['0a02', '0a03'], renew: false });
  });

  test('also revokes a certificate that a renewal has stored with it since the request', async () => {
    const world = await renewed();
    const later = await again(current, '0a04');
    const to = await world.secrets.putCertificate('www', 'https://ca.test/order/9', later);
    await world.secrets.makeCurrent('www', { from: world.versionId, to });
    expect(await revoke('keyCompromise')(world)).toEqual({ revoked: ['0a04', '0a02', '0a03'], renew: true });
    expect(world.acme.revocations[0]).toEqual({ certificate: later.certificate, reason: 1, by: 'key' });
  });

  test('has revoked each certificate once in a run after an interruption at any call', async () => {
    await interruptedAfterEachCall(renewed, revoke('keyCompromise'), (world, output) => {
      expect(output.renew).toBe(true);
      expect(world.acme.revocations.map(({ certificate }) => certificate)).toEqual([
        current.certificate,
        previous.certificate,
      ]);
    });
  });
});

describe('a certificate with a compromised key that was issued and not stored', () => {
  const order = 'https://ca.test/order/1';

  /** Creates the world of `renewed`, with an order for the key `privateKey` that the CA has finalized. */
  async function issued(privateKey = current.privateKey): Promise<World & { readonly versionId: string }> {
    const world = await renewed();
    world.ca.alreadyValid.add('example.com');
    const { url, finalize, expires } = await world.ca.newOrder({ identifiers, profile: null });
    expect(url).toBe(order);
    await world.secrets.stageKey('www', atCa(url), current.privateKey);
    await world.ca.finalize({ url, finalize, expires }, identifiers, privateKey);
    return world;
  }
  const revokedByKey = ({ acme }: World) => acme.revocations.filter(({ by }) => by === 'key');

  test('is downloaded from the CA and revoked', async () => {
    const world = await issued();
    const { revoked } = await revoke('keyCompromise')(world);
    expect(revoked).toHaveLength(3);
    const { pem } = await world.ca.certificate(`${order}/certificate`);
    expect(pem.startsWith(revokedByKey(world)[2]?.certificate ?? 'none')).toBe(true);
  });

  test('is left if it has another key or has expired', async () => {
    expect((await revoke('keyCompromise')(await issued(other.privateKey))).revoked).toEqual(['0a03', '0a02']);
    const later = await issued();
    later.clock.advance(95 * 86_400_000);
    expect((await revoke('keyCompromise')(later)).revoked).toEqual([]);
  });

  test('is revoked if its end of validity is not a time', async () => {
    const world = await issued();
    const { pem } = await world.ca.certificate(`${order}/certificate`);
    const [leaf = ''] = pem.split(/(?<=-----END CERTIFICATE-----\n)/);
    world.ca.certificate = async () => ({ pem: withoutEnd(leaf), alternates: [] });
    expect((await revoke('keyCompromise')(world)).revoked).toHaveLength(3);
  });

  test('may follow while its order is ready, and not while the order is pending or invalid', async () => {
    const world = await renewed();
    world.ca.alreadyValid.add('example.com');
    const { url } = await world.ca.newOrder({ identifiers, profile: null });
    await world.secrets.stageKey('www', atCa(url), current.privateKey);
    for (const [status, mayFollow] of [
      ['ready', true],
      ['pending', undefined],
      ['invalid', undefined],
    ] as const) {
      world.ca.state(url).status = status;
      expect((await revoke('keyCompromise')(world)).mayFollow, status).toBe(mayFollow);
    }
  });

  test('is left if the revocation has another reason', async () => {
    expect(await revoke('superseded')(await issued())).toEqual({ revoked: ['0a03'], renew: true });
  });

  test('fails the revocation while the CA issues it, after the other certificates were revoked', async () => {
    const world = await renewed();
    world.ca.issuance = 'later';
    world.ca.alreadyValid.add('example.com');
    const { url, finalize, expires } = await world.ca.newOrder({ identifiers, profile: null });
    await world.secrets.stageKey('www', atCa(url), current.privateKey);
    await world.ca.finalize({ url, finalize, expires }, identifiers, current.privateKey);
    await expect(revoke('keyCompromise')(world)).rejects.toThrow(RenewalsInProgressError);
    expect(revokedByKey(world)).toHaveLength(2);
    world.ca.finish(url);
    await revoke('keyCompromise')(world);
    expect(revokedByKey(world)).toHaveLength(3);
  });

  test.each<[string, Error]>([
    ['does not know the order', new MalformedError({ what: 'No such order.' })],
    ['gives the order to another account', new UnauthorizedError({ what: 'Not yours.' })],
  ])('fails the revocation with the order if the CA %s', async (_, error) => {
    const world = await issued();
    world.calls.answer('ca.order', error);
    await expect(revoke('keyCompromise')(world)).rejects.toMatchObject({
      name: 'UnrevokedCertificateError',
      message: expect.stringContaining(error.message),
      fields: { order },
    });
    expect(revokedByKey(world)).toHaveLength(2);
  });

  test('fails the revocation with the order if the account is not stored', async () => {
    const world = await issued();
    world.accounts.put(issuer.directoryUrl, { privateKey: 'account key', url: null, version: '2' });
    await expect(revoke('keyCompromise')(world)).rejects.toMatchObject({
      name: 'UnrevokedCertificateError',
      message: expect.not.stringContaining('Start the renewal again'),
    });
  });

  test('sends no request for an order whose certificate has expired in any case', async () => {
    const world = await issued();
    world.clock.advance(130 * 86_400_000);
    world.calls.answer('ca.order', new MalformedError({ what: 'No such order.' }));
    expect((await revoke('keyCompromise')(world)).revoked).toEqual([]);
  });

  test('sends no request for an order with another key', async () => {
    const world = await renewed();
    await world.secrets.stageKey('www', atCa('https://ca.test/unknown'), other.privateKey);
    expect((await revoke('keyCompromise')(world)).revoked).toEqual(['0a03', '0a02']);
    expect(world.calls.names('ca.')).toEqual([]);
  });
});

describe.each([
  ['unspecified', 0, true],
  ['superseded', 4, true],
  ['cessationOfOperation', 5, false],
] as const)('for the reason %s', (reason, code, renew) => {
  test('only the named certificate is revoked, and the account signs', async () => {
    const world = await renewed();
    expect(await revoke(reason)(world)).toEqual({ revoked: ['0a03'], renew });
    expect(world.acme.revocations).toEqual([{ certificate: current.certificate, reason: code, by: 'account' }]);
  });

  test(`a renewal is ${renew ? '' : 'not '}due until the certificate is replaced`, async () => {
    const world = await renewed();
    world.ledger.put('www', { current: factsWith({ versionId: world.versionId }) });
    await revoke(reason)(world);
    expect(world.ledger.get('www').revokedVersion).toBe(renew ? world.versionId : undefined);
  });
});

test('throws AccountDoesNotExistError with the reason that needs no account', async () => {
  const world = await renewed();
  world.accounts.put(issuer.directoryUrl, { privateKey: 'account key', url: null, version: '2' });
  const revoking = revoke('superseded')(world);
  await expect(revoking).rejects.toThrow(AccountDoesNotExistError);
  await expect(revoking).rejects.toThrow('keyCompromise');
});

test('throws UnreadableSecretError for a version that no longer exists, and revokes nothing', async () => {
  const world = { ...(await renewed()), versionId: 'version-0' };
  await expect(revoke('keyCompromise')(world)).rejects.toThrow(UnreadableSecretError);
  expect(world.acme.revocations).toEqual([]);
});

test('returns no private key and no PEM block', async () => {
  expect(JSON.stringify(await revoke('keyCompromise')(await renewed()))).not.toMatch(/BEGIN|PRIVATE/);
});
