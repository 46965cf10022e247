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
/** Names of the calls that change something, in order. */
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
  test('cannot be given a secret under AWS’s own key, and are told how it gets another', async () => {
    sdk.on(DescribeSecretCommand).resolves({ Name: SecretId });
    await expect(share({ readers: [reader] })).rejects.toMatchObject({
      name: 'SecretAccessError',
      message: expect.stringContaining('aws secretsmanager update-secret --secret-id certificates/www --kms-key-id'),
    });
    expect(changes()).toEqual([]);
  });

  test.each(['InvalidParameterException', 'MalformedPolicyDocumentException', 'PublicPolicyException'])(
    'that AWS refuses with %s are named, with its words',
    async (name) => {
      sdk.on(PutResourcePolicyCommand).rejects(awsError(name, 'an unsupported principal.'));
      await expect(share({ readers: [reader] })).rejects.toMatchObject({
        name: 'SecretAccessError',
        message: expect.stringMatching(/role\/web as readers of secret certificates\/www\. .*an unsupported principal/),
      });
    },
  );

  const other = 'arn:aws:iam::444455556666:role/mail';
  const refusing = (readers: readonly string[]) => {
    sdk.on(GetResourcePolicyCommand).resolves({ ResourcePolicy: JSON.stringify(readersPolicy([reader, other])) });
    const ResourcePolicy = JSON.stringify(readersPolicy(readers));
    sdk.on(PutResourcePolicyCommand, { ResourcePolicy }).rejects(awsError('MalformedPolicyDocumentException', 'no.'));
  };

  test('that are taken out read no more although one who came is refused: those who stay are put alone', async () => {
    const nobody = 'arn:aws:iam::444455556666:role/nobody';
    refusing([reader, nobody]);
    await expect(share({ readers: [reader, nobody] })).rejects.toThrow(/role\/nobody/);
    expect(changes()).toEqual(['PutResourcePolicy', 'PutResourcePolicy']);
    expect(sdk).toHaveReceivedCommandWith(PutResourcePolicyCommand, {
      ResourcePolicy: JSON.stringify(readersPolicy([reader])),
    });
  });

  test('that are all taken out read no more although one who came is refused', async () => {
    const nobody = 'arn:aws:iam::444455556666:role/nobody';
    refusing([nobody]);
    await expect(share({ readers: [nobody] })).rejects.toThrow(/role\/nobody/);
    expect(changes()).toEqual(['PutResourcePolicy', 'DeleteResourcePolicy']);
  });

  test('that stay although another is refused are not touched', async () => {
    const nobody = 'arn:aws:iam::444455556666:role/nobody';
    refusing([reader, other, nobody]);
    await expect(share({ readers: [reader, other, nobody] })).rejects.toThrow(/role\/nobody/);
    expect(changes()).toEqual(['PutResourcePolicy']);
  });

  test('that are refused keep no replica from going and none from coming', async () => {
    described({ Tags: tagged('eu-west-2'), ReplicationStatus: [{ Region: 'eu-west-2', Status: 'InSync' }] });
    sdk.on(PutResourcePolicyCommand).rejects(awsError('MalformedPolicyDocumentException', 'no.'));
    const replicas = [{ region: 'eu-west-1', encryptionKey: null }];
    await expect(share({ readers: [reader], replicas })).rejects.toThrow(/role\/web as readers/);
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
  ])('that AWS answers with %s leave %s: only the second is worth another try at once', async (name, ours) => {
    sdk.on(PutResourcePolicyCommand).rejects(awsError(name, 'no.'));
    await expect(share({ readers: [reader] })).rejects.toMatchObject({ name: ours, cause: expect.any(Error) });
  });

  test('that are none need no change where there was no policy', async () => {
    await share({});
    expect(changes()).toEqual([]);
  });
});

