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
import { atCa } from '../../../../fakes/specs.ts';
import { deleteReader, otherAccount, newReader as roleOf } from '../../../../local/reader.ts';

/** Tests the resource policy and the replicas of a secret against Secrets Manager with IAM enforcement and roles of another account. */
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
/** Creates a secret with a current certificate, a previous one and a staged key. */
beforeEach(async () => {
  count += 1;
  secret = `www${count}`;
  await secrets.create(secret);
  for (const order of ['first', 'second']) {
    const value = await secretValue({
      identifiers: ['example.com'],
      serialNumber: order === 'first' ? '0a01' : '0a02',
    });
    await secrets.stageKey(secret, atCa(order), value.privateKey);
    await makeCurrent(await secrets.putCertificate(secret, order, value));
  }
  await secrets.stageKey(secret, atCa('third'), 'a key without a certificate');
});

const makeCurrent = async (to: string) =>
  secrets.makeCurrent(secret, { from: (await secrets.describe(secret))?.currentVersion ?? null, to });

const describeIt = () => client.send(new DescribeSecretCommand({ SecretId: `certificates/${secret}` }));
const policy = async () =>
  (await client.send(new GetResourcePolicyCommand({ SecretId: `certificates/${secret}` }))).ResourcePolicy;
const regions = async () => (await describeIt()).ReplicationStatus?.map(({ Region }) => Region) ?? [];
const replica = (region: string, encryptionKey: string | null = null) => ({ region, encryptionKey });

/** Creates a role in another account. Returns its ARN and a client with its credentials. */
async function newReader(name: string) {
  const { arn, credentials } = await roleOf(local, name);
  return { arn, client: new SecretsManagerClient({ ...local.clientConfig, credentials }) };
}

describe('a reader', () => {
  /** Reads the secret. Returns the serial number of the certificate, or the name of the error. */
  async function readBy(by: SecretsManagerClient, what: { VersionStage?: string; VersionId?: string } = {}) {
    const { ARN: SecretId } = await describeIt();
    try {
      const { SecretString } = await by.send(new GetSecretValueCommand({ SecretId, ...what }));
      return (JSON.parse(SecretString ?? '{}') as { serialNumber?: string }).serialNumber ?? 'a key';
    } catch (error) {
      return (error as Error).name;
    }
  }

  test('reads the current and the previous certificate, and no staged key, neither by stage nor by id', async () => {
    const reader = await newReader('reader');
    expect(await readBy(reader.client)).toBe('AccessDeniedException');
    await secrets.share(secret, { readers: [reader.arn], replicas: [] });
    const { VersionIdsToStages: stages = {} } = await describeIt();
    const [candidate, current] = ['CANDIDATE', 'AWSCURRENT'].map(
      (label) => Object.entries(stages).find(([, labels]) => labels.includes(label))?.[0] ?? '',
    );
    expect(await readBy(client, { VersionId: candidate ?? '' })).toBe('a key');
    expect(await readBy(reader.client)).toBe('0a02');
    expect(await readBy(reader.client, { VersionStage: 'AWSCURRENT' })).toBe('0a02');
    expect(await readBy(reader.client, { VersionStage: 'AWSPREVIOUS' })).toBe('0a01');
    for (const what of [
      { VersionStage: 'CANDIDATE' },
      { VersionId: candidate ?? '' },
      { VersionId: current ?? '' },
      { VersionId: candidate ?? '', VersionStage: 'AWSCURRENT' },
    ])
      expect(await readBy(reader.client, what), JSON.stringify(what)).toBe('AccessDeniedException');
  });

  test('that is removed from the configuration loses access, and the reader that replaces it gains access', async () => {
    const [one, other] = [await newReader('one'), await newReader('other')];
    await secrets.share(secret, { readers: [one.arn], replicas: [] });
    await secrets.share(secret, { readers: [other.arn], replicas: [] });
    expect(await readBy(one.client)).toBe('AccessDeniedException');
    expect(await readBy(other.client)).toBe('0a02');
    await secrets.share(secret, { readers: [], replicas: [] });
    expect(await readBy(other.client)).toBe('AccessDeniedException');
    expect(await policy()).toBeUndefined();
  });

  test('whose role does not exist yet does not block other readers, and can read as soon as its role exists', async () => {
    const other = await newReader('existing');
    const early = `arn:aws:iam::${otherAccount}:role/early`;
    await secrets.share(secret, { readers: [other.arn, early], replicas: [] });
    expect(await readBy(other.client)).toBe('0a02');
    expect(await readBy((await newReader('early')).client)).toBe('0a02');
  });

  test('whose role is deleted and created again can still read', async () => {
    const { arn, client: before } = await newReader('again');
    await secrets.share(secret, { readers: [arn], replicas: [] });
    expect(await readBy(before)).toBe('0a02');
    await deleteReader(local, 'again');
    expect(await readBy((await newReader('again')).client)).toBe('0a02');
  });

  test('in an account that is configured as a whole can read if the policies of its account allow it', async () => {
    const { client: anyRole } = await newReader('any-role');
    await secrets.share(secret, { readers: [`arn:aws:iam::${otherAccount}:root`], replicas: [] });
    expect(await readBy(anyRole)).toBe('0a02');
    expect(await readBy(anyRole, { VersionStage: 'CANDIDATE' })).toBe('AccessDeniedException');
  });

  test('that is removed loses access even if another reader is rejected, and the remaining reader keeps access', async () => {
    const [one, staying] = [await newReader('leaving'), await newReader('staying')];
    await secrets.share(secret, { readers: [one.arn, staying.arn], replicas: [replica('eu-west-1')] });
    await expect(secrets.share(secret, { readers: [staying.arn, '*'], replicas: [] })).rejects.toThrow('as readers of');
    expect(await readBy(one.client)).toBe('AccessDeniedException');
    expect(await readBy(staying.client)).toBe('0a02');
    expect(await regions()).toEqual([]);
  });

  test('cannot be everyone', async () => {
    await expect(secrets.share(secret, { readers: ['*'], replicas: [] })).rejects.toMatchObject({
      name: 'SecretAccessError',
    });
    expect(await policy()).toBeUndefined();
  });

  test('does not replace a resource policy that this stack did not write, and the removal of all readers does not either', async () => {
    const otherPolicy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action: 'secretsmanager:DeleteSecret', Resource: '*' }],
    });
    const SecretId = `certificates/${secret}`;
    await client.send(new PutResourcePolicyCommand({ SecretId, ResourcePolicy: otherPolicy }));
    const { arn } = await newReader('late');
    await expect(secrets.share(secret, { readers: [arn], replicas: [] })).rejects.toThrow(/this stack did not write/);
    await secrets.share(secret, { readers: [], replicas: [] });
    expect(await policy()).toBe(otherPolicy);
  });
});

