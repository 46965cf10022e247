import { beforeAll, describe, expect, test } from 'vitest';
import { revokeCertificate } from '../../../lambdas/certificate/revoke-certificate.ts';
import type { CertificateSecretValue } from '../../../lambdas/domain/contract/certificate-secret.ts';
import {
  AccountDoesNotExistError,
  CaUnavailableError,
  UnreadableSecretError,
} from '../../../lambdas/domain/contract/errors.ts';
import type { RevocationReason } from '../../../lambdas/domain/contract/revocation-reason.ts';
import { authorities, secretValue } from '../../fakes/certificate-authority.ts';
import { makeLeaf } from '../../fakes/certificates.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { factsWith, issuer, run, specWith } from '../../fakes/specs.ts';
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

/** Another certificate on the same key. */
async function again(value: CertificateSecretValue, serialNumber: string): Promise<CertificateSecretValue> {
  const { intermediate } = await authorities();
  const certificate = await makeLeaf(intermediate, { identifiers, privateKey: value.privateKey, serialNumber });
  return { ...value, certificate, serialNumber };
}

/** Four certificates, three of them on one key; the last is current. The set's issue cap is reached. */
async function renewed(): Promise<World & { readonly versionId: string }> {
  const world = createWorld();
  const { secrets, ledger } = world;
  secrets.put('www');
  let versionId = '';
  for (const [index, value] of [expired, other, previous, current].entries()) {
    const order = `https://ca.test/order/${index}`;
    await secrets.stageKey('www', order, 'staged');
    versionId = await secrets.putCertificate('www', order, value);
    await secrets.makeCurrent('www', versionId);
  }
  for (const order of ['1', '2']) await ledger.countIssue(spec.setHash, order, world.clock.now());
  const url = await world.acme.newAccount(issuer, 'account key');
  world.accounts.put(issuer.directoryUrl, { privateKey: 'account key', url, version: '1' });
  return { ...world, versionId };
}

const revoke = (reason: RevocationReason) => (world: World & { readonly versionId: string }) =>
  revokeCertificate(
    { ...run, spec, versionId: world.versionId, reason },
    { ...world.ports, versions: world.ports.secrets },
  );

describe('a compromised key', () => {
  test('takes every unexpired certificate on it along, signed with the key itself', async () => {
    const world = await renewed();
    expect(await revoke('keyCompromise')(world)).toEqual({ revoked: ['0a02', '0a03'], renew: true });
    expect(world.acme.revocations).toEqual([
      { certificate: current.certificate, reason: 1, by: 'key' },
      { certificate: previous.certificate, reason: 1, by: 'key' },
    ]);
  });

  test('takes the one in use first, and the others along although one CA refuses; that comes up at the end', async () => {
    const world = await renewed();
    world.calls.answer('acme.revoke', new CaUnavailableError({ what: 'down' }));
    await expect(revoke('keyCompromise')(world)).rejects.toThrow('down');
    expect(world.acme.revocations.map(({ certificate }) => certificate)).toEqual([previous.certificate]);
  });

  test('is marked, so that it is not used for the next certificate', async () => {
    const world = await renewed();
    expect((await world.secrets.readCurrent('www')).compromised).toBe(false);
    await revoke('keyCompromise')(world);
    expect((await world.secrets.readCurrent('www')).compromised).toBe(true);
  });

  test('is marked before the CA is asked, which may take long to answer', async () => {
    const world = await renewed();
    world.calls.answer('acme.revoke', new CaUnavailableError({ what: 'down' }));
    await expect(revoke('keyCompromise')(world)).rejects.toThrow(CaUnavailableError);
    expect((await world.secrets.readCurrent('www')).compromised).toBe(true);
  });

  test('is due until another certificate is current, also where the CA does not answer', async () => {
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

  test('lets the next certificate pass the issue cap', async () => {
    const world = await renewed();
    const before = Object.keys(await world.ledger.issues(spec.setHash, world.clock.now()));
    await revoke('keyCompromise')(world);
    const after = Object.keys(await world.ledger.issues(spec.setHash, world.clock.now()));
    expect(after.length).toBeLessThan(before.length);
  });

  test('that was replaced already is revoked, and nothing is issued again', async () => {
    const world = await renewed();
    const order = 'https://ca.test/order/9';
    await world.secrets.makeCurrent('www', await world.secrets.putCertificate('www', order, other));
    expect(await revoke('keyCompromise')(world)).toEqual({ revoked: ['0a02', '0a03'], renew: false });
    expect((await world.secrets.readCurrent('www')).compromised).toBe(false);
  });

  test('dying after any call and run again, has revoked each certificate once', async () => {
    await interruptedAfterEachCall(renewed, revoke('keyCompromise'), (world, output) => {
      expect(output.renew).toBe(true);
      expect(world.acme.revocations.map(({ certificate }) => certificate)).toEqual([
        current.certificate,
        previous.certificate,
      ]);
    });
  });
});

describe.each([
  ['unspecified', 0, true],
  ['superseded', 4, true],
  ['cessationOfOperation', 5, false],
] as const)('for the reason %s', (reason, code, renew) => {
  test('the named certificate only is revoked, signed by the account', async () => {
    const world = await renewed();
    expect(await revoke(reason)(world)).toEqual({ revoked: ['0a03'], renew });
    expect(world.acme.revocations).toEqual([{ certificate: current.certificate, reason: code, by: 'account' }]);
    expect((await world.secrets.readCurrent('www')).compromised).toBe(false);
  });

  test(`${renew ? 'is due' : 'nothing is due'} from then on, whatever becomes of the run that is to replace it`, async () => {
    const world = await renewed();
    world.ledger.put('www', { current: factsWith({ versionId: world.versionId }) });
    await revoke(reason)(world);
    expect(world.ledger.get('www').revokedVersion).toBe(renew ? world.versionId : undefined);
  });
});

test('without the account that ordered it, the message says which reason needs none', async () => {
  const world = await renewed();
  world.accounts.put(issuer.directoryUrl, { privateKey: 'account key', url: null, version: '2' });
  const revoking = revoke('superseded')(world);
  await expect(revoking).rejects.toThrow(AccountDoesNotExistError);
  await expect(revoking).rejects.toThrow('keyCompromise');
});

test('a version that is gone is named, and nothing is revoked', async () => {
  const world = { ...(await renewed()), versionId: 'version-0' };
  await expect(revoke('keyCompromise')(world)).rejects.toThrow(UnreadableSecretError);
  expect(world.acme.revocations).toEqual([]);
});

test('no key and no PEM is in what it returns', async () => {
  expect(JSON.stringify(await revoke('keyCompromise')(await renewed()))).not.toMatch(/BEGIN|PRIVATE/);
});