describe('replicas', () => {
  const inWest: Replica = { region: 'eu-west-1', encryptionKey: null };

  test('are noted on the secret before they are made, each with its key', async () => {
    await share({ replicas: [inWest, { region: 'eu-west-2', encryptionKey: replicaKey }] });
    expect(changes()).toEqual(['TagResource', 'ReplicateSecretToRegions']);
    expect(sdk).toHaveReceivedCommandWith(ReplicateSecretToRegionsCommand, {
      AddReplicaRegions: [{ Region: 'eu-west-1' }, { Region: 'eu-west-2', KmsKeyId: replicaKey }],
    });
  });

  test('that are there as wanted are left alone', async () => {
    described({
      Tags: tagged('eu-west-1'),
      ReplicationStatus: [{ Region: 'eu-west-1', Status: 'InSync', KmsKeyId: 'alias/aws/secretsmanager' }],
    });
    await share({ replicas: [inWest] });
    expect(changes()).toEqual([]);
  });

  test('that Secrets Manager is still making are no fault, and not settled', async () => {
    const making = { Region: 'eu-west-1', Status: 'InProgress' as const };
    sdk.on(ReplicateSecretToRegionsCommand).resolves({ ReplicationStatus: [making] });
    expect(await share({ replicas: [inWest] })).toBe(false);
    described({ Tags: tagged('eu-west-1'), ReplicationStatus: [making] });
    expect(await share({ replicas: [inWest] })).toBe(false);
    described({ Tags: tagged('eu-west-1'), ReplicationStatus: [{ ...making, Status: 'InSync' }] });
    expect(await share({ replicas: [inWest] })).toBe(true);
    expect(changes()).toEqual(['TagResource', 'ReplicateSecretToRegions']);
  });

  test('that failed after the answer come up at the next look, though they are being made again by then', async () => {
    const failed = { Region: 'eu-west-1', Status: 'Failed' as const, StatusMessage: 'The key is disabled.' };
    described({ Tags: tagged('eu-west-1'), ReplicationStatus: [failed] });
    sdk
      .on(ReplicateSecretToRegionsCommand)
      .resolves({ ReplicationStatus: [{ Region: 'eu-west-1', Status: 'InProgress' }] });
    await expect(share({ replicas: [inWest] })).rejects.toThrow(/eu-west-1: The key is disabled/);
    expect(changes()).toEqual(['ReplicateSecretToRegions']);
  });

  test('that are wanted no more go although another is refused', async () => {
    described({ Tags: tagged('eu-west-2'), ReplicationStatus: [{ Region: 'eu-west-2', Status: 'InSync' }] });
    sdk.on(ReplicateSecretToRegionsCommand).rejects(awsError('InvalidParameterException', 'no.'));
    await expect(share({ replicas: [inWest] })).rejects.toThrow(/cannot be replicated to eu-west-1/);
    expect(sdk).toHaveReceivedCommandWith(RemoveRegionsFromReplicationCommand, { RemoveReplicaRegions: ['eu-west-2'] });
  });

  test('that cannot be taken away keep readers from nothing, and their note stays', async () => {
    described({ Tags: tagged('eu-west-2'), ReplicationStatus: [{ Region: 'eu-west-2', Status: 'InSync' }] });
    sdk.on(RemoveRegionsFromReplicationCommand).rejects(awsError('InvalidRequestException', 'still being made.'));
    await expect(share({ readers: [reader], replicas: [inWest] })).rejects.toThrow(/still being made/);
    expect(sdk).toHaveReceivedCommandWith(TagResourceCommand, { Tags: tagged('eu-west-1 eu-west-2') });
    expect(changes()).toContain('PutResourcePolicy');
  });

  test('that failed are asked for again, and what AWS then says of them comes up', async () => {
    const failed = { Region: 'eu-west-1', Status: 'Failed' as const, StatusMessage: 'Secret certificates/www exists.' };
    described({ Tags: tagged('eu-west-1'), ReplicationStatus: [failed] });
    sdk.on(ReplicateSecretToRegionsCommand).resolves({ ReplicationStatus: [failed] });
    await expect(share({ replicas: [inWest] })).rejects.toMatchObject({
      name: 'SecretAccessError',
      message: expect.stringContaining('eu-west-1: Secret certificates/www exists.'),
    });
  });

  test('of another key are not exchanged: who reads them would miss them', async () => {
    described({ Tags: tagged('eu-west-1'), ReplicationStatus: [{ Region: 'eu-west-1', KmsKeyId: replicaKey }] });
    await expect(share({ replicas: [inWest] })).rejects.toThrow(/encrypted with .*key\/replica and not with alias/);
    expect(changes()).toEqual([]);
  });

  test('that are wanted no more go, and the note of them last', async () => {
    described({
      Tags: tagged('eu-west-1 eu-west-2'),
      ReplicationStatus: [{ Region: 'eu-west-1' }, { Region: 'eu-west-2' }, { Region: 'ap-south-1' }],
    });
    await share({ replicas: [inWest] });
    expect(changes()).toEqual(['RemoveRegionsFromReplication', 'TagResource']);
    expect(sdk).toHaveReceivedCommandWith(RemoveRegionsFromReplicationCommand, { RemoveReplicaRegions: ['eu-west-2'] });
    expect(sdk).toHaveReceivedCommandWith(TagResourceCommand, { Tags: tagged('eu-west-1') });
  });

  test('that somebody else made are not counted as ours, wanted or not', async () => {
    described({ ReplicationStatus: [{ Region: 'eu-west-1' }, { Region: 'ap-south-1' }] });
    await share({ replicas: [inWest] });
    await share({});
    expect(changes()).toEqual([]);
  });
});

test('a secret that is not there is named', async () => {
  sdk.on(DescribeSecretCommand).rejects(awsError('ResourceNotFoundException'));
  await expect(share({ readers: [reader] })).rejects.toThrow(/no secret certificates\/www/);
});
