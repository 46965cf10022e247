import { beforeAll, describe, expect, test } from 'vitest';
import { importCertificate } from '../../../lambdas/delivery/import-certificate.ts';
import type { CertificateSecretValue } from '../../../lambdas/domain/contract/certificate-secret.ts';
import type { KeyType } from '../../../lambdas/domain/contract/config.ts';
import {
  ImportLimitError,
  ImportRefusedError,
  LeaseLostError,
  ThrottledError,
} from '../../../lambdas/domain/contract/errors.ts';
import { deniedError, throttledError } from '../../fakes/aws-errors.ts';
import { authorities, secretValue } from '../../fakes/certificate-authority.ts';
import { makeAuthority, makeLeaf, makePrivateKey, pemOf } from '../../fakes/certificates.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { deliveryWith, execution, factsWith, otherExecution, run, specWith, storedVersion } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const region = 'us-east-1';
const current = factsWith({ versionId: 'version-2' });

let older: CertificateSecretValue;
let newer: CertificateSecretValue;
let larger: CertificateSecretValue;
let renamed: CertificateSecretValue;
beforeAll(async () => {
  older = await secretValue({ identifiers: ['example.com'], serialNumber: '0a01' });
  newer = await secretValue({ identifiers: ['example.com'], serialNumber: '0a02' });
  larger = await secretValue({ identifiers: ['example.com'], serialNumber: '0a03', keyType: 'P-384' });
  renamed = await secretValue({ identifiers: ['new.example', 'www.new.example'], serialNumber: '0a05' });
});

/** Creates a world with a stored certificate that is not imported. */
function stored(value = newer): World {
  const world = createWorld();
  world.acm.addRegion(region);
  world.ledger.put('www', { lease: execution });
  world.secrets.put('www', { current: { versionId: 'version-2', value } });
  return world;
}

/** Creates a world with a stored certificate whose previous version is in ACM and in the ledger. */
async function delivered(value = newer): Promise<World & { readonly arn: string }> {
  const world = stored(value);
  const imported = await world.acm.import(region, 'www', older, null);
  const arn = typeof imported === 'object' ? imported.arn : '';
  world.ledger.put('www', { deliveries: { [region]: deliveryWith({ arn }) } });
  return { ...world, arn };
}

const deliver = ({ ports }: World) => importCertificate({ ...run, spec: specWith(), region, current }, ports);

describe('the first import', () => {
  test('creates an ARN from leaf and chain, and records it in the ledger', async () => {
    const world = stored();
    const { arn, replaces } = await deliver(world);
    expect(replaces).toBeNull();
    expect(world.acm.get(region, arn)).toMatchObject({ serialNumber: '0a02', chainLength: 1, tag: 'www' });
    expect(world.ledger.get('www').deliveries).toEqual({
      [region]: {
        arn,
        versionId: 'version-2',
        keyType: 'P-256',
        notBefore: newer.notBefore,
        notAfter: newer.notAfter,
      },
    });
  });

  test('is found by its tags if its reply was lost', async () => {
    const world = stored();
    world.calls.loseReply('acm.import', throttledError());
    await expect(deliver(world)).rejects.toThrow(ThrottledError);
    const { arn } = await deliver(world);
    expect(world.acm.arns(region)).toEqual([arn]);
  });

  test('uses an ARN that already has the tags of this certificate', async () => {
    const world = stored();
    const imported = await world.acm.import(region, 'www', older, null);
    const { arn } = await deliver(world);
    expect({ arn }).toEqual(imported);
    expect(world.acm.get(region, arn).serialNumber).toBe('0a02');
    expect(world.log.messages('warn')).toEqual([]);
  });

  test('creates a new ARN beside one with another tag, and a warning names that ARN, its tag and the expected value', async () => {
    const world = stored();
    const imported = await world.acm.of('Perennial-2').import(region, 'www', older, null);
    const similar = typeof imported === 'object' ? imported.arn : '';
    const { arn } = await deliver(world);
    expect(arn).not.toBe(similar);
    expect(world.log.messages('warn')).toEqual([expect.stringContaining(similar)]);
    expect(world.log.messages('warn')[0]).toMatch(/perennial:stack.*"Perennial-2".*"Perennial"/);
    await deliver(world);
    expect(world.log.messages('warn')).toHaveLength(1);
  });

  test.each([
    deniedError('IAM refuses.'),
    new ImportLimitError({ what: 'The quota is used up.', region: 'eu-west-1' }),
  ])('leaves the delivery to the next run if it fails with %s', async (error) => {
    const world = stored();
    world.calls.answer('acm.import', error);
    await expect(deliver(world)).rejects.toBe(error);
    expect(world.ledger.get('www').deliveries).toEqual({});
  });
});

