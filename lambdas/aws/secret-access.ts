import {
  DeleteResourcePolicyCommand,
  type DescribeSecretCommandOutput,
  GetResourcePolicyCommand,
  PutResourcePolicyCommand,
  RemoveRegionsFromReplicationCommand,
  ReplicateSecretToRegionsCommand,
  type ReplicationStatusType,
  type SecretsManagerClient,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { isReadersPolicy, readersPolicy } from '../rules/access.ts';
import type { Replica } from '../rules/contract.ts';
import { tags } from '../rules/environment.ts';
import { SecretAccessError } from '../rules/errors.ts';
import { describeSecret, secretReplyOf } from './secrets.ts';

export interface SecretToShare {
  readonly client: SecretsManagerClient;
  /** Its name. */
  readonly secret: string;
  readonly stackTag: string;
}

export interface SecretAccess {
  readonly readers: readonly string[];
  readonly replicas: readonly Replica[];
}

/** Regions that we replicate to, separated by spaces. What somebody else replicates is never taken away. */
const replicasTag = 'perennial:replicas';
/** What a replica without a key of its own reports. */
const awsKey = 'alias/aws/secretsmanager';

/**
 * Resource policy and replicas as `CertificateSecrets.share` says. The tag names a region before there is a replica and until it is
 * gone: whatever is made here is found again.
 */
export async function shareSecret(shared: SecretToShare, { readers, replicas }: SecretAccess): Promise<void> {
  const { client, secret } = shared;
  const described = await describeSecret(client, secret);
  if (!described) throw new SecretAccessError(`Secret ${secret} is not there, so nobody can be given access to it.`);
  if (readers.length > 0 && !described.KmsKeyId) {
    throw new SecretAccessError(
      `Secret ${secret} is encrypted with the account's aws/secretsmanager key, which other accounts cannot use: nobody was ` +
        `given access. Give it your key with: aws secretsmanager update-secret --secret-id ${secret} --kms-key-id <its ARN>`,
    );
  }
  await setReaders(shared, readers);
  await setReplicas(shared, described, replicas);
}

async function setReaders({ client, secret }: SecretToShare, readers: readonly string[]): Promise<void> {
  const before = client.send(new GetResourcePolicyCommand({ SecretId: secret }));
  const { ResourcePolicy: policy } = await secretReplyOf(client, { action: 'GetResourcePolicy', secret }, before);
  if (readers.length === 0) {
    if (policy === undefined || !isReadersPolicy(policy)) return;
    const none = client.send(new DeleteResourcePolicyCommand({ SecretId: secret }));
    await secretReplyOf(client, { action: 'DeleteResourcePolicy', secret }, none);
    return;
  }
  if (policy !== undefined && !isReadersPolicy(policy)) {
    throw new SecretAccessError(
      `Secret ${secret} has a resource policy that somebody else wrote, and it is left as it is. Take it away for the readers of the ` +
        `configuration (aws secretsmanager delete-resource-policy --secret-id ${secret}), or take those out and add them to it by hand.`,
    );
  }
  const refused = (error: Error): never => {
    throw new SecretAccessError(
      `Secrets Manager refuses ${readers.join(', ')} as readers of secret ${secret}: ${error.message} Does each of them exist?`,
      { cause: error },
    );
  };
  const command = new PutResourcePolicyCommand({
    SecretId: secret,
    ResourcePolicy: JSON.stringify(readersPolicy(readers)),
    BlockPublicPolicy: true,
  });
  await secretReplyOf(client, { action: 'PutResourcePolicy', secret }, client.send(command), {
    InvalidParameterException: refused,
    MalformedPolicyDocumentException: refused,
    PublicPolicyException: refused,
  });
}

async function setReplicas(
  shared: SecretToShare,
  described: DescribeSecretCommandOutput,
  replicas: readonly Replica[],
): Promise<void> {
  const { client, secret } = shared;
  const there = new Map((described.ReplicationStatus ?? []).map((status) => [status.Region ?? '', status]));
  const ours = described.Tags?.find(({ Key }) => Key === replicasTag)?.Value?.split(' ') ?? [];
  const wanted = replicas.map(({ region }) => region);
  const missing = replicas.filter((replica) => isMissing(secret, replica, there.get(replica.region)));
  const leaving = ours.filter((region) => there.has(region) && !wanted.includes(region));

  await tagReplicas(shared, ours, [...ours, ...missing.map(({ region }) => region)]);
  if (missing.length > 0) await replicate(shared, missing);
  if (leaving.length > 0) {
    const command = new RemoveRegionsFromReplicationCommand({ SecretId: secret, RemoveReplicaRegions: leaving });
    await secretReplyOf(client, { action: 'RemoveRegionsFromReplication', secret }, client.send(command));
  }
  const made = [...ours, ...missing.map(({ region }) => region)];
  await tagReplicas(
    shared,
    made,
    made.filter((region) => wanted.includes(region)),
  );
}

/** One that failed is asked for again. Throws for one with another key: Secrets Manager leaves a replica the key that it has. */
function isMissing(secret: string, { region, encryptionKey }: Replica, there?: ReplicationStatusType): boolean {
  if (!there || there.Status === 'Failed') return true;
  const found = there.KmsKeyId ?? awsKey;
  if (found === (encryptionKey ?? awsKey)) return false;
  throw new SecretAccessError(
    `The replica of secret ${secret} in ${region} is encrypted with ${found} and not with ${encryptionKey ?? awsKey}, and keeps its key. ` +
      'Take the replica out of the configuration, deploy, and put it in again.',
  );
}

async function replicate({ client, secret }: SecretToShare, missing: readonly Replica[]): Promise<void> {
  const command = new ReplicateSecretToRegionsCommand({
    SecretId: secret,
    AddReplicaRegions: missing.map(({ region, encryptionKey }) => ({
      Region: region,
      ...(encryptionKey !== null && { KmsKeyId: encryptionKey }),
    })),
    // A secret of that name in that region is somebody else's.
    ForceOverwriteReplicaSecret: false,
  });
  const refused = (error: Error): never => {
    throw new SecretAccessError(
      `Secret ${secret} cannot be replicated to ${missing.map(({ region }) => region).join(', ')}: ${error.message}`,
      { cause: error },
    );
  };
  const reply = await secretReplyOf(client, { action: 'ReplicateSecretToRegions', secret }, client.send(command), {
    InvalidParameterException: refused,
    ResourceExistsException: refused,
  });
  const failed = reply.ReplicationStatus?.filter(({ Status }) => Status === 'Failed') ?? [];
  if (failed.length > 0) {
    const causes = failed.map(({ Region, StatusMessage }) => `${Region}: ${StatusMessage}`);
    throw new SecretAccessError(`Secret ${secret} was not replicated to ${causes.join('; ')}`);
  }
}

async function tagReplicas(
  { client, secret, stackTag }: SecretToShare,
  before: readonly string[],
  after: readonly string[],
): Promise<void> {
  const [from, to] = [before, after].map((regions) => [...new Set(regions)].sort().join(' '));
  if (from === to) return;
  const command = new TagResourceCommand({
    SecretId: secret,
    // Our role may tag with our stack's tag only.
    Tags: [
      { Key: tags.stack, Value: stackTag },
      { Key: replicasTag, Value: to },
    ],
  });
  await secretReplyOf(client, { action: 'TagResource', secret }, client.send(command));
}
