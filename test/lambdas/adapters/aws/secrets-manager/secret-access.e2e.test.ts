import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  ReplicateSecretToRegionsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCertificateSecrets } from '../../../../../lambdas/adapters/aws/secrets-manager/certificate-secrets.ts';
import type { CertificateSecrets } from '../../../../../lambdas/domain/ports/certificate-secrets.ts';
import { type LocalEnvironment, startLocalEnvironment } from '../../../../../local/environment.ts';
import { secretValue } from '../../../../fakes/certificate-authority.ts';
import { deleteReader, otherAccount, newReader as roleOf } from '../../../../local/reader.ts';

/** Who may read a secret, asked of a Secrets Manager that has IAM enforced, by callers as there are. */
let local: LocalEnvironment;
let client: SecretsManagerClient;
let secrets: CertificateSecrets;
let secret: string;
beforeAll(async () => {
  local = await startLocalEnvironment();
  client = new SecretsManagerClient(local.clientConfig);
  const kmsKeyId = 'arn:aws:kms:us-east-1:000000000000:key/01234567-89ab-cdef-0123-456789abcdef';
  secrets = createCertificateSecrets({ prefix: 'certificates/', stackTag: 'Perennial', kmsKeyId, client });
});
afterAll(() => local?.stop());

let count = 0;
/** A secret with a current certificate, one before it, and a staged key. */
beforeEach(async () => {
  count += 1;
  secret = `www${count}`;
  await secrets.create(secret);
  for (const order of ['first', 'second']) {
    const value = await secretValue({
      identifiers: ['example.com'],
      serialNumber: order === 'first' ? '0a01' : '0a02',
    });
    await secrets.stageKey(secret, order, value.privateKey);
    await secrets.makeCurrent(secret, await secrets.putCertificate(secret, order, value));
  }
  await secrets.stageKey(secret, 'third', 'a key without a certificate');
});

const describeIt = () => client.send(new DescribeSecretCommand({ SecretId: `certificates/${secret}` }));
const policy = async () =>
  (await client.send(new GetResourcePolicyCommand({ SecretId: `certificates/${secret}` }))).ResourcePolicy;
const regions = async () => (await describeIt()).ReplicationStatus?.map(({ Region }) => Region) ?? [];
const replica = (region: string, encryptionKey: string | null = null) => ({ region, encryptionKey });

/** A role of another account, and Secrets Manager as it sees it. */
async function newReader(name: string) {
  const { arn, credentials } = await roleOf(local, name);
  return { arn, client: new SecretsManagerClient({ ...local.clientConfig, credentials }) };
}

