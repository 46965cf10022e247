import { createHash } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalEnvironment, startLocalEnvironment } from '../../local/environment.ts';

let local: LocalEnvironment;
beforeAll(async () => {
  local = await startLocalEnvironment();
});
afterAll(() => local?.stop());

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

test('the token given at creation names the first version', async () => {
  expect((await create('created')).VersionId).toBe(token('placeholder'));
  expect(await stages('created')).toEqual({ [token('placeholder')]: ['AWSCURRENT'] });
  expect((await create('created')).VersionId).toBe(token('placeholder'));
});

test('a token keeps its first content: the same is answered again, another is refused', async () => {
  await create('tokens');
  const first = await put('tokens', 'one', 'CANDIDATE');
  expect((await put('tokens', 'one', 'CANDIDATE')).VersionId).toBe(first.VersionId);
  await expect(put('tokens', 'two', 'CANDIDATE')).rejects.toMatchObject({ name: 'ResourceExistsException' });
  const kept = await client().send(new GetSecretValueCommand({ SecretId: 'tokens', VersionStage: 'CANDIDATE' }));
  expect(kept.SecretString).toBe('one');
});

test('a token of fewer than 32 characters is refused', async () => {
  const short = new CreateSecretCommand({ Name: 'short', SecretString: 'x', ClientRequestToken: 'too-short' });
  await expect(client().send(short)).rejects.toMatchObject({ name: 'InvalidParameterException' });
});

test('the first version of a secret made without a value becomes current, whatever label was asked', async () => {
  await client().send(new CreateSecretCommand({ Name: 'empty' }));
  await put('empty', 'one', 'CANDIDATE');
  expect(await stages('empty')).toEqual({ [token('emptyCANDIDATE')]: ['CANDIDATE', 'AWSCURRENT'] });
});

test('a label of our own moves to the version that asks for it', async () => {
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

test('moving AWSCURRENT leaves AWSPREVIOUS on the version it left, and needs to know which one that is', async () => {
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

test('a secret that waits for its deletion says so and can be neither read, written nor made again', async () => {
  await create('deleted');
  await client().send(new DeleteSecretCommand({ SecretId: 'deleted', RecoveryWindowInDays: 7 }));
  const described = await client().send(new DescribeSecretCommand({ SecretId: 'deleted' }));
  expect(described.DeletedDate).toBeInstanceOf(Date);
  const refused = { name: 'InvalidRequestException' };
  await expect(client().send(new GetSecretValueCommand({ SecretId: 'deleted' }))).rejects.toMatchObject(refused);
  await expect(put('deleted', 'x', 'CANDIDATE')).rejects.toMatchObject(refused);
  await expect(create('deleted')).rejects.toMatchObject(refused);
});