describe('the next import', () => {
  test('keeps the ARN that consumers use', async () => {
    const world = await delivered();
    expect(await deliver(world)).toEqual({
      region,
      arn: world.arn,
      replaces: null,
      action: null,
      imported: true,
      tagged: false,
    });
    expect(world.acm.get(region, world.arn).serialNumber).toBe('0a02');
    expect(world.acm.arns(region)).toEqual([world.arn]);
  });

  test('gets a new ARN after a change of key type, with an action, and keeps the old one unchanged', async () => {
    const world = await delivered(larger);
    const { arn, replaces, action } = await deliver(world);
    expect(replaces).toBe(world.arn);
    expect(action).toContain(`Replace ${world.arn} by ${arn} wherever it is used.`);
    expect(action).toContain('key type or size has changed');
    expect(action).toContain('is not renewed');
    expect(world.acm.get(region, world.arn).serialNumber).toBe('0a01');
    expect(world.acm.get(region, arn)).toMatchObject({ serialNumber: '0a03', keyType: 'P-384' });
  });

  test('gets a new ARN if ACM rejects the changed key although the ledger has the same key type', async () => {
    const world = await delivered(larger);
    world.ledger.put('www', {
      deliveries: { [region]: deliveryWith({ arn: world.arn, keyType: 'P-384' }) },
    });
    expect(await deliver(world)).toMatchObject({ replaces: world.arn });
    expect(world.acm.arns(region)).toHaveLength(2);
  });

  test('gets a new ARN if none of the old names is left', async () => {
    const world = await delivered(renamed);
    const { arn, replaces, action } = await deliver(world);
    expect(replaces).toBe(world.arn);
    expect(action).toContain(`Replace ${world.arn} by ${arn} wherever it is used.`);
    expect(action).toContain('none of the old names');
    expect(action).toContain('is not renewed');
    expect(world.acm.get(region, world.arn).serialNumber).toBe('0a01');
    expect(world.acm.get(region, arn)).toMatchObject({ serialNumber: '0a05', names: renamed.identifiers });
  });

  test('keeps the ARN if one of the old names is left', async () => {
    const value = await secretValue({ identifiers: ['new.example', 'example.com'], serialNumber: '0a05' });
    const world = await delivered(value);
    expect(await deliver(world)).toMatchObject({ arn: world.arn, replaces: null, action: null });
  });

  test('gets a new ARN if the CA has left out a key usage', async () => {
    const world = await delivered();
    const { intermediate } = await authorities();
    const certificate = await makeLeaf(intermediate, {
      identifiers: ['example.com'],
      privateKey: older.privateKey,
      extendedKeyUsages: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.4'],
    });
    await world.acm.import(region, 'www', { ...older, certificate }, world.arn);
    const { arn, replaces, action } = await deliver(world);
    expect(replaces).toBe(world.arn);
    expect(action).toContain(`Replace ${world.arn} by ${arn} wherever it is used.`);
    expect(action).toContain('lacks a key usage');
    expect(action).toContain('is not renewed');
  });

  test('gets a new ARN if the old one was deleted by hand', async () => {
    const world = await delivered();
    world.acm.delete(region, world.arn);
    const { arn, replaces, action } = await deliver(world);
    expect(replaces).toBe(world.arn);
    expect(action).toContain(`Use ${arn} wherever ${world.arn} was used. The old ARN was deleted from ACM`);
    expect(world.acm.arns(region)).toEqual([arn]);
  });

  test('creates one new ARN if it follows a deletion and its reply was lost', async () => {
    const world = await delivered();
    world.acm.delete(region, world.arn);
    // The reply to the import over the deleted ARN arrives. The reply to the import with a new ARN is lost.
    world.calls.meanwhile('acm.import', () => world.calls.loseReply('acm.import', throttledError()));
    await expect(deliver(world)).rejects.toThrow(ThrottledError);
    const { arn } = await deliver(world);
    expect(world.acm.arns(region)).toEqual([arn]);
  });

  test('delivers the version that is current now, and records that version', async () => {
    const world = await delivered();
    const newest = { versionId: storedVersion('newest'), value: older };
    world.secrets.put('www', { current: newest });
    await deliver(world);
    expect(world.ledger.get('www').deliveries[region]?.versionId).toBe(newest.versionId);
  });
});

