import { createHash } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
  RemoveRegionsFromReplicationCommand,
  ReplicateSecretToRegionsCommand,
  SecretsManagerClient,
  StopReplicationToReplicaCommand,
  type Tag,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, expect, test } from 'vitest';
import { inAccount } from '../../local/deploy.ts';
import type { LocalEnvironment } from '../../local/environment.ts';
import { deleteReader, newReader, otherAccount } from './reader.ts';
import { sharedEnvironment } from './shared-environment.ts';
import { allow, credentialsOf } from './stack.ts';

let local: LocalEnvironment;
beforeAll(async () => {
  local = await sharedEnvironment();
});

const token = (text: string) => createHash('sha256').update(text).digest('hex');

const client = () => new SecretsManagerClient(local.clientConfig);
const create = (name: string) =>
  client().send(
    new CreateSecretCommand({ Name: name, SecretString: 'placeholder', ClientRequestToken: token('placeholder') }),
  );
const put = (name: string, value: string, label: string) =>
  client().send(
    new PutSecretValueCommand({
      SecretId: name,
      SecretString: value,
      ClientRequestToken: token(name + label),
      VersionStages: [label],
    }),
  );
const stages = async (name: string) =>
  (await client().send(new DescribeSecretCommand({ SecretId: name }))).VersionIdsToStages;

test('the token of CreateSecret becomes the id of the first version', async () => {
  expect((await create('created')).VersionId).toBe(token('placeholder'));
  expect(await stages('created')).toEqual({ [token('placeholder')]: ['AWSCURRENT'] });
  expect((await create('created')).VersionId).toBe(token('placeholder'));
});

test('a token that is used again is accepted with the same value and rejected with another value', async () => {
  await create('tokens');
  const first = await put('tokens', 'one', 'CANDIDATE');
  expect((await put('tokens', 'one', 'CANDIDATE')).VersionId).toBe(first.VersionId);
  await expect(put('tokens', 'two', 'CANDIDATE')).rejects.toMatchObject({ name: 'ResourceExistsException' });
  const kept = await client().send(new GetSecretValueCommand({ SecretId: 'tokens', VersionStage: 'CANDIDATE' }));
  expect(kept.SecretString).toBe('one');
});

test('a token of fewer than 32 characters is rejected', async () => {
  const short = new CreateSecretCommand({ Name: 'short', SecretString: 'x', ClientRequestToken: 'too-short' });
  await expect(client().send(short)).rejects.toMatchObject({ name: 'InvalidParameterException' });
});

test('the first version of a secret that was created without a value becomes current, besides its own label', async () => {
  await client().send(new CreateSecretCommand({ Name: 'empty' }));
  await put('empty', 'one', 'CANDIDATE');
  expect(await stages('empty')).toEqual({ [token('emptyCANDIDATE')]: ['CANDIDATE', 'AWSCURRENT'] });
});

test('a custom label moves to the version that is written with it', async () => {
  await create('labels');
  await put('labels', 'one', 'CANDIDATE');
  const second = new PutSecretValueCommand({
    SecretId: 'labels',
    SecretString: 'two',
    ClientRequestToken: token('second'),
    VersionStages: ['CANDIDATE'],
  });
  await client().send(second);
  expect(await stages('labels')).toEqual({
    [token('placeholder')]: ['AWSCURRENT'],
    [token('second')]: ['CANDIDATE'],
  });
});

test('a version id and a label in one request must belong to the same version', async () => {
  await create('both');
  const { VersionId } = await put('both', 'one', 'CANDIDATE');
  const get = async (VersionStage: string) =>
    (await client().send(new GetSecretValueCommand({ SecretId: 'both', VersionId, VersionStage }))).SecretString;
  expect(await get('CANDIDATE')).toBe('one');
  await expect(get('AWSCURRENT')).rejects.toMatchObject({
    name: 'InvalidRequestException',
    message: expect.stringContaining('not associated to the provided VersionId'),
  });
});

test('versions without a label are listed only with IncludeDeprecated', async () => {
  const SecretId = 'listed';
  const { VersionId: first } = await create(SecretId);
  const { VersionId: second } = await put(SecretId, 'one', 'CANDIDATE');
  const move = { VersionStage: 'CANDIDATE', RemoveFromVersionId: second, MoveToVersionId: first };
  await client().send(new UpdateSecretVersionStageCommand({ SecretId, ...move }));
  const list = async (IncludeDeprecated: boolean) => {
    const { Versions } = await client().send(new ListSecretVersionIdsCommand({ SecretId, IncludeDeprecated }));
    return Versions?.map(({ VersionId }) => VersionId);
  };
  expect(await list(false)).toEqual([first]);
  expect(new Set(await list(true))).toEqual(new Set([first, second]));
});

