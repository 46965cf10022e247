import { beforeAll, expect, test } from 'vitest';
import { factsOf } from '../../../lambdas/certificate/facts-from-secret.ts';
import { readCertificate } from '../../../lambdas/certificate/read-certificate.ts';
import type { CertificateSecretValue } from '../../../lambdas/domain/contract/certificate-secret.ts';
import { LeaseLostError, UnreadableSecretError } from '../../../lambdas/domain/contract/errors.ts';
import { secretValue } from '../../fakes/certificate-authority.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, factsWith, otherExecution, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

let value: CertificateSecretValue;
beforeAll(async () => {
  value = await secretValue({ identifiers: ['example.com'] });
});

/** AWSCURRENT has moved, and the execution that moved it died before it told the ledger. */
function ahead(): World {
  const world = createWorld();
  world.ledger.put('www', { lease: execution, current: factsWith({ versionId: 'version-1' }) });
  world.secrets.put('www', { current: { versionId: 'version-2', value } });
  return world;
}

const read = ({ ports }: World) => readCertificate({ ...run, spec: specWith() }, ports);

test('the ledger learns what the secret holds', async () => {
  const world = ahead();
  const { current } = await read(world);
  expect(current).toMatchObject({
    versionId: 'version-2',
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

test('no key and no PEM gets out of the secret', async () => {
  expect(JSON.stringify([await read(ahead()), factsOf(value)])).not.toMatch(/BEGIN|PRIVATE/);
});

test('a secret that is not of our format is named, and the ledger keeps what it knew', async () => {
  const world = ahead();
  world.secrets.put('www', { current: { versionId: 'version-2', value: 'somebody typed this' } });
  await expect(read(world)).rejects.toThrow(UnreadableSecretError);
  expect(world.ledger.get('www').current?.versionId).toBe('version-1');
});

test('an execution that lost its lease tells the ledger nothing', async () => {
  const world = ahead();
  world.ledger.put('www', { lease: otherExecution });
  await expect(read(world)).rejects.toThrow(LeaseLostError);
  expect(world.ledger.get('www').current?.versionId).toBe('version-1');
});

test('run twice, it reads the same', async () => {
  const world = ahead();
  const first = await read(world);
  expect(await read(world)).toEqual(first);
});

test('it may die after any call', async () => {
  await interruptedAfterEachCall(ahead, read, (world, { current }, last) => {
    expect(world.ledger.get('www').current, last).toEqual(current);
  });
});