describe('a replica', () => {
  const inRegion = (region: string) => new SecretsManagerClient({ ...local.clientConfig, region });
  const read = async (region: string) =>
    (await inRegion(region).send(new GetSecretValueCommand({ SecretId: `certificates/${secret}` }))).SecretString ?? '';

  test('has the value of the secret, also after the next renewal, and is created once', async () => {
    const replications = async () =>
      (await local.aws.apiCalls()).filter(({ operation }) => operation === 'ReplicateSecretToRegions').length;
    const before = await replications();
    expect(await secrets.share(secret, { readers: [], replicas: [replica('eu-west-1')] })).toBe(true);
    expect(JSON.parse(await read('eu-west-1'))).toMatchObject({ serialNumber: '0a02' });
    const next = await secretValue({ identifiers: ['example.com'], serialNumber: '0a03' });
    await makeCurrent(await secrets.putCertificate(secret, 'third', next));
    await secrets.share(secret, { readers: [], replicas: [replica('eu-west-1')] });
    expect(JSON.parse(await read('eu-west-1'))).toMatchObject({ serialNumber: '0a03' });
    expect(await replications()).toBe(before + 1);
  });

  test('is removed with its region from the configuration, while a replica that this stack did not create is kept', async () => {
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

  test('is not created if its region already has a secret with that name', async () => {
    const existing = inRegion('eu-central-1');
    await existing.send(new CreateSecretCommand({ Name: `certificates/${secret}`, SecretString: 'existing value' }));
    await expect(secrets.share(secret, { readers: [], replicas: [replica('eu-central-1')] })).rejects.toMatchObject({
      name: 'SecretAccessError',
      message: expect.stringContaining('eu-central-1'),
    });
    expect(await read('eu-central-1')).toBe('existing value');
  });
});