test('does not import a value that another writer has stored in the meantime', async () => {
  const world = await delivered();
  const versionId = 'c0c4a4e5-8f0e-4b1e-9a5e-0d0e6b0f6c11';
  world.secrets.put('www', { current: { versionId, value: older } });
  await expect(deliver(world)).rejects.toThrow(
    `AWSCURRENT is now version ${versionId}, which this stack did not store.`,
  );
  expect(world.acm.get(region, world.arn).serialNumber).toBe('0a01');
  expect(world.ledger.get('www').deliveries[region]?.versionId).toBe('version-1');
});

test('imports the current version again under a new ARN after the comparison found the import deleted', async () => {
  const world = await delivered();
  await deliver(world);
  const { [region]: delivery = deliveryWith() } = world.ledger.get('www').deliveries;
  world.acm.delete(region, world.arn);
  world.ledger.put('www', { deliveries: { [region]: { ...delivery, found: null } } });
  const { arn, imported, replaces } = await deliver(world);
  expect({ imported, replaces }).toEqual({ imported: true, replaces: world.arn });
  expect(world.acm.arns(region)).toEqual([arn]);
  expect(world.ledger.get('www').deliveries[region]).not.toHaveProperty('found');
});

test('does not import a newer version again that another run has delivered', async () => {
  const world = await delivered(larger);
  const first = await deliver(world);
  const before = world.calls.made.length;
  const late = factsWith({ versionId: 'version-1b' });
  const output = await importCertificate({ ...run, spec: specWith(), region, current: late }, world.ports);
  expect(output).toEqual({ ...first, imported: false });
  expect(world.calls.made.slice(before).map(({ name }) => name)).toEqual(['ledger.certificate', 'secrets.readCurrent']);
});

describe('the action for a new ARN', () => {
  const repeated = { replaces: expect.any(String), action: expect.any(String), imported: false };

  test.each([
    ['a change of key type', () => delivered(larger)],
    ['a change of all names', () => delivered(renamed)],
    [
      'a deletion by hand',
      async () => {
        const world = await delivered();
        world.acm.delete(region, world.arn);
        return world;
      },
    ],
  ])(
    'is returned again by the next run after %s, because the run that imported may have failed later',
    async (_, create) => {
      const world = await create();
      const first = await deliver(world);
      expect(first).toMatchObject({ replaces: world.arn, action: expect.stringContaining(first.arn), imported: true });
      expect(await deliver(world)).toEqual({ ...first, ...repeated, replaces: first.replaces, action: first.action });
    },
  );

  test('is not returned by the next renewal, which keeps the new ARN', async () => {
    const world = await delivered(larger);
    const { arn } = await deliver(world);
    const value = await secretValue({ identifiers: ['example.com'], serialNumber: '0a04', keyType: 'P-384' });
    world.secrets.put('www', { current: { versionId: 'version-3', value } });
    const renewed = factsWith({ versionId: 'version-3' });
    const output = await importCertificate({ ...run, spec: specWith(), region, current: renewed }, world.ports);
    expect(output).toEqual({ region, arn, replaces: null, action: null, imported: true, tagged: false });
    expect(world.acm.get(region, world.arn).serialNumber).toBe('0a01');
  });

  test('replaces the newer ARN by the old one after the key type has changed back', async () => {
    const world = await delivered(larger);
    const { arn } = await deliver(world);
    world.secrets.put('www', { current: { versionId: 'version-3', value: newer } });
    const back = factsWith({ versionId: 'version-3' });
    const output = await importCertificate({ ...run, spec: specWith(), region, current: back }, world.ports);
    expect(output).toMatchObject({ arn: world.arn, replaces: arn });
    expect(output.action).toContain(`Replace ${arn} by ${world.arn}`);
    expect(world.acm.get(region, world.arn).serialNumber).toBe('0a02');
  });
});

