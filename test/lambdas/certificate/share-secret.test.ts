import { beforeAll, describe, expect, test } from 'vitest';
import { readCertificate } from '../../../lambdas/certificate/read-certificate.ts';
import { shareSecret } from '../../../lambdas/certificate/share-secret.ts';
import type { CertificateSecretValue } from '../../../lambdas/domain/contract/certificate-secret.ts';
import { LeaseLostError, SecretAccessError } from '../../../lambdas/domain/contract/errors.ts';
import { tagsHash } from '../../../lambdas/domain/rules/certificate/resource-tags.ts';
import { isSharingOutdated } from '../../../lambdas/domain/rules/certificate/secret-sharing.ts';
import { secretValue } from '../../fakes/certificate-authority.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, factsWith, otherExecution, run, specWith, storedVersion } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const readers = ['arn:aws:iam::444455556666:role/web'];
const replicas = [{ region: 'eu-west-2', encryptionKey: null }];
const spec = specWith({ readers, replicas });
const versionId = storedVersion('stored');

let value: CertificateSecretValue;
beforeAll(async () => {
  value = await secretValue({ identifiers: ['example.com'] });
});

function stored(): World {
  const world = createWorld();
  world.ledger.put('www', { lease: execution });
  world.secrets.put('www', { current: { versionId, value } });
  return world;
}

const share = ({ ports }: World, of = spec) => shareSecret({ ...run, spec: of }, ports);
const read = ({ ports }: World, of = spec) => readCertificate({ ...run, spec: of }, ports);

describe('readers and replicas', () => {
  test('are set and recorded in the ledger', async () => {
    const world = stored();
    await share(world);
    expect(world.secrets.access('www')).toEqual({ readers, replicas });
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(false);
  });

  test('are not set again if the ledger has recorded them', async () => {
    const world = stored();
    await share(world);
    const before = world.calls.names().length;
    await share(world);
    expect(world.calls.names().slice(before)).toEqual(['ledger.certificate']);
  });

  test('are removed if they are no longer configured', async () => {
    const world = stored();
    await share(world);
    await share(world, specWith());
    expect(world.secrets.access('www')).toEqual({ readers: [], replicas: [] });
    expect(isSharingOutdated(specWith(), world.ledger.get('www'))).toBe(false);
  });

  test('are set by *Read certificate*', async () => {
    const world = stored();
    await read(world);
    expect(world.secrets.access('www')).toEqual({ readers, replicas });
  });

  test('do not fail *Read certificate* if they are rejected, and the error is logged', async () => {
    const world = stored();
    world.secrets.noSuchReader = readers[0] ?? '';
    expect(await read(world)).toMatchObject({ current: { versionId } });
    expect(world.ledger.get('www').current?.versionId).toBe(versionId);
    expect(world.log.messages('error')).toEqual([expect.stringContaining('role/web')]);
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(true);
  });

  test('fail *Share secret* if they are rejected, and the certificate in the ledger does not change', async () => {
    const world = stored();
    world.secrets.noSuchReader = readers[0] ?? '';
    const current = factsWith({ versionId: 'version-1', execution: otherExecution });
    world.ledger.put('www', { current });
    await expect(share(world)).rejects.toThrow(SecretAccessError);
    expect(world.ledger.get('www').current).toEqual(current);
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(true);
    world.secrets.noSuchReader = '';
    await share(world);
    expect(world.secrets.access('www')).toEqual({ readers, replicas });
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(false);
  });

  test('stay removed if another reader is rejected, even at the second attempt', async () => {
    const world = stored();
    const removed = 'arn:aws:iam::444455556666:role/former';
    await share(world, specWith({ readers: [removed, ...readers], replicas }));
    world.secrets.noSuchReader = 'arn:aws:iam::444455556666:role/nobody';
    const wanted = specWith({ readers: [...readers, world.secrets.noSuchReader], replicas });
    for (const _ of ['first', 'again']) {
      await expect(share(world, wanted)).rejects.toThrow(SecretAccessError);
      expect(world.secrets.access('www')).toEqual({ readers, replicas });
      expect(isSharingOutdated(wanted, world.ledger.get('www'))).toBe(true);
    }
  });

  test('are recorded in the ledger only after Secrets Manager has created the replicas', async () => {
    const world = stored();
    world.secrets.replicated = false;
    await share(world);
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(true);
    world.secrets.replicated = true;
    await share(world);
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(false);
  });

  test('are set again if the configuration is reverted after others were rejected', async () => {
    const world = stored();
    await share(world);
    world.secrets.noSuchReader = 'arn:aws:iam::444455556666:role/nobody';
    await expect(share(world, specWith({ readers: [world.secrets.noSuchReader] }))).rejects.toThrow(SecretAccessError);
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(true);
  });

  test('are set again for a secret that was deleted and created again', async () => {
    const world = stored();
    await read(world);
    world.secrets.delete('www');
    world.secrets.put('www', { current: { versionId: storedVersion('again'), value } });
    await read(world);
    expect(world.secrets.access('www')).toEqual({ readers, replicas });
  });

  test('are removed after the table was lost if they are no longer configured', async () => {
    const lost = async () => {
      const world = stored();
      await share(world);
      world.ledger.put('www', { access: undefined, current: null });
      return world;
    };
    await interruptedAfterEachCall(
      lost,
      (world) => read(world, specWith()),
      (world, _, last) => {
        expect(world.secrets.access('www'), last).toEqual({ readers: [], replicas: [] });
        expect(isSharingOutdated(specWith(), world.ledger.get('www')), last).toBe(false);
      },
    );
  });

  test('are outdated after the table was lost if they cannot be set', async () => {
    const world = stored();
    await share(world);
    world.ledger.put('www', { access: undefined, current: null });
    world.calls.answer('secrets.share', new SecretAccessError({ what: 'no.', secret: 'certificates/www' }));
    await read(world, specWith());
    expect(isSharingOutdated(specWith(), world.ledger.get('www'))).toBe(true);
  });

  test('are not outdated after a failed call if none are configured and none are recorded', async () => {
    const world = stored();
    world.calls.answer('secrets.share', new SecretAccessError({ what: 'no.', secret: 'certificates/www' }));
    await expect(share(world, specWith())).rejects.toThrow(SecretAccessError);
    expect(isSharingOutdated(specWith(), world.ledger.get('www'))).toBe(false);
  });

  test('are read once if none are configured and none are recorded', async () => {
    const world = stored();
    await share(world, specWith());
    const before = world.calls.names().length;
    await share(world, specWith());
    expect(world.calls.names().slice(before)).toEqual(['ledger.certificate']);
  });

  test('are not set by an execution that lost its lease', async () => {
    const world = stored();
    world.ledger.put('www', { lease: otherExecution });
    await expect(share(world)).rejects.toThrow(LeaseLostError);
    expect(world.secrets.access('www')).toEqual({ readers: [], replicas: [] });
  });

  test.each<[string, (world: World) => Promise<unknown>]>([
    ['Read certificate', read],
    ['Share secret', share],
  ])('are set by *%s* in a run after an interruption at any call', async (_, step) => {
    await interruptedAfterEachCall(stored, step, (world, __, last) => {
      expect(world.secrets.access('www'), last).toEqual({ readers, replicas });
      expect(isSharingOutdated(spec, world.ledger.get('www')), last).toBe(false);
    });
  });
});