describe('a reader', () => {
  /** The serial number, or the name of the error. */
  async function asked(by: SecretsManagerClient, what: { VersionStage?: string; VersionId?: string } = {}) {
    const { ARN: SecretId } = await describeIt();
    try {
      const { SecretString } = await by.send(new GetSecretValueCommand({ SecretId, ...what }));
      return (JSON.parse(SecretString ?? '{}') as { serialNumber?: string }).serialNumber ?? 'a key';
    } catch (error) {
      return (error as Error).name;
    }
  }

  test('that names no stage, or one of the two, gets a certificate; a staged key it gets neither by stage nor by id', async () => {
    const reader = await newReader('reader');
    expect(await asked(reader.client)).toBe('AccessDeniedException');
    await secrets.share(secret, { readers: [reader.arn], replicas: [] });
    const { VersionIdsToStages: stages = {} } = await describeIt();
    const [candidate, current] = ['CANDIDATE', 'AWSCURRENT'].map(
      (label) => Object.entries(stages).find(([, labels]) => labels.includes(label))?.[0] ?? '',
    );
    expect(await asked(client, { VersionId: candidate ?? '' })).toBe('a key');
    expect(await asked(reader.client)).toBe('0a02');
    expect(await asked(reader.client, { VersionStage: 'AWSCURRENT' })).toBe('0a02');
    expect(await asked(reader.client, { VersionStage: 'AWSPREVIOUS' })).toBe('0a01');
    for (const what of [
      { VersionStage: 'CANDIDATE' },
      { VersionId: candidate ?? '' },
      { VersionId: current ?? '' },
      { VersionId: candidate ?? '', VersionStage: 'AWSCURRENT' },
    ])
      expect(await asked(reader.client, what), JSON.stringify(what)).toBe('AccessDeniedException');
  });

  test('that is taken out of the configuration reads no more, and whoever took its place does', async () => {
    const [one, other] = [await newReader('one'), await newReader('other')];
    await secrets.share(secret, { readers: [one.arn], replicas: [] });
    await secrets.share(secret, { readers: [other.arn], replicas: [] });
    expect(await asked(one.client)).toBe('AccessDeniedException');
    expect(await asked(other.client)).toBe('0a02');
    await secrets.share(secret, { readers: [], replicas: [] });
    expect(await asked(other.client)).toBe('AccessDeniedException');
    expect(await policy()).toBeUndefined();
  });

  test('that is not made yet keeps no other out, and reads as soon as it is there', async () => {
    const other = await newReader('there');
    const early = `arn:aws:iam::${otherAccount}:role/early`;
    await secrets.share(secret, { readers: [other.arn, early], replicas: [] });
    expect(await asked(other.client)).toBe('0a02');
    expect(await asked((await newReader('early')).client)).toBe('0a02');
  });

  test('that is made anew under its name reads on', async () => {
    const { arn, client: before } = await newReader('again');
    await secrets.share(secret, { readers: [arn], replicas: [] });
    expect(await asked(before)).toBe('0a02');
    await deleteReader(local, 'again');
    expect(await asked((await newReader('again')).client)).toBe('0a02');
  });

  test('of the account that is named as a whole reads by policies of its own', async () => {
    const { client: theirs } = await newReader('anybody');
    await secrets.share(secret, { readers: [`arn:aws:iam::${otherAccount}:root`], replicas: [] });
    expect(await asked(theirs)).toBe('0a02');
    expect(await asked(theirs, { VersionStage: 'CANDIDATE' })).toBe('AccessDeniedException');
  });

  test('that is taken out reads no more, although one who takes its place is refused; whoever stays does', async () => {
    const [one, staying] = [await newReader('leaving'), await newReader('staying')];
    await secrets.share(secret, { readers: [one.arn, staying.arn], replicas: [replica('eu-west-1')] });
    await expect(secrets.share(secret, { readers: [staying.arn, '*'], replicas: [] })).rejects.toThrow('as readers of');
    expect(await asked(one.client)).toBe('AccessDeniedException');
    expect(await asked(staying.client)).toBe('0a02');
    expect(await regions()).toEqual([]);
  });

  test('may be everybody under no circumstances', async () => {
    await expect(secrets.share(secret, { readers: ['*'], replicas: [] })).rejects.toMatchObject({
      name: 'SecretAccessError',
    });
    expect(await policy()).toBeUndefined();
  });

  test('does not displace a resource policy that somebody else wrote, and neither does its absence', async () => {
    const theirs = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action: 'secretsmanager:DeleteSecret', Resource: '*' }],
    });
    const SecretId = `certificates/${secret}`;
    await client.send(new PutResourcePolicyCommand({ SecretId, ResourcePolicy: theirs }));
    const { arn } = await newReader('late');
    await expect(secrets.share(secret, { readers: [arn], replicas: [] })).rejects.toThrow(/this stack did not write/);
    await secrets.share(secret, { readers: [], replicas: [] });
    expect(await policy()).toBe(theirs);
  });
});

describe('a replica', () => {
  const inRegion = (region: string) => new SecretsManagerClient({ ...local.clientConfig, region });
  const read = async (region: string) =>
    (await inRegion(region).send(new GetSecretValueCommand({ SecretId: `certificates/${secret}` }))).SecretString ?? '';

  test('holds what the secret holds, also after the next renewal, and is made once', async () => {
    const made = async () =>
      (await local.aws.apiCalls()).filter(({ operation }) => operation === 'ReplicateSecretToRegions').length;
    const before = await made();
    expect(await secrets.share(secret, { readers: [], replicas: [replica('eu-west-1')] })).toBe(true);
    expect(JSON.parse(await read('eu-west-1'))).toMatchObject({ serialNumber: '0a02' });
    const next = await secretValue({ identifiers: ['example.com'], serialNumber: '0a03' });
    await secrets.makeCurrent(secret, await secrets.putCertificate(secret, 'third', next));
    await secrets.share(secret, { readers: [], replicas: [replica('eu-west-1')] });
    expect(JSON.parse(await read('eu-west-1'))).toMatchObject({ serialNumber: '0a03' });
    expect(await made()).toBe(before + 1);
  });

  test('goes when its region is taken out of the configuration, and one that somebody else made stays', async () => {
    const SecretId = `certificates/${secret}`;
    await client.send(new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions: [{ Region: 'ap-south-1' }] }));
    await secrets.share(secret, { readers: [], replicas: [replica('eu-west-1'), replica('eu-west-2')] });
    expect((await regions()).toSorted()).toEqual(['ap-south-1', 'eu-west-1', 'eu-west-2']);
    await secrets.share(secret, { readers: [], replicas: [replica('eu-west-2')] });
    expect((await regions()).toSorted()).toEqual(['ap-south-1', 'eu-west-2']);
    await expect(read('eu-west-1')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await secrets.share(secret, { readers: [], replicas: [] });
    expect(await regions()).toEqual(['ap-south-1']);
  });

  test('is not made over a secret of that name that is there already', async () => {
    const there = inRegion('eu-central-1');
    await there.send(new CreateSecretCommand({ Name: `certificates/${secret}`, SecretString: 'theirs' }));
    await expect(secrets.share(secret, { readers: [], replicas: [replica('eu-central-1')] })).rejects.toMatchObject({
      name: 'SecretAccessError',
      message: expect.stringContaining('eu-central-1'),
    });
    expect(await read('eu-central-1')).toBe('theirs');
  });
});
