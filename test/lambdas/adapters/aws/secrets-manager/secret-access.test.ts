import {
  DeleteResourcePolicyCommand,
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  GetResourcePolicyCommand,
  PutResourcePolicyCommand,
  RemoveRegionsFromReplicationCommand,
  ReplicateSecretToRegionsCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import 'aws-sdk-client-mock-vitest/extend';
import { beforeEach, describe, expect, test } from 'vitest';
import { createCertificateSecrets } from '../../../../../lambdas/adapters/aws/secrets-manager/certificate-secrets.ts';
import type { Replica } from '../../../../../lambdas/domain/contract/config.ts';
import { readersPolicy } from '../../../../../lambdas/domain/rules/certificate/secret-sharing.ts';
import { awsError } from '../aws-error.ts';

const SecretId = 'certificates/www';
const reader = 'arn:aws:iam::444455556666:role/web';
const replicaKey = 'arn:aws:kms:eu-west-1:111122223333:key/replica';
const sdk = mockClient(SecretsManagerClient);
const secrets = createCertificateSecrets({
  prefix: 'certificates/',
  stackTag: 'Perennial',
  client: new SecretsManagerClient({ region: 'us-east-1' }),
});

const described = (fields: Partial<DescribeSecretCommandOutput> = {}) =>
  sdk.on(DescribeSecretCommand).resolves({ Name: SecretId, KmsKeyId: 'arn:aws:kms:us-east-1:1:key/a', ...fields });
const tagged = (regions: string) => [
  { Key: 'perennial:stack', Value: 'Perennial' },
  { Key: 'perennial:replicas', Value: regions },
];
const share = (access: { readers?: readonly string[]; replicas?: readonly Replica[] }) =>
  secrets.share('www', { readers: [], replicas: [], ...access });
/** Returns the names of the calls that change something, in order. */
const changes = () =>
  sdk
    .calls()
    .map(({ args: [command] }) => command.constructor.name.replace('Command', ''))
    .filter((name) => !/^(Describe|Get)/.test(name));

beforeEach(() => {
  sdk.reset();
  described();
  sdk.on(GetResourcePolicyCommand).resolves({});
  for (const command of [
    PutResourcePolicyCommand,
    DeleteResourcePolicyCommand,
    ReplicateSecretToRegionsCommand,
    RemoveRegionsFromReplicationCommand,
    TagResourceCommand,
  ] as const)
    sdk.on(command as typeof TagResourceCommand).resolves({});
});

describe('readers', () => {
  test('cannot be granted a secret that uses the AWS managed key, and the error has the command that changes the key', async () => {
    sdk.on(DescribeSecretCommand).resolves({ Name: SecretId });
    await expect(share({ readers: [reader] })).rejects.toMatchObject({
      name: 'SecretAccessError',
      message: expect.stringContaining('aws secretsmanager update-secret --secret-id certificates/www --kms-key-id'),
    });
    expect(changes()).toEqual([]);
  });

  test.each(['InvalidParameterException', 'MalformedPolicyDocumentException', 'PublicPolicyException'])(
    'that AWS rejects with %s are named in the error, with the message of AWS',
    async (name) => {
      sdk.on(PutResourcePolicyCommand).rejects(awsError(name, 'an unsupported principal.'));
      await expect(share({ readers: [reader] })).rejects.toMatchObject({
        name: 'SecretAccessError',
        message: expect.stringMatching(/(?=.*role\/web)(?=.*certificates\/www).*an unsupported principal/),
      });
    },
  );

  const other = 'arn:aws:iam::444455556666:role/mail';
  const rejectPolicyOf = (readers: readonly string[]) => {
    sdk.on(GetResourcePolicyCommand).resolves({ ResourcePolicy: JSON.stringify(readersPolicy([reader, other])) });
    const ResourcePolicy = JSON.stringify(readersPolicy(readers));
    sdk.on(PutResourcePolicyCommand, { ResourcePolicy }).rejects(awsError('MalformedPolicyDocumentException', 'no.'));
  };

  test('that are removed lose access even if a new one is rejected, and the remaining ones keep access', async () => {
    const rejected = 'arn:aws:iam::444455556666:role/rejected';
    rejectPolicyOf([reader, rejected]);
    await expect(share({ readers: [reader, rejected] })).rejects.toThrow(/role\/rejected/);
    expect(changes()).toEqual(['PutResourcePolicy', 'PutResourcePolicy']);
    expect(sdk).toHaveReceivedCommandWith(PutResourcePolicyCommand, {
      ResourcePolicy: JSON.stringify(readersPolicy([reader])),
    });
  });

  test('that are all removed lose access even if a new one is rejected', async () => {
    const rejected = 'arn:aws:iam::444455556666:role/rejected';
    rejectPolicyOf([rejected]);
    await expect(share({ readers: [rejected] })).rejects.toThrow(/role\/rejected/);
    expect(changes()).toEqual(['PutResourcePolicy', 'DeleteResourcePolicy']);
  });

  test('that remain are not changed if a new one is rejected', async () => {
    const rejected = 'arn:aws:iam::444455556666:role/rejected';
    rejectPolicyOf([reader, other, rejected]);
    await expect(share({ readers: [reader, other, rejected] })).rejects.toThrow(/role\/rejected/);
    expect(changes()).toEqual(['PutResourcePolicy']);
  });

  test('that are rejected do not stop the removal or the creation of replicas', async () => {
    described({ Tags: tagged('eu-west-2'), ReplicationStatus: [{ Region: 'eu-west-2', Status: 'InSync' }] });
    sdk.on(PutResourcePolicyCommand).rejects(awsError('MalformedPolicyDocumentException', 'no.'));
    const replicas = [{ region: 'eu-west-1', encryptionKey: null }];
    await expect(share({ readers: [reader], replicas })).rejects.toThrow(/role\/web/);
    expect(changes()).toEqual([
      'RemoveRegionsFromReplication',
      'TagResource',
      'PutResourcePolicy',
      'TagResource',
      'ReplicateSecretToRegions',
    ]);
  });

  test.each([
    ['AccessDeniedException', 'SecretAccessError'],
    ['LimitExceededException', 'SecretAccessError'],
    ['InvalidRequestException', 'SecretAccessError'],
    ['InternalFailure', 'SecretAccessError'],
    ['ThrottlingException', 'ThrottledError'],
  ])('are reported for %s as %s, and only throttling is retried at once', async (awsName, name) => {
    sdk.on(PutResourcePolicyCommand).rejects(awsError(awsName, 'no.'));
    await expect(share({ readers: [reader] })).rejects.toMatchObject({ name, cause: expect.any(Error) });
  });

  test('are not changed if none are configured and the secret has no policy', async () => {
    await share({});
    expect(changes()).toEqual([]);
  });
});

describe('replicas', () => {
  const inWest: Replica = { region: 'eu-west-1', encryptionKey: null };

  test('are recorded in a tag of the secret before they are created, each with its key', async () => {
    await share({ replicas: [inWest, { region: 'eu-west-2', encryptionKey: replicaKey }] });
    expect(changes()).toEqual(['TagResource', 'ReplicateSecretToRegions']);
    expect(sdk).toHaveReceivedCommandWith(ReplicateSecretToRegionsCommand, {
      AddReplicaRegions: [{ Region: 'eu-west-1' }, { Region: 'eu-west-2', KmsKeyId: replicaKey }],
    });
  });

  test('that exist as configured are not changed', async () => {
    described({
      Tags: tagged('eu-west-1'),
      ReplicationStatus: [{ Region: 'eu-west-1', Status: 'InSync', KmsKeyId: 'alias/aws/secretsmanager' }],
    });
    await share({ replicas: [inWest] });
    expect(changes()).toEqual([]);
  });

  test('that Secrets Manager is still creating are no error and not complete', async () => {
    const inProgress = { Region: 'eu-west-1', Status: 'InProgress' as const };
    sdk.on(ReplicateSecretToRegionsCommand).resolves({ ReplicationStatus: [inProgress] });
    expect(await share({ replicas: [inWest] })).toBe(false);
    described({ Tags: tagged('eu-west-1'), ReplicationStatus: [inProgress] });
    expect(await share({ replicas: [inWest] })).toBe(false);
    described({ Tags: tagged('eu-west-1'), ReplicationStatus: [{ ...inProgress, Status: 'InSync' }] });
    expect(await share({ replicas: [inWest] })).toBe(true);
    expect(changes()).toEqual(['TagResource', 'ReplicateSecretToRegions']);
  });

  test('that failed are reported by the next check, although that check starts them again', async () => {
    const failed = { Region: 'eu-west-1', Status: 'Failed' as const, StatusMessage: 'The key is disabled.' };
    described({ Tags: tagged('eu-west-1'), ReplicationStatus: [failed] });
    sdk
      .on(ReplicateSecretToRegionsCommand)
      .resolves({ ReplicationStatus: [{ Region: 'eu-west-1', Status: 'InProgress' }] });
    await expect(share({ replicas: [inWest] })).rejects.toThrow(/eu-west-1: The key is disabled/);
    expect(changes()).toEqual(['ReplicateSecretToRegions']);
  });

  test('that are removed from the configuration are deleted even if another is rejected', async () => {
    described({ Tags: tagged('eu-west-2'), ReplicationStatus: [{ Region: 'eu-west-2', Status: 'InSync' }] });
    sdk.on(ReplicateSecretToRegionsCommand).rejects(awsError('InvalidParameterException', 'no.'));
    await expect(share({ replicas: [inWest] })).rejects.toThrow(/eu-west-1/);
    expect(sdk).toHaveReceivedCommandWith(RemoveRegionsFromReplicationCommand, { RemoveReplicaRegions: ['eu-west-2'] });
  });

  test('that cannot be removed do not stop the change of readers, and stay in the tag', async () => {
    described({ Tags: tagged('eu-west-2'), ReplicationStatus: [{ Region: 'eu-west-2', Status: 'InSync' }] });
    sdk.on(RemoveRegionsFromReplicationCommand).rejects(awsError('InvalidRequestException', 'still being created.'));
    await expect(share({ readers: [reader], replicas: [inWest] })).rejects.toThrow(/still being created/);
    expect(sdk).toHaveReceivedCommandWith(TagResourceCommand, { Tags: tagged('eu-west-1 eu-west-2') });
    expect(changes()).toContain('PutResourcePolicy');
  });

  test('that failed are requested again, and the error has the new message of AWS', async () => {
    const failed = { Region: 'eu-west-1', Status: 'Failed' as const, StatusMessage: 'Secret certificates/www exists.' };
    described({ Tags: tagged('eu-west-1'), ReplicationStatus: [failed] });
    sdk.on(ReplicateSecretToRegionsCommand).resolves({ ReplicationStatus: [failed] });
    await expect(share({ replicas: [inWest] })).rejects.toMatchObject({
      name: 'SecretAccessError',
      message: expect.stringContaining('eu-west-1: Secret certificates/www exists.'),
    });
  });

  test('that use another key are not replaced, because their readers would lose them in between', async () => {
    described({ Tags: tagged('eu-west-1'), ReplicationStatus: [{ Region: 'eu-west-1', KmsKeyId: replicaKey }] });
    await expect(share({ replicas: [inWest] })).rejects.toThrow(/key\/replica .*alias/);
    expect(changes()).toEqual([]);
  });

  test('that are removed from the configuration are deleted before their tag is updated', async () => {
    described({
      Tags: tagged('eu-west-1 eu-west-2'),
      ReplicationStatus: [{ Region: 'eu-west-1' }, { Region: 'eu-west-2' }, { Region: 'ap-south-1' }],
    });
    await share({ replicas: [inWest] });
    expect(changes()).toEqual(['RemoveRegionsFromReplication', 'TagResource']);
    expect(sdk).toHaveReceivedCommandWith(RemoveRegionsFromReplicationCommand, { RemoveReplicaRegions: ['eu-west-2'] });
    expect(sdk).toHaveReceivedCommandWith(TagResourceCommand, { Tags: tagged('eu-west-1') });
  });

  test('that this stack did not create are not changed, configured or not', async () => {
    described({ ReplicationStatus: [{ Region: 'eu-west-1' }, { Region: 'ap-south-1' }] });
    await share({ replicas: [inWest] });
    await share({});
    expect(changes()).toEqual([]);
  });
});

test('a secret that does not exist is named in the error', async () => {
  sdk.on(DescribeSecretCommand).rejects(awsError('ResourceNotFoundException'));
  await expect(share({ readers: [reader] })).rejects.toThrow(/secret certificates\/www/);
});

describe('tags of the operator', () => {
  const withTags = createCertificateSecrets({
    prefix: 'certificates/',
    stackTag: 'Perennial',
    tags: { team: 'web' },
    client: new SecretsManagerClient({ region: 'us-east-1' }),
  });
  const none = { readers: [], replicas: [] };
  beforeEach(() => {
    sdk.on(UntagResourceCommand).resolves({});
  });

  test('are set together with the tag of the stack if one is missing or has another value', async () => {
    for (const Tags of [[], [{ Key: 'team', Value: 'shop' }]]) {
      described({ Tags });
      await withTags.share('www', none);
      expect(sdk).toHaveReceivedCommandWith(TagResourceCommand, {
        SecretId,
        Tags: [
          { Key: 'team', Value: 'web' },
          { Key: 'perennial:stack', Value: 'Perennial' },
        ],
      });
      sdk.resetHistory();
    }
  });

  test('that the secret has are not set again', async () => {
    described({ Tags: [{ Key: 'team', Value: 'web' }] });
    expect(await withTags.share('www', none)).toBe(true);
    expect(changes()).toEqual([]);
  });

  test('of an earlier configuration are removed if the secret has them, and other tags stay', async () => {
    described({
      Tags: [
        { Key: 'team', Value: 'web' },
        { Key: 'stage', Value: 'test' },
        { Key: 'by-hand', Value: 'x' },
      ],
    });
    await withTags.share('www', { ...none, removedTags: ['stage', 'gone'] });
    expect(changes()).toEqual(['UntagResource']);
    expect(sdk).toHaveReceivedCommandWith(UntagResourceCommand, { SecretId, TagKeys: ['stage'] });
  });

  test('that are rejected do not keep readers from being set', async () => {
    sdk.on(TagResourceCommand).rejects(awsError('InvalidParameterException', 'The tag is not allowed.'));
    await expect(withTags.share('www', { ...none, readers: [reader] })).rejects.toThrow(/The tag is not allowed/);
    expect(changes()).toContain('PutResourcePolicy');
  });
});
