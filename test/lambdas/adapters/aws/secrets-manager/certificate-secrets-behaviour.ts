import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { CertificateSecretValue } from '../../../../../lambdas/domain/contract/certificate-secret.ts';
import type {
  CertificateSecrets,
  CertificateVersions,
} from '../../../../../lambdas/domain/ports/certificate-secrets.ts';
import { atCa } from '../../../../fakes/specs.ts';

/** The two ports, and what the tests need besides. A test refers to a secret by the name of its certificate. */
export interface CertificateSecretsWorld {
  readonly secrets: CertificateSecrets;
  readonly versions: CertificateVersions;
  /** Creates a secret with this value and the tag of another stack. */
  createByAnotherStack(certificate: string, value: string): Promise<void>;
  scheduleDeletion(certificate: string): Promise<void>;
  /** Returns the value of the version with this staging label, or `null` if no version has the label. */
  labelled(certificate: string, label: string): Promise<string | null>;
}

const value = (fields: Partial<CertificateSecretValue> = {}): CertificateSecretValue => ({
  format: 1,
  certificate: 'leaf',
  chain: 'issuers',
  fullChain: 'leafissuers',
  privateKey: 'key',
  identifiers: ['example.com', '*.example.com'],
  serialNumber: '04A1',
  notBefore: '2027-01-01T00:00:00Z',
  notAfter: '2027-04-01T00:00:00Z',
  issuer: 'CN=Example CA',
  keyType: 'P-256',
  directoryUrl: 'https://ca.example/directory',
  profile: null,
  ...fields,
});
const placeholder = createHash('sha256').update('perennial placeholder').digest('hex');
const url = (number: number) => `https://ca.example/order/${number}`;

