import { beforeAll, describe, expect, test } from 'vitest';
import { importCertificate } from '../../../lambdas/delivery/import-certificate.ts';
import { AccessDeniedError, ImportLimitError, LeaseLostError, ThrottledError } from '../../../lambdas/rules/errors.ts';
import type { CertificateSecretValue } from '../../../lambdas/rules/ports.ts';
import { secretValue } from '../../fakes/certificate-authority.ts';
import { dyingAfterEachCall } from '../../fakes/recorder.ts';
import { execution, factsWith, otherExecution, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const region = 'us-east-1';
const current = factsWith({ versionId: 'version-2' });

let older: CertificateSecretValue;
let newer: CertificateSecretValue;
let larger: CertificateSecretValue;
beforeAll(async () => {
  older = await secretValue({ identifiers: ['example.com'], serialNumber: '0a01' });
  newer = await secretValue({ identifiers: ['example.com'], serialNumber: '0a02' });
  larger = await secretValue({ identifiers: ['example.com'], serialNumber: '0a03', keyType: 'P-384' });
});

/** Stored, not yet imported. */
function stored(value = newer): World {
  const world = createWorld();
  world.acm.addRegion(region);
  world.ledger.put('www', { lease: execution });
  world.secrets.put('www', { current: { versionId: 'version-2', value } });
  return world;
}

/** Stored, with the version before it in ACM and in the ledger. */
async function delivered(value = newer): Promise<World & { readonly arn: string }> {
  const world = stored(value);
  const imported = await world.acm.import(region, 'www', older, null);
  const arn = typeof imported === 'object' ? imported.arn : '';
  world.ledger.put('www', { deliveries: { [region]: { arn, versionId: 'version-1', keyType: 'P-256' } } });
  return { ...world, arn };
}

const deliver = ({ ports }: World) => importCertificate({ ...run, spec: specWith(), region, current }, ports);

describe('a first import', () => {
  test('makes an ARN, leaf and chain apart, and tells the ledger', async () => {
    const world = stored();
    const { arn, replaces } = await deliver(world);
    expect(replaces).toBeNull();
    expect(world.acm.get(region, arn)).toMatchObject({ serialNumber: '0a02', chainLength: 1, tag: 'www' });
    expect(world.ledger.get('www').deliveries).toEqual({
      [region]: { arn, versionId: 'version-2', keyType: 'P-256' },
    });
  });

  test('whose reply was lost is found again by its tags', async () => {
    const world = stored();
    world.calls.loseReply('acm.import', new ThrottledError('Slow down.'));
    await expect(deliver(world)).rejects.toThrow(ThrottledError);
    const { arn } = await deliver(world);
    expect(world.acm.arns(region)).toEqual([arn]);
  });

  test.each([new AccessDeniedError('IAM refuses.'), new ImportLimitError('The quota is used up.')])(
    'that ACM refuses (%s) leaves the delivery open for the next run',
    async (error) => {
      const world = stored();
      world.calls.answer('acm.import', error);
      await expect(deliver(world)).rejects.toBe(error);
      expect(world.ledger.get('www').deliveries).toEqual({});
    },
  );
});

describe('the next import', () => {
  test('keeps the ARN that consumers hold', async () => {
    const world = await delivered();
    expect(await deliver(world)).toEqual({ region, arn: world.arn, replaces: null });
    expect(world.acm.get(region, world.arn).serialNumber).toBe('0a02');
    expect(world.acm.arns(region)).toEqual([world.arn]);
  });

  test('gets a new ARN after a change of key type, says which it replaces and leaves that alone', async () => {
    const world = await delivered(larger);
    const { arn, replaces } = await deliver(world);
    expect(replaces).toBe(world.arn);
    expect(world.acm.get(region, world.arn).serialNumber).toBe('0a01');
    expect(world.acm.get(region, arn)).toMatchObject({ serialNumber: '0a03', keyType: 'P-384' });
  });

  test('gets a new ARN where ACM finds that the key changed although the ledger did not', async () => {
    const world = await delivered(larger);
    world.ledger.put('www', {
      deliveries: { [region]: { arn: world.arn, versionId: 'version-1', keyType: 'P-384' } },
    });
    expect(await deliver(world)).toMatchObject({ replaces: world.arn });
    expect(world.acm.arns(region)).toHaveLength(2);
  });

  test('gets a new ARN when somebody deleted the old one', async () => {
    const world = await delivered();
    world.acm.delete(region, world.arn);
    const { arn, replaces } = await deliver(world);
    expect(replaces).toBe(world.arn);
    expect(world.acm.arns(region)).toEqual([arn]);
  });

  test('that follows a deletion and lost its reply makes no second one', async () => {
    const world = await delivered();
    world.acm.delete(region, world.arn);
    // The import over the deleted ARN is answered; the one that makes a new ARN is not.
    world.calls.meanwhile('acm.import', () => world.calls.loseReply('acm.import', new ThrottledError('Slow down.')));
    await expect(deliver(world)).rejects.toThrow(ThrottledError);
    const { arn } = await deliver(world);
    expect(world.acm.arns(region)).toEqual([arn]);
  });

  test('delivers what is current by now, and the ledger knows which version that was', async () => {
    const world = await delivered();
    const newest = { versionId: 'version-3', value: older };
    world.secrets.put('www', { current: newest });
    await deliver(world);
    expect(world.ledger.get('www').deliveries[region]?.versionId).toBe('version-3');
  });
});

test('a version that is there needs neither the secret nor ACM', async () => {
  const world = await delivered();
  await deliver(world);
  const before = world.calls.made.length;
  expect(await deliver(world)).toEqual({ region, arn: world.arn, replaces: null });
  expect(world.calls.made.slice(before).map(({ name }) => name)).toEqual(['ledger.certificate']);
});

test('an import of another certificate with the same name is not taken for ours', async () => {
  const world = stored();
  await world.acm.import(region, 'another', older, null);
  const { arn } = await deliver(world);
  expect(world.acm.get(region, arn).tag).toBe('www');
  expect(world.acm.arns(region)).toHaveLength(2);
});

test('no key gets out of the secret but to ACM', async () => {
  const world = stored();
  const output = await deliver(world);
  expect(JSON.stringify([output, world.ledger.get('www')])).not.toMatch(/BEGIN|PRIVATE/);
});

test('an execution that lost its lease does not claim the delivery', async () => {
  const world = stored();
  world.ledger.put('www', { lease: otherExecution });
  await expect(deliver(world)).rejects.toThrow(LeaseLostError);
  expect(world.ledger.get('www').deliveries).toEqual({});
});

test.each([
  ['at first', () => stored(), 1],
  ['over an ARN', () => delivered(), 1],
  ['after a change of key type', () => delivered(larger), 2],
])('it may die after any call %s: one import, and the ledger has it', async (_, create, imports) => {
  await dyingAfterEachCall<World, Awaited<ReturnType<typeof deliver>>>(create, deliver, (world, { arn }, last) => {
    expect(world.acm.arns(region), last).toHaveLength(imports);
    expect(world.ledger.get('www').deliveries[region], last).toMatchObject({ arn, versionId: 'version-2' });
  });
});
