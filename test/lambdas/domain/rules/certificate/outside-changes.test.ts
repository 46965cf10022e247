import { describe, expect, test } from 'vitest';
import type { ImportDescription } from '../../../../../lambdas/domain/ports/acm-certificates.ts';
import type { SecretDescription } from '../../../../../lambdas/domain/ports/certificate-secrets.ts';
import {
  compareImport,
  compareSecret,
  isAsDelivered,
} from '../../../../../lambdas/domain/rules/certificate/outside-changes.ts';
import { deliveryWith, factsWith, storedVersion } from '../../../../fakes/specs.ts';

const current = factsWith();
const tags = { 'perennial:stack': 'Perennial', 'perennial:certificate': 'www' };
const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:certificates/www-AbCdEf';
const unchanged: SecretDescription = {
  arn,
  owned: true,
  deletedAt: null,
  replica: null,
  currentVersion: current.versionId,
  labels: {},
  tags: { ...tags, team: 'web' },
};
const foreign = 'c0c4a4e5-8f0e-4b1e-9a5e-0d0e6b0f6c11';

describe('a secret', () => {
  test('that is as the ledger says has no changes', () => {
    expect(compareSecret(current, unchanged, tags)).toEqual({ storedVersion: 'version-1', changes: [] });
  });

  test.each<[string, SecretDescription | null, string | null, string[], RegExp]>([
    ['that was deleted', null, null, ['secretDeleted'], /issues a new certificate/],
    [
      'that holds its placeholder again',
      { ...unchanged, currentVersion: null },
      null,
      ['secretDeleted'],
      /issues a new certificate/,
    ],
    [
      'whose AWSCURRENT was moved back',
      { ...unchanged, currentVersion: storedVersion('earlier') },
      storedVersion('earlier'),
      ['versionMoved'],
      /adopts the certificate/,
    ],
    [
      'with a value of another writer',
      { ...unchanged, currentVersion: foreign },
      foreign,
      ['valueReplaced'],
      /neither delivers that value nor replaces it/,
    ],
    [
      'that is scheduled for deletion',
      { ...unchanged, deletedAt: '2026-03-08T12:00:00Z' },
      'version-1',
      ['secretScheduledForDeletion'],
      /aws secretsmanager restore-secret --secret-id arn:\S+/,
    ],
    [
      'that is scheduled for deletion after AWSCURRENT was moved, which starts nothing',
      { ...unchanged, deletedAt: '2026-03-08T12:00:00Z', currentVersion: storedVersion('earlier') },
      'version-1',
      ['secretScheduledForDeletion'],
      /restore-secret/,
    ],
    [
      'without the tag of the stack, which starts nothing',
      { ...unchanged, owned: false, tags: { 'perennial:certificate': 'www' }, currentVersion: null },
      'version-1',
      ['secretTagsLost'],
      /--tags Key=perennial:stack,Value=Perennial"/,
    ],
    [
      'with the tag of another stack',
      { ...unchanged, owned: false, tags: { ...tags, 'perennial:stack': 'Other' } },
      'version-1',
      ['secretTagsLost'],
      /Key=perennial:stack,Value=Perennial"/,
    ],
    [
      'without the name of the certificate in its tags, which was moved back too',
      { ...unchanged, tags: { 'perennial:stack': 'Perennial' }, currentVersion: storedVersion('earlier') },
      storedVersion('earlier'),
      ['secretTagsLost', 'versionMoved'],
      /Key=perennial:certificate,Value=www"/,
    ],
  ])('%s', (_, secret, version, kinds, action) => {
    const compared = compareSecret(current, secret, tags);
    expect(compared.storedVersion).toBe(version);
    expect(compared.changes.map(({ kind }) => kind)).toEqual(kinds);
    expect(compared.changes[0]).toMatchObject({ resource: arn, action: expect.stringMatching(action) });
  });

  test('names both versions if AWSCURRENT is another one', () => {
    const { changes } = compareSecret(current, { ...unchanged, currentVersion: foreign }, tags);
    expect(changes[0]?.detail).toBe(
      `AWSCURRENT is version ${foreign}, which this stack did not store. It had stored version version-1.`,
    );
  });
});

describe('an import', () => {
  const delivery = deliveryWith();
  const { notBefore, notAfter } = delivery;
  const described: ImportDescription = { notBefore, notAfter, serialNumber: '0a01', differentTags: [] };
  const other = { notBefore: '2026-02-01T00:00:00.000Z', notAfter: '2026-05-01T00:00:00.000Z' };

  test.each([
    ['with the same times is as delivered', { notBefore: '2026-01-01T00:00:00.000Z', notAfter }, true],
    ['that expires at another time is not', { notBefore, notAfter: other.notAfter }, false],
    ['that began at another time is not', { notBefore: other.notBefore, notAfter }, false],
    ['that is not in the list is not', undefined, false],
  ])('%s', (_, listed, expected) => {
    expect(isAsDelivered(delivery, listed)).toBe(expected);
  });

  test('that does not exist was deleted, and is imported again', () => {
    const { found, changes } = compareImport(delivery, current, null);
    expect(found).toBeNull();
    expect(changes).toEqual([
      {
        kind: 'importDeleted',
        resource: delivery.arn,
        detail: 'The certificate was deleted from ACM.',
        action: expect.stringContaining('imports the certificate under a new ARN'),
      },
    ]);
  });

  test('that the list did not have yet has no changes', () => {
    expect(compareImport(delivery, current, described)).toEqual({ found: undefined, changes: [] });
  });

  test.each([
    ['other times', { ...described, ...other, serialNumber: 'ff' }],
    ['another serial number and the same times', { ...described, serialNumber: 'ff' }],
  ])('with %s was replaced, and keeps what was found', (_, replaced) => {
    const { found, changes } = compareImport(delivery, current, replaced);
    expect(found).toEqual({ notBefore: replaced.notBefore, notAfter: replaced.notAfter });
    expect(changes).toMatchObject([
      { kind: 'importReplaced', resource: delivery.arn, detail: expect.stringContaining('ACM has certificate ff') },
    ]);
  });

  test('of an earlier version is compared by its own times', () => {
    const renewed = factsWith({ versionId: 'version-2', serialNumber: '0a02' });
    expect(compareImport(delivery, renewed, described)).toEqual({ found: undefined, changes: [] });
  });

  test('that was replaced and lost its tags has two changes, without the tags of the operator', () => {
    const differentTags = [
      { tag: 'team', value: null, expected: 'web' },
      { tag: 'perennial:stack', value: null, expected: 'Perennial' },
      { tag: 'perennial:secrets', value: 'x', expected: 'eu-west-1/certificates/' },
    ];
    const { changes } = compareImport(delivery, current, { ...described, ...other, differentTags });
    expect(changes.map(({ kind }) => kind)).toEqual(['importReplaced', 'importTagsLost']);
    expect(changes[1]?.action).toContain(
      `"aws acm add-tags-to-certificate --region us-east-1 --certificate-arn ${delivery.arn} --tags Key=perennial:stack,Value=Perennial Key=perennial:secrets,Value=eu-west-1/certificates/"`,
    );
  });
});