describe('a key with another algorithm than that of the CA', () => {
  const signedBy = async (algorithm: 'RSA' | 'ECDSA', keyType: KeyType): Promise<World> => {
    const issuer = await makeAuthority({ name: 'Issuer', algorithm });
    const privateKey = makePrivateKey(keyType);
    const certificate = await makeLeaf(issuer, { identifiers: ['example.com'], privateKey });
    return stored({ ...newer, certificate, privateKey, keyType, chain: pemOf(issuer.certificate) });
  };

  test.each([
    ['RSA', 'P-256', 'RSA-2048'],
    ['RSA', 'P-384', 'RSA-2048'],
    ['ECDSA', 'RSA-2048', 'P-256'],
  ] as const)('is rejected without a call to ACM if %s signed %s', async (algorithm, keyType, matching) => {
    const world = await signedBy(algorithm, keyType);
    await expect(deliver(world)).rejects.toThrow(ImportRefusedError);
    await expect(deliver(world)).rejects.toThrow(`is ${keyType}, but the CA signed it with ${algorithm}.`);
    await expect(deliver(world)).rejects.toThrow(`Set keyType to '${matching}'`);
    expect(world.calls.names('acm.')).toEqual([]);
    expect(world.ledger.get('www').deliveries).toEqual({});
  });

  test.each([
    ['RSA', 'RSA-2048'],
    ['ECDSA', 'P-384'],
  ] as const)('is not reported if %s signed %s', async (algorithm, keyType) => {
    const world = await signedBy(algorithm, keyType);
    const { arn } = await deliver(world);
    expect(world.acm.get(region, arn).keyType).toBe(keyType);
  });
});

test('the next run imports only into the two of three regions that failed', async () => {
  const world = stored();
  const regions = ['us-east-1', 'eu-west-1', 'ap-south-1'] as const;
  for (const each of regions) world.acm.addRegion(each);
  const into = (each: string) => importCertificate({ ...run, spec: specWith(), region: each, current }, world.ports);

  const fine = await into('us-east-1');
  world.calls.answer('acm.import', throttledError());
  await expect(into('eu-west-1')).rejects.toThrow(ThrottledError);
  world.calls.answer(
    'acm.import',
    new ImportLimitError({ what: '2,500 certificates are there.', region: 'eu-west-1' }),
  );
  await expect(into('ap-south-1')).rejects.toThrow(ImportLimitError);
  expect(Object.keys(world.ledger.get('www').deliveries)).toEqual(['us-east-1']);

  const before = world.calls.made.length;
  const outputs = await Promise.all(regions.map(into));
  expect(outputs.map(({ imported }) => imported)).toEqual([false, true, true]);
  expect(outputs[0]).toEqual({ ...fine, imported: false });
  const imports = world.calls.made.slice(before).filter(({ name }) => name === 'acm.import');
  expect(imports.map(({ args }) => args[0])).toEqual(['eu-west-1', 'ap-south-1']);
  for (const each of regions) expect(world.acm.arns(each)).toHaveLength(1);
});

test('reads neither the secret nor ACM for a version that is already delivered', async () => {
  const world = await delivered();
  await deliver(world);
  const before = world.calls.made.length;
  expect(await deliver(world)).toEqual({
    region,
    arn: world.arn,
    replaces: null,
    action: null,
    imported: false,
    tagged: false,
  });
  expect(world.calls.made.slice(before).map(({ name }) => name)).toEqual(['ledger.certificate']);
});

test('does not use the ARN of another certificate with the same domain name', async () => {
  const world = stored();
  await world.acm.import(region, 'another', older, null);
  const { arn } = await deliver(world);
  expect(world.acm.get(region, arn).tag).toBe('www');
  expect(world.acm.arns(region)).toHaveLength(2);
});