describe('tags of the operator', () => {
  const outdated = (world: World) =>
    isSharingOutdated(
      specWith({ ...(tagsHash(world.ports.tags) && { tagsHash: tagsHash(world.ports.tags) }) }),
      world.ledger.get('www'),
    );
  const tagged = (tags: Readonly<Record<string, string>>) => {
    const world = createWorld({ tags });
    world.ledger.put('www', { lease: execution });
    world.secrets.put('www', { current: { versionId: 'version-1', value } });
    return world;
  };

  test('are set on the secret and recorded in the ledger', async () => {
    const world = tagged({ team: 'web' });
    expect(outdated(world)).toBe(true);
    await share(world, specWith());
    expect(world.secrets.tagsOf('www')).toEqual({ team: 'web' });
    expect(outdated(world)).toBe(false);
  });

  test('are removed if they are no longer configured', async () => {
    const world = tagged({ team: 'web', stage: 'test' });
    await share(world, specWith());
    world.secrets.tags = { team: 'shop' };
    const ports = { ...world.ports, tags: { team: 'shop' } };
    await shareSecret({ ...run, spec: specWith() }, ports);
    expect(world.secrets.tagsOf('www')).toEqual({ team: 'shop' });
    expect(world.ledger.get('www').tagKeys).toEqual(['team']);
  });

  test('that the function does not have yet are set by a later run', async () => {
    const world = tagged({ team: 'web' });
    await share(world, specWith({ tagsHash: tagsHash({ team: 'shop' }) ?? '' }));
    expect(isSharingOutdated(specWith({ tagsHash: tagsHash({ team: 'shop' }) ?? '' }), world.ledger.get('www'))).toBe(
      true,
    );
  });
});