test('moving AWSCURRENT labels the previous version AWSPREVIOUS, and requires its version id', async () => {
  await create('moving');
  const { VersionId } = await put('moving', 'one', 'CANDIDATE');
  const move = (from: string) =>
    client().send(
      new UpdateSecretVersionStageCommand({
        SecretId: 'moving',
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: VersionId,
        RemoveFromVersionId: from,
      }),
    );
  await expect(move(token('not a version'))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await move(token('placeholder'));
  expect(await stages('moving')).toEqual({
    [VersionId as string]: ['CANDIDATE', 'AWSCURRENT'],
    [token('placeholder')]: ['AWSPREVIOUS'],
  });
});

test('a secret that is scheduled for deletion has a date and cannot be read, written or created again', async () => {
  await create('deleted');
  await client().send(new DeleteSecretCommand({ SecretId: 'deleted', RecoveryWindowInDays: 7 }));
  const described = await client().send(new DescribeSecretCommand({ SecretId: 'deleted' }));
  expect(described.DeletedDate).toBeInstanceOf(Date);
  const refused = { name: 'InvalidRequestException' };
  await expect(client().send(new GetSecretValueCommand({ SecretId: 'deleted' }))).rejects.toMatchObject(refused);
  await expect(put('deleted', 'x', 'CANDIDATE')).rejects.toMatchObject(refused);
  await expect(create('deleted')).rejects.toMatchObject(refused);
});

test('the condition keys for stage and version exist only in requests that name them', async () => {
  await create('conditions');
  const asked = async (condition: object, what: { VersionStage?: string; VersionId?: string } = {}) => {
    const credentials = await credentialsOf(local, { ...allow('secretsmanager:GetSecretValue'), Condition: condition });
    const by = new SecretsManagerClient({ ...local.clientConfig, credentials });
    const reply = by.send(new GetSecretValueCommand({ SecretId: 'conditions', ...what }));
    return reply.then(
      () => true,
      () => false,
    );
  };
  const stage = { 'secretsmanager:VersionStage': 'AWSCURRENT' };
  expect(await asked({ StringEquals: stage })).toBe(false);
  expect(await asked({ StringEqualsIfExists: stage })).toBe(true);
  expect(await asked({ StringEquals: stage }, { VersionStage: 'AWSCURRENT' })).toBe(true);
  const versionId = token('placeholder');
  expect(await asked({ Null: { 'secretsmanager:VersionId': 'true' } }, { VersionId: versionId })).toBe(false);
});

test('tagging a secret is allowed only if its existing tags and the new tag keys match the condition', async () => {
  const tag = { Key: 'stack', Value: 'own' };
  const made = (Name: string, Tags: Tag[]) => client().send(new CreateSecretCommand({ Name, SecretString: 'x', Tags }));
  await made('tagged/own', [tag]);
  await made('tagged/other', [{ Key: 'stack', Value: 'other' }]);
  await made('tagged/none', []);
  const credentials = await credentialsOf(local, {
    ...allow(['secretsmanager:CreateSecret', 'secretsmanager:TagResource']),
    Condition: {
      StringEquals: { 'aws:RequestTag/stack': 'own' },
      StringEqualsIfExists: { 'aws:ResourceTag/stack': 'own' },
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['stack', 'certificate'] },
    },
  });
  const by = new SecretsManagerClient({ ...local.clientConfig, credentials });
  const tagged = (name: string, ...Tags: Tag[]) =>
    by.send(new TagResourceCommand({ SecretId: `tagged/${name}`, Tags }));
  const denied = { name: 'AccessDeniedException' };
  await by.send(new CreateSecretCommand({ Name: 'tagged/new', SecretString: 'x', Tags: [tag] }));
  for (const name of ['new', 'own', 'none']) await tagged(name, tag);
  await expect(tagged('other', tag)).rejects.toMatchObject(denied);
  await expect(tagged('own', tag, { Key: 'team', Value: 'x' })).rejects.toMatchObject(denied);
});

test('a resource policy needs principals that exist, and BlockPublicPolicy rejects one for all principals', async () => {
  await create('policies');
  const put = (AWS: string) =>
    client().send(
      new PutResourcePolicyCommand({
        SecretId: 'policies',
        BlockPublicPolicy: true,
        ResourcePolicy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: 'secretsmanager:GetSecretValue', Resource: '*' }],
        }),
      }),
    );
  await expect(put('arn:aws:iam::000000000000:role/missing')).rejects.toMatchObject({
    name: 'MalformedPolicyDocumentException',
  });
  await expect(put('*')).rejects.toMatchObject({ name: 'PublicPolicyException' });
  await put('arn:aws:iam::000000000000:root');
});

