import {
  type DescribeSecretCommandOutput,
  RemoveRegionsFromReplicationCommand,
  ReplicateSecretToRegionsCommand,
  type ReplicationStatusType,
} from '@aws-sdk/client-secrets-manager';
import type { Replica } from '../../../domain/contract/config.ts';
import { tags } from '../../../domain/contract/environment.ts';
import { SecretAccessError } from '../../../domain/contract/errors.ts';
import { setTags, type TaggedSecret } from './secret-tags.ts';
import { secretReplyOf } from './secrets.ts';

/** The key that a replica without a configured key reports. */
const awsKey = 'alias/aws/secretsmanager';

/**
 * The regions of the replicas of this stack. The tag has a region before its replica is created and until it is removed, so that no replica is
 * lost.
 */
export function notedReplicas({ Tags: found = [] }: DescribeSecretCommandOutput): readonly string[] {
  return found.find(({ Key }) => Key === tags.replicas)?.Value?.split(' ') ?? [];
}

const byRegion = (statuses: readonly ReplicationStatusType[] = []) =>
  new Map(statuses.map((status) => [status.Region ?? '', status]));

/** Removes replicas of this stack that are no longer configured. Returns the regions that remain. */
export async function removeReplicas(
  shared: TaggedSecret,
  described: DescribeSecretCommandOutput,
  replicas: readonly Replica[],
): Promise<readonly string[]> {
  const { client, secret } = shared;
  const there = byRegion(described.ReplicationStatus);
  const noted = notedReplicas(described);
  const staying = noted.filter((region) => replicas.some((replica) => replica.region === region));
  const leaving = noted.filter((region) => there.has(region) && !staying.includes(region));
  if (leaving.length > 0) {
    const command = new RemoveRegionsFromReplicationCommand({ SecretId: secret, RemoveReplicaRegions: leaving });
    await secretReplyOf({ client, secret }, 'RemoveRegionsFromReplication', client.send(command));
  }
  await note(shared, noted, staying);
  return staying;
}

/** Tells whether all replicas are in sync. Secrets Manager replicates asynchronously and reports a failure only afterwards. */
export async function addReplicas(
  shared: TaggedSecret,
  described: DescribeSecretCommandOutput,
  { noted, replicas }: { readonly noted: readonly string[]; readonly replicas: readonly Replica[] },
): Promise<boolean> {
  const { secret } = shared;
  const there = byRegion(described.ReplicationStatus);
  // A failed replica is requested again, because its cause may be fixed.
  const missing = replicas.filter(({ region }) => !there.has(region) || there.get(region)?.Status === 'Failed');
  await note(shared, noted, [...noted, ...missing.map(({ region }) => region)]);
  const made = missing.length > 0 ? await replicate(shared, missing) : new Map<string, ReplicationStatusType>();

  const inSync = ({ region }: Replica) => (made.get(region) ?? there.get(region))?.Status === 'InSync';
  const failures = missing.flatMap((replica) => {
    const found = [made.get(replica.region), there.get(replica.region)].find((status) => status?.Status === 'Failed');
    return found && !inSync(replica) ? [`${replica.region}: ${found.StatusMessage}`] : [];
  });
  if (failures.length > 0) {
    throw new SecretAccessError({
      what: `Secret ${secret} was not replicated to ${failures.join('; ')}`,
      remedy: correctReplicas,
      secret,
    });
  }
  for (const replica of replicas) if (!missing.includes(replica)) assertKey(secret, replica, there.get(replica.region));
  return replicas.every(inSync);
}

const correctReplicas = 'Correct the replicas of the certificate, or the KMS key there.';

/** Throws if a replica has another key than configured. Secrets Manager does not change the key of a replica. */
function assertKey(secret: string, { region, encryptionKey }: Replica, there?: ReplicationStatusType): void {
  const found = there?.KmsKeyId ?? awsKey;
  if (found === (encryptionKey ?? awsKey)) return;
  throw new SecretAccessError({
    what: `The replica of secret ${secret} in ${region} is encrypted with ${found} and not with ${encryptionKey ?? awsKey}, and keeps its key.`,
    remedy: 'Remove the replica from the configuration, deploy, and add it again.',
    secret,
    region,
  });
}

async function replicate({ client, secret }: TaggedSecret, missing: readonly Replica[]) {
  const command = new ReplicateSecretToRegionsCommand({
    SecretId: secret,
    AddReplicaRegions: missing.map(({ region, encryptionKey }) => ({
      Region: region,
      ...(encryptionKey !== null && { KmsKeyId: encryptionKey }),
    })),
    // A secret with that name exists in that region and does not belong to this stack.
    ForceOverwriteReplicaSecret: false,
  });
  const refused = (error: Error): never => {
    throw new SecretAccessError({
      what: `Secret ${secret} cannot be replicated to ${missing.map(({ region }) => region).join(', ')}.`,
      why: error.message,
      remedy: correctReplicas,
      secret,
      cause: error,
    });
  };
  const reply = await secretReplyOf({ client, secret }, 'ReplicateSecretToRegions', client.send(command), {
    InvalidParameterException: refused,
    ResourceExistsException: refused,
  });
  return byRegion(reply.ReplicationStatus);
}

async function note(tagged: TaggedSecret, before: readonly string[], after: readonly string[]): Promise<void> {
  const [from, to = ''] = [before, after].map((regions) => [...new Set(regions)].sort().join(' '));
  if (from === to) return;
  // The role may set tags only together with the tag of this stack.
  await setTags(tagged, [
    { Key: tags.stack, Value: tagged.stackTag },
    { Key: tags.replicas, Value: to },
  ]);
}