/** The contract of the two ports, tested against Secrets Manager and against the fake. Each test uses its own secrets. */
export function certificateSecretsBehaviour(worldOf: () => CertificateSecretsWorld): void {
  /** Stores a certificate for this order, makes it current and returns its version id. */
  async function store(certificate: string, order: number, fields: Partial<CertificateSecretValue> = {}) {
    const { secrets } = worldOf();
    const { privateKey } = value(fields);
    await secrets.stageKey(certificate, atCa(url(order)), privateKey);
    const version = await secrets.putCertificate(certificate, url(order), value(fields));
    await makeCurrent(certificate, version);
    return version;
  }
  const current = async (certificate: string) =>
    (await worldOf().secrets.describe(certificate))?.currentVersion ?? null;
  /** Makes a version current, in place of the one that is current now. */
  const makeCurrent = async (certificate: string, to: string) =>
    worldOf().secrets.makeCurrent(certificate, { from: await current(certificate), to });

  describe('a secret', () => {
    test('that does not exist is described as null, and cannot be read, written or shared', async () => {
      const { secrets } = worldOf();
      expect(await secrets.describe('missing')).toBeNull();
      expect(await secrets.stagedKey('missing', url(1))).toBeNull();
      await expect(secrets.readCurrent('missing')).rejects.toMatchObject({ name: 'UnreadableSecretError' });
      await expect(secrets.stageKey('missing', atCa(url(1)), 'key')).rejects.toMatchObject({ name: 'AwsRefusedError' });
      const access = { readers: [], replicas: [] };
      await expect(secrets.share('missing', access)).rejects.toMatchObject({ name: 'SecretAccessError' });
    });

    test('is created with a placeholder instead of a certificate, even by two executions at the same time', async () => {
      const { secrets, labelled } = worldOf();
      await Promise.all([secrets.create('created'), secrets.create('created')]);
      expect(await secrets.describe('created')).toEqual({
        arn: expect.stringMatching(/^arn:aws:secretsmanager:.*:secret:certificates\/created-\w{6}$/),
        owned: true,
        deletedAt: null,
        replica: null,
        currentVersion: null,
        labels: { [placeholder]: ['AWSCURRENT'] },
        tags: { 'perennial:stack': 'Perennial', 'perennial:certificate': 'created' },
      });
      expect(JSON.parse((await labelled('created', 'AWSCURRENT')) ?? '')).toMatchObject({ format: 0 });
      await expect(secrets.readCurrent('created')).rejects.toMatchObject({ name: 'UnreadableSecretError' });
    });

    test('that has a certificate is not changed when it is created again', async () => {
      await worldOf().secrets.create('kept');
      const version = await store('kept', 1);
      await worldOf().secrets.create('kept');
      expect(await current('kept')).toBe(version);
    });

    test('created by another stack is recognized as such and is not overwritten', async () => {
      const { secrets, createByAnotherStack, labelled } = worldOf();
      await createByAnotherStack('other-stack', 'other value');
      expect(await secrets.describe('other-stack')).toMatchObject({
        owned: false,
        deletedAt: null,
        tags: { 'perennial:stack': 'Another' },
      });
      await secrets.create('other-stack');
      expect(await labelled('other-stack', 'AWSCURRENT')).toBe('other value');
      await expect(secrets.readCurrent('other-stack')).rejects.toMatchObject({ name: 'UnreadableSecretError' });
    });

    test('that is scheduled for deletion has a deletion date, and cannot be read, written or shared', async () => {
      const { secrets, scheduleDeletion } = worldOf();
      await secrets.create('deleted');
      const version = await store('deleted', 1);
      await secrets.stageKey('deleted', atCa(url(2)), 'key');
      const stored = await secrets.putCertificate('deleted', url(2), value());
      await scheduleDeletion('deleted');
      expect(await secrets.describe('deleted')).toMatchObject({
        deletedAt: expect.any(String),
        currentVersion: version,
      });
      for (const [name, call] of Object.entries({
        create: () => secrets.create('deleted'),
        stageKey: () => secrets.stageKey('deleted', atCa(url(3)), 'key'),
        stagedKey: () => secrets.stagedKey('deleted', url(2)),
        putCertificate: () => secrets.putCertificate('deleted', url(3), value()),
        makeCurrent: () => secrets.makeCurrent('deleted', { from: version, to: stored }),
        readCurrent: () => secrets.readCurrent('deleted'),
      }))
        await expect(call(), name).rejects.toMatchObject({ name: 'SecretDeletedError' });
      const access = { readers: ['arn:aws:iam::444455556666:role/web'], replicas: [] };
      await expect(secrets.share('deleted', access)).rejects.toMatchObject({ name: 'SecretAccessError' });
    });
  });

  describe('a staged key', () => {
    test('is the first one staged for its order, even if several are staged at the same time', async () => {
      const { secrets } = worldOf();
      await secrets.create('staged');
      expect(await secrets.stagedKey('staged', url(1))).toBeNull();
      const keys = ['a', 'b', 'c'];
      const staged = await Promise.all(keys.map((key) => secrets.stageKey('staged', atCa(url(1)), key)));
      expect(keys).toContain(staged[0]);
      expect(new Set(staged).size).toBe(1);
      expect(await secrets.stageKey('staged', atCa(url(1)), 'd')).toBe(staged[0]);
      expect(await secrets.stagedKey('staged', url(1))).toBe(staged[0]);
      expect(await secrets.stagedKey('staged', url(2))).toBeNull();
    });

    test('is never the current version, even directly after the placeholder', async () => {
      const { secrets, labelled } = worldOf();
      await secrets.create('unread');
      await secrets.stageKey('unread', atCa(url(1)), 'the key');
      expect(await current('unread')).toBeNull();
      expect(await labelled('unread', 'AWSCURRENT')).not.toContain('the key');
      expect(await labelled('unread', 'AWSPREVIOUS')).toBeNull();
      expect(await labelled('unread', 'CANDIDATE')).toContain('the key');
    });
  });

  describe('a certificate', () => {
    test('is stored once for each order, with all fields, and does not become current yet', async () => {
      const { secrets, labelled } = worldOf();
      await secrets.create('stored');
      const version = await secrets.putCertificate('stored', url(1), value());
      expect(await secrets.putCertificate('stored', url(1), value({ issuer: 'CN=Late' }))).toBe(version);
      expect(await current('stored')).toBeNull();
      expect(JSON.parse((await labelled('stored', 'CANDIDATE')) ?? '')).toEqual(value());
      const { arn } = await makeCurrent('stored', version);
      expect(await secrets.readCurrent('stored')).toEqual({
        arn,
        versionId: version,
        value: value(),
      });
    });

    test('that exceeds the size limit of Secrets Manager is not stored', async () => {
      const { secrets, labelled } = worldOf();
      await secrets.create('large');
      const chain = 'x'.repeat(65_536);
      await expect(secrets.putCertificate('large', url(1), value({ chain }))).rejects.toMatchObject({
        name: 'UnexpectedError',
        message: expect.stringMatching(/6\d{4} bytes/),
      });
      expect(await labelled('large', 'CANDIDATE')).toBeNull();
    });

    test('becomes current in one call, and the certificate before it becomes previous', async () => {
      const { secrets, labelled } = worldOf();
      await secrets.create('moved');
      const { arn } = (await secrets.describe('moved')) ?? {};
      const [one, two] = [
        await secrets.putCertificate('moved', url(1), value({ serialNumber: '01' })),
        await secrets.putCertificate('moved', url(2), value({ serialNumber: '02' })),
      ];
      expect(await makeCurrent('moved', one)).toEqual({ arn, first: true });
      expect(await makeCurrent('moved', one)).toEqual({ arn, first: false });
      expect(await current('moved')).toBe(one);
      expect(await makeCurrent('moved', two)).toEqual({ arn, first: false });
      expect(await secrets.readCurrent('moved')).toMatchObject({ arn, versionId: two, value: { serialNumber: '02' } });
      expect(await labelled('moved', 'AWSPREVIOUS')).toContain('"serialNumber":"01"');
      expect((await secrets.describe('moved'))?.labels).toEqual({
        [one]: ['AWSPREVIOUS'],
        [two]: expect.toSatisfy((labels: string[]) => labels.toSorted().join() === 'AWSCURRENT,CANDIDATE'),
      });
    });

    test('does not become current if another version became current than the one it replaces', async () => {
      const { secrets } = worldOf();
      await secrets.create('stalled');
      const one = await secrets.putCertificate('stalled', url(1), value({ serialNumber: '01' }));
      const two = await store('stalled', 2, { serialNumber: '02' });
      const three = await store('stalled', 3, { serialNumber: '03' });
      for (const from of [null, one, two]) {
        const moved = secrets.makeCurrent('stalled', { from, to: one });
        await expect(moved).rejects.toMatchObject({ name: 'UnexpectedError' });
      }
      expect(await current('stalled')).toBe(three);
      expect(await secrets.makeCurrent('stalled', { from: null, to: three })).toMatchObject({ first: false });
    });

    test('that was never stored cannot become current', async () => {
      const { secrets } = worldOf();
      await secrets.create('unstored');
      const version = await store('unstored', 1);
      const missing = 'f'.repeat(64);
      await expect(makeCurrent('unstored', missing)).rejects.toMatchObject({ name: 'AwsRefusedError' });
      expect(await current('unstored')).toBe(version);
    });
  });

  describe('the versions of a secret', () => {
    test('are listed if they have a certificate or a key without one, with or without a label', async () => {
      const { secrets, versions } = worldOf();
      await secrets.create('listed');
      const stored = [
        await store('listed', 1, { serialNumber: '01' }),
        await store('listed', 2, { serialNumber: '02' }),
        await store('listed', 3, { serialNumber: '03' }),
      ];
      await secrets.stageKey('listed', atCa(url(4)), 'fourth');
      await secrets.stageKey('listed', atCa(url(5)), 'fifth');
      const { stored: found, staged } = await versions.list('listed');
      const stagedAt = expect.stringMatching(/^20\d\d-.*Z$/);
      expect(staged.toSorted((a, b) => (a.url < b.url ? -1 : 1))).toEqual([
        { ...atCa(url(4)), privateKey: 'fourth', stagedAt },
        { ...atCa(url(5)), privateKey: 'fifth', stagedAt },
      ]);
      expect(new Map(found.map(({ versionId, ...rest }) => [versionId, rest]))).toEqual(
        new Map(
          stored.map((version, index) => [
            version,
            { current: index === 2, value: value({ serialNumber: `0${index + 1}` }) },
          ]),
        ),
      );
    });

    test('are marked as compromised by their keys, and every mark stays', async () => {
      const { secrets, versions } = worldOf();
      await secrets.create('marked');
      const one = await store('marked', 1, { privateKey: 'one' });
      const two = await store('marked', 2, { privateKey: 'two' });
      const compromised = () => Promise.all(['one', 'two', 'three'].map((key) => secrets.isCompromised('marked', key)));
      expect(await compromised()).toEqual([false, false, false]);
      await versions.markCompromised('marked', one);
      await versions.markCompromised('marked', one);
      expect(await compromised()).toEqual([true, false, false]);
      await versions.markCompromised('marked', two);
      expect(await compromised()).toEqual([true, true, false]);
      expect(await current('marked')).toBe(two);
    });

    test('are compromised if another version with the same key is marked', async () => {
      const { secrets, versions } = worldOf();
      await secrets.create('same-key');
      await store('same-key', 1, { privateKey: 'reused' });
      await versions.markCompromised('same-key', await store('same-key', 2, { privateKey: 'reused' }));
      await store('same-key', 3, { privateKey: 'new' });
      expect(await secrets.isCompromised('same-key', 'reused')).toBe(true);
      expect(await secrets.isCompromised('same-key', 'new')).toBe(false);
    });

    test('without a certificate cannot be marked, and a secret that does not exist has no compromised key', async () => {
      const { secrets, versions } = worldOf();
      expect(await secrets.isCompromised('missing', 'key')).toBe(false);
      await secrets.create('unmarked');
      await secrets.stageKey('unmarked', atCa(url(1)), 'key');
      const marking = versions.markCompromised('unmarked', 'f'.repeat(64));
      await expect(marking).rejects.toMatchObject({ name: 'UnreadableSecretError' });
      expect(await secrets.isCompromised('unmarked', 'key')).toBe(false);
    });

    test('keep the last 15 marks, because a secret may have 20 labels', async () => {
      const { secrets, versions } = worldOf();
      await secrets.create('often');
      const keys = Array.from({ length: 17 }, (_, index) => `key ${index}`);
      for (const [index, privateKey] of keys.entries())
        await versions.markCompromised('often', await store('often', index, { privateKey }));
      const compromised = await Promise.all(keys.map((key) => secrets.isCompromised('often', key)));
      expect(compromised.filter(Boolean)).toHaveLength(15);
      expect(compromised.at(-1)).toBe(true);
    });
  });

  describe('a key that was staged for reuse and later marked as compromised', () => {
    /** Stages the key `reused` for order 2, then marks the certificate of order 1, which has the same key, as compromised. */
    async function compromised(certificate: string): Promise<void> {
      const { secrets, versions } = worldOf();
      await secrets.create(certificate);
      const version = await store(certificate, 1, { privateKey: 'reused' });
      expect(await secrets.stageKey(certificate, atCa(url(2)), 'reused')).toBe('reused');
      expect(await secrets.stageKey(certificate, atCa(url(3)), 'another')).toBe('another');
      await versions.markCompromised(certificate, version);
    }

    test('is no longer returned', async () => {
      const { secrets } = worldOf();
      await compromised('refused');
      const asked = secrets.stagedKey('refused', url(2));
      await expect(asked).rejects.toMatchObject({ name: 'CompromisedKeyError' });
    });

    test('is replaced by the first new key that is staged for its order', async () => {
      const { secrets } = worldOf();
      await compromised('replaced');
      const keys = ['new', 'newer'];
      const staged = await Promise.all(keys.map((key) => secrets.stageKey('replaced', atCa(url(2)), key)));
      expect(keys).toContain(staged[0]);
      expect(new Set(staged).size).toBe(1);
      expect(await secrets.stageKey('replaced', atCa(url(2)), 'newest')).toBe(staged[0]);
      expect(await secrets.stagedKey('replaced', url(2))).toBe(staged[0]);
    });

    test('is replaced again if the new key becomes compromised too', async () => {
      const { secrets, versions } = worldOf();
      await compromised('twice');
      await secrets.stageKey('twice', atCa(url(2)), 'second');
      await versions.markCompromised('twice', await store('twice', 4, { privateKey: 'second' }));
      await expect(secrets.stagedKey('twice', url(2))).rejects.toMatchObject({ name: 'CompromisedKeyError' });
      expect(await secrets.stageKey('twice', atCa(url(2)), 'third')).toBe('third');
      expect(await secrets.stagedKey('twice', url(2))).toBe('third');
    });

    test('is not staged for any order', async () => {
      const { secrets } = worldOf();
      await compromised('unstaged');
      for (const order of [2, 5]) {
        const staging = secrets.stageKey('unstaged', atCa(url(order)), 'reused');
        await expect(staging).rejects.toMatchObject({ name: 'CompromisedKeyError' });
      }
      expect(await secrets.stagedKey('unstaged', url(5))).toBeNull();
    });

    test('does not affect the key of another order', async () => {
      const { secrets } = worldOf();
      await compromised('other-order');
      expect(await secrets.stagedKey('other-order', url(3))).toBe('another');
      expect(await secrets.stageKey('other-order', atCa(url(3)), 'new')).toBe('another');
    });
  });
}
