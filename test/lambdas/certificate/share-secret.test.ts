import { beforeAll, describe, expect, test } from 'vitest';
import { readCertificate } from '../../../lambdas/certificate/read-certificate.ts';
import { shareSecret } from '../../../lambdas/certificate/share-secret.ts';
import type { CertificateSecretValue } from '../../../lambdas/domain/contract/certificate-secret.ts';
import { LeaseLostError, SecretAccessError } from '../../../lambdas/domain/contract/errors.ts';
import { isSharingOutdated } from '../../../lambdas/domain/rules/certificate/secret-sharing.ts';
import { secretValue } from '../../fakes/certificate-authority.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, factsWith, otherExecution, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const readers = ['arn:aws:iam::444455556666:role/web'];
const replicas = [{ region: 'eu-west-2', encryptionKey: null }];
const spec = specWith({ readers, replicas });

let value: CertificateSecretValue;
beforeAll(async () => {
  value = await secretValue({ identifiers: ['example.com'] });
});

function stored(): World {
  const world = createWorld();
  world.ledger.put('www', { lease: execution });
  world.secrets.put('www', { current: { versionId: 'version-1', value } });
  return world;
}

const share = ({ ports }: World, of = spec) => shareSecret({ ...run, spec: of }, ports);
const read = ({ ports }: World, of = spec) => readCertificate({ ...run, spec: of }, ports);

describe('readers and replicas', () => {
  test('that are new are given to the secret, and the ledger knows it', async () => {
    const world = stored();
    await share(world);
    expect(world.secrets.access('www')).toEqual({ readers, replicas });
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(false);
  });

  test('that the secret has cost no call', async () => {
    const world = stored();
    await share(world);
    const before = world.calls.names().length;
    await share(world);
    expect(world.calls.names().slice(before)).toEqual(['ledger.certificate']);
  });

  test('that are configured no more are taken away', async () => {
    const world = stored();
    await share(world);
    await share(world, specWith());
    expect(world.secrets.access('www')).toEqual({ readers: [], replicas: [] });
    expect(isSharingOutdated(specWith(), world.ledger.get('www'))).toBe(false);
  });

  test('come with the certificate that the ledger is told of', async () => {
    const world = stored();
    await read(world);
    expect(world.secrets.access('www')).toEqual({ readers, replicas });
  });

  test('that are refused keep a certificate that the ledger did not know from nothing: it is logged, and delivery goes on', async () => {
    const world = stored();
    world.secrets.noSuchReader = readers[0] ?? '';
    expect(await read(world)).toMatchObject({ current: { versionId: 'version-1' } });
    expect(world.ledger.get('www').current?.versionId).toBe('version-1');
    expect(world.log.messages('error')).toEqual([expect.stringContaining('role/web')]);
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(true);
  });

  test('that are refused fail the step, and the certificate that the ledger knows stays as it is', async () => {
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

  test('that were removed stay removed when another reader is refused, also when that is tried again', async () => {
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

  test('are in the ledger only when Secrets Manager has made the replicas: before, the next run looks again', async () => {
    const world = stored();
    world.secrets.replicated = false;
    await share(world);
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(true);
    world.secrets.replicated = true;
    await share(world);
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(false);
  });

  test('that were taken away before others were refused are given again when the configuration goes back', async () => {
    const world = stored();
    await share(world);
    world.secrets.noSuchReader = 'arn:aws:iam::444455556666:role/nobody';
    await expect(share(world, specWith({ readers: [world.secrets.noSuchReader] }))).rejects.toThrow(SecretAccessError);
    expect(isSharingOutdated(spec, world.ledger.get('www'))).toBe(true);
  });

  test('are given again to a secret that was deleted and made anew', async () => {
    const world = stored();
    await read(world);
    world.secrets.delete('www');
    world.secrets.put('www', { current: { versionId: 'version-2', value } });
    await read(world);
    expect(world.secrets.access('www')).toEqual({ readers, replicas });
  });

  test('that were taken out of the configuration while the table was lost read no more', async () => {
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

  test('that a lost table leaves unknown are behind from the moment at which the ledger knows the certificate', async () => {
    const world = stored();
    await share(world);
    world.ledger.put('www', { access: undefined, current: null });
    world.calls.answer('secrets.share', new SecretAccessError({ what: 'no.', secret: 'certificates/www' }));
    await read(world, specWith());
    expect(isSharingOutdated(specWith(), world.ledger.get('www'))).toBe(true);
  });

  test('that nobody has noted and nobody wants leave nothing to do when they cannot be looked at', async () => {
    const world = stored();
    world.calls.answer('secrets.share', new SecretAccessError({ what: 'no.', secret: 'certificates/www' }));
    await expect(share(world, specWith())).rejects.toThrow(SecretAccessError);
    expect(isSharingOutdated(specWith(), world.ledger.get('www'))).toBe(false);
  });

  test('that nobody has noted are looked at once, and that there are none is noted', async () => {
    const world = stored();
    await share(world, specWith());
    const before = world.calls.names().length;
    await share(world, specWith());
    expect(world.calls.names().slice(before)).toEqual(['ledger.certificate']);
  });

  test('are not touched by an execution that lost its lease', async () => {
    const world = stored();
    world.ledger.put('www', { lease: otherExecution });
    await expect(share(world)).rejects.toThrow(LeaseLostError);
    expect(world.secrets.access('www')).toEqual({ readers: [], replicas: [] });
  });

  test.each<[string, (world: World) => Promise<unknown>]>([
    ['Read certificate', read],
    ['Share secret', share],
  ])('may be left half way by a death of *%s* after any call', async (_, step) => {
    await interruptedAfterEachCall(stored, step, (world, __, last) => {
      expect(world.secrets.access('www'), last).toEqual({ readers, replicas });
      expect(isSharingOutdated(spec, world.ledger.get('www')), last).toBe(false);
    });
  });
});