const allowReader = async (name: string, arn: string) => {
  const Statement = [
    { Effect: 'Allow', Principal: { AWS: arn }, Action: 'secretsmanager:GetSecretValue', Resource: '*' },
  ];
  const ResourcePolicy = JSON.stringify({ Version: '2012-10-17', Statement });
  await client().send(new PutResourcePolicyCommand({ SecretId: name, ResourcePolicy }));
};
const principal = async (name: string) => {
  const { ResourcePolicy } = await client().send(new GetResourcePolicyCommand({ SecretId: name }));
  return JSON.parse(ResourcePolicy ?? '').Statement[0].Principal.AWS;
};

test('a role of another account can read a secret by its complete ARN if both accounts allow it, but not the root', async () => {
  const { ARN = '' } = await create('shared');
  const { arn, credentials } = await newReader(local, 'reader');
  const read = (SecretId: string, as: object = { credentials }) =>
    new SecretsManagerClient({ ...local.clientConfig, ...as }).send(new GetSecretValueCommand({ SecretId }));
  const denied = { name: 'AccessDeniedException' };
  await expect(read(ARN)).rejects.toMatchObject(denied);
  await allowReader('shared', arn);
  expect((await read(ARN)).SecretString).toBe('placeholder');
  await expect(read('shared')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await expect(read(ARN.slice(0, -7))).rejects.toMatchObject(denied);
  await expect(read(ARN, inAccount(local, otherAccount).clientConfig)).rejects.toMatchObject(denied);
  const { arn: another } = await newReader(local, 'another');
  await allowReader('shared', another);
  await expect(read(ARN)).rejects.toMatchObject(denied);
});

test('a resource policy stores a role by its id, so a new role with the same name has no access', async () => {
  const { ARN: SecretId = '' } = await create('ids');
  const { arn } = await newReader(local, 'short-lived');
  await allowReader('ids', arn);
  expect(await principal('ids')).toBe(arn);
  await deleteReader(local, 'short-lived');
  expect(await principal('ids')).toMatch(/^AROA/);
  const { credentials } = await newReader(local, 'short-lived');
  const read = new SecretsManagerClient({ ...local.clientConfig, credentials }).send(
    new GetSecretValueCommand({ SecretId }),
  );
  await expect(read).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

describe('a secret with a replica', () => {
  const there = () => new SecretsManagerClient({ ...local.clientConfig, region: 'eu-west-1' });
  const describeReplica = (SecretId: string) => there().send(new DescribeSecretCommand({ SecretId }));
  const refused = (sentence: RegExp) => ({
    name: 'InvalidParameterException',
    message: expect.stringMatching(sentence),
  });

  async function replicated(SecretId: string): Promise<void> {
    await create(SecretId);
    const AddReplicaRegions = [{ Region: 'eu-west-1' }];
    await client().send(new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions }));
  }

  test('has no replica after its removal', async () => {
    await replicated('removed');
    expect(await describeReplica('removed')).toMatchObject({ PrimaryRegion: 'us-east-1' });
    const removal = { SecretId: 'removed', RemoveReplicaRegions: ['eu-west-1'] };
    expect((await client().send(new RemoveRegionsFromReplicationCommand(removal))).ReplicationStatus).toEqual([]);
    await expect(describeReplica('removed')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('cannot be deleted, also not by force, until its replicas are removed', async () => {
    await replicated('kept');
    const remove = (ForceDeleteWithoutRecovery: boolean) =>
      client().send(new DeleteSecretCommand({ SecretId: 'kept', ForceDeleteWithoutRecovery }));
    for (const force of [true, false]) {
      await expect(remove(force)).rejects.toMatchObject(refused(/still has replica regions \[eu-west-1\]/));
    }
    const removal = { SecretId: 'kept', RemoveReplicaRegions: ['eu-west-1'] };
    await client().send(new RemoveRegionsFromReplicationCommand(removal));
    await remove(true);
  });

  test('is not changed through its replica, until the replication to the replica stops', async () => {
    await replicated('promoted');
    const SecretId = 'promoted';
    const write = () => there().send(new PutSecretValueCommand({ SecretId, SecretString: 'new' }));
    const tag = () => there().send(new TagResourceCommand({ SecretId, Tags: [{ Key: 'team', Value: 'web' }] }));
    const remove = () => there().send(new DeleteSecretCommand({ SecretId }));
    for (const change of [write, tag, remove])
      await expect(change()).rejects.toMatchObject(refused(/not permitted on a replica/));
    await there().send(new StopReplicationToReplicaCommand({ SecretId }));
    await write();
    expect((await describeReplica(SecretId)).PrimaryRegion).toBeUndefined();
    expect((await client().send(new DescribeSecretCommand({ SecretId }))).ReplicationStatus ?? []).toEqual([]);
    expect((await client().send(new GetSecretValueCommand({ SecretId }))).SecretString).toBe('placeholder');
  });
});
