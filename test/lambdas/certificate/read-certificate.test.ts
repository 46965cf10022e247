import { beforeAll, expect, test } from 'vitest';
import { factsOf } from '../../../lambdas/certificate/facts-from-secret.ts';
import { readCertificate } from '../../../lambdas/certificate/read-certificate.ts';
import type { CertificateSecretValue } from '../../../lambdas/domain/contract/certificate-secret.ts';
import { CompromisedKeyError, LeaseLostError, UnreadableSecretError } from '../../../lambdas/domain/contract/errors.ts';
import { secretValue } from '../../fakes/certificate-authority.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, factsWith, otherExecution, run, specWith, storedVersion } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const newer = storedVersion('newer');
let value: CertificateSecretValue;
beforeAll(async () => {
  value = await secretValue({ identifiers: ['example.com'] });
});

/** Creates a world in which an execution was interrupted after it moved AWSCURRENT and before it updated the ledger. */
function aheadOfLedger(): World {
  const world = createWorld();
  world.ledger.put('www', { lease: execution, current: factsWith({ versionId: 'version-1' }) });
  world.secrets.put('www', { current: { versionId: newer, value } });
  return world;
}

const read = ({ ports }: World) => readCertificate({ ...run, spec: specWith() }, ports);

test('records the facts of the current version of the secret in the ledger', async () => {
  const world = aheadOfLedger();
  const { current } = await read(world);
  expect(current).toMatchObject({
    versionId: newer,
    secretArn: world.secrets.arn('www'),
    identifiers: ['example.com'],
    serialNumber: value.serialNumber,
    notAfter: value.notAfter,
    keyType: 'P-256',
    orderUrl: null,
    execution,
  });
  expect(world.ledger.get('www').current).toEqual(current);
});

test('does not adopt a certificate that another writer has stored in the meantime', async () => {
  const world = aheadOfLedger();
  const versionId = 'c0c4a4e5-8f0e-4b1e-9a5e-0d0e6b0f6c11';
  world.secrets.put('www', { current: { versionId, value } });
  await expect(read(world)).rejects.toThrow(UnreadableSecretError);
  expect(world.ledger.get('www').current?.versionId).toBe('version-1');
});

test('makes a renewal due if an operator has made a version with a compromised key current', async () => {
  const world = aheadOfLedger();
  const older = await world.secrets.putCertificate('www', 'https://ca.test/order/1', value);
  await world.secrets.markCompromised('www', newer);
  world.secrets.restore('www', older);
  await expect(read(world)).rejects.toThrow(CompromisedKeyError);
  expect(world.ledger.get('www')).toMatchObject({ revokedVersion: older, current: { versionId: older } });
});

test('returns no private key and no PEM block', async () => {
  expect(JSON.stringify([await read(aheadOfLedger()), factsOf(value)])).not.toMatch(/BEGIN|PRIVATE/);
});

test('throws UnreadableSecretError for a secret with another format, and the ledger does not change', async () => {
  const world = aheadOfLedger();
  world.secrets.put('www', { current: { versionId: newer, value: 'text written by hand' } });
  await expect(read(world)).rejects.toThrow(UnreadableSecretError);
  expect(world.ledger.get('www').current?.versionId).toBe('version-1');
});

test('throws LeaseLostError if the lease was lost, and the ledger does not change', async () => {
  const world = aheadOfLedger();
  world.ledger.put('www', { lease: otherExecution });
  await expect(read(world)).rejects.toThrow(LeaseLostError);
  expect(world.ledger.get('www').current?.versionId).toBe('version-1');
});

test('returns the same in a second run', async () => {
  const world = aheadOfLedger();
  const first = await read(world);
  expect(await read(world)).toEqual(first);
});

test('updates the ledger in a run after an interruption at any call', async () => {
  await interruptedAfterEachCall(aheadOfLedger, read, (world, { current }, last) => {
    expect(world.ledger.get('www').current, last).toEqual(current);
  });
});