test('returns and records no private key', async () => {
  const world = stored();
  const output = await deliver(world);
  expect(JSON.stringify([output, world.ledger.get('www')])).not.toMatch(/BEGIN|PRIVATE/);
});

test('records no delivery if the execution has lost its lease', async () => {
  const world = stored();
  world.ledger.put('www', { lease: otherExecution });
  await expect(deliver(world)).rejects.toThrow(LeaseLostError);
  expect(world.ledger.get('www').deliveries).toEqual({});
});

test.each([
  ['of a first import', () => stored(), 1],
  ['of an import over an ARN', () => delivered(), 1],
  ['of an import with another key type', () => delivered(larger), 2],
  ['of an import with all names changed', () => delivered(renamed), 2],
])('can be interrupted after any call %s, which is made once', async (_, create, imports) => {
  await interruptedAfterEachCall<World, Awaited<ReturnType<typeof deliver>>>(
    create,
    deliver,
    (world, { arn, action }, last) => {
      expect(world.acm.arns(region), last).toHaveLength(imports);
      expect(action !== null, last).toBe(imports > 1);
      expect(world.ledger.get('www').deliveries[region], last).toMatchObject({ arn, versionId: 'version-2' });
    },
  );
});

describe('tags of the operator', () => {
  const tags = { team: 'web' };

  /** Creates a world in which the current version was imported with other tags. */
  async function tagged(
    before: Readonly<Record<string, string>>,
    now: Readonly<Record<string, string>>,
  ): Promise<World> {
    const world = createWorld({ tags: now });
    world.acm.addRegion(region);
    world.ledger.put('www', { lease: execution });
    world.secrets.put('www', { current: { versionId: 'version-2', value: newer } });
    world.acm.tags = before;
    await importCertificate({ ...run, spec: specWith(), region, current }, { ...world.ports, tags: before });
    world.acm.tags = now;
    return world;
  }
  const tagsIn = (world: World) => world.acm.get(region, world.acm.arns(region)[0] ?? '').tags;

  test('are set by the first import, so that the next run has nothing to do', async () => {
    const world = await tagged(tags, tags);
    const calls = world.calls.names().length;
    expect(await deliver(world)).toMatchObject({ imported: false, tagged: false });
    expect(tagsIn(world)).toEqual(tags);
    expect(world.calls.names().slice(calls)).toEqual(['ledger.certificate']);
  });

  test('are set on an import without importing again if they have changed, and a removed tag stays', async () => {
    const world = await tagged({ team: 'web', stage: 'test' }, { team: 'shop' });
    const calls = world.calls.names().length;
    expect(await deliver(world)).toMatchObject({ imported: false, tagged: true, replaces: null });
    expect(tagsIn(world)).toEqual({ team: 'shop', stage: 'test' });
    expect(world.calls.names().slice(calls)).toEqual(['ledger.certificate', 'acm.tag', 'ledger.recordDelivery']);
    expect(await deliver(world)).toMatchObject({ tagged: false });
  });

  test('are set by the run after an import over the same ARN', async () => {
    const world = await tagged({}, tags);
    const renewed = { ...current, versionId: 'version-3' };
    world.secrets.put('www', { current: { versionId: 'version-3', value: newer } });
    const again = () => importCertificate({ ...run, spec: specWith(), region, current: renewed }, world.ports);
    expect(await again()).toMatchObject({ imported: true, tagged: false });
    expect(await again()).toMatchObject({ imported: false, tagged: true });
    expect(tagsIn(world)).toEqual(tags);
  });

  test('that cannot be set because the import was deleted cause a new import', async () => {
    const world = await tagged({}, tags);
    const [arn = ''] = world.acm.arns(region);
    world.acm.delete(region, arn);
    expect(await deliver(world)).toMatchObject({ imported: true, replaces: arn });
    expect(tagsIn(world)).toEqual(tags);
  });

  test('are set again if the run was interrupted after any call', async () => {
    await interruptedAfterEachCall(
      () => tagged({}, tags),
      async (world) => deliver(world),
      async (world) => {
        expect(tagsIn(world)).toEqual(tags);
        expect(world.acm.arns(region)).toHaveLength(1);
      },
    );
  });
});
