import {
  DeleteResourcePolicyCommand,
  type DescribeSecretCommandOutput,
  GetResourcePolicyCommand,
  PutResourcePolicyCommand,
} from '@aws-sdk/client-secrets-manager';
import type { Replica } from '../../../domain/contract/config.ts';
import { SecretAccessError, ThrottledError } from '../../../domain/contract/errors.ts';
import { secretOptions } from '../../../domain/contract/secret-commands.ts';
import { readersOf, readersPolicy } from '../../../domain/rules/certificate/secret-sharing.ts';
import { addReplicas, notedReplicas, removeReplicas } from './secret-replicas.ts';
import { type TaggedSecret, updateTags } from './secret-tags.ts';
import { describeSecret, secretReplyOf } from './secrets.ts';

interface SecretAccess {
  readonly readers: readonly string[];
  readonly replicas: readonly Replica[];
  readonly removedTags?: readonly string[];
}

/**
 * Sets tags, resource policy and replicas as `CertificateSecrets.share` describes. Removals come first, and a rejected change does not prevent the
 * others.
 */
export async function shareSecret(
  shared: TaggedSecret,
  { readers, replicas, removedTags = [] }: SecretAccess,
): Promise<boolean> {
  const described = await describeSecret(shared).catch((error: unknown) => refused(shared.secret, [error]));
  if (!described) {
    throw new SecretAccessError({
      what: `There is no secret ${shared.secret} to give access to.`,
      secret: shared.secret,
    });
  }
  const errors: unknown[] = [];
  const apart = async <Done>(done: Promise<Done>): Promise<Done | null> =>
    done.catch((error: unknown) => {
      errors.push(error);
      return null;
    });

  await apart(updateTags(shared, described, removedTags));
  const noted = await apart(removeReplicas(shared, described, replicas));
  await apart(setReaders(shared, described, readers));
  const settled = await apart(addReplicas(shared, described, { noted: noted ?? notedReplicas(described), replicas }));
  return errors.length > 0 ? refused(shared.secret, errors) : settled === true;
}

/** Throws the error for rejected changes. Throttling is thrown as it is. All other errors must not prevent the delivery of the certificate. */
function refused(secret: string, errors: readonly unknown[]): never {
  const throttled = errors.find((error) => error instanceof ThrottledError);
  if (throttled) throw throttled;
  const [cause] = errors;
  if (errors.length === 1 && cause instanceof SecretAccessError) throw cause;
  const messages = errors.map((error) => (error instanceof Error ? error.message : String(error)));
  throw new SecretAccessError({
    what: `Not all tags, readers and replicas of secret ${secret} could be set.`,
    why: messages.join(' '),
    secret,
    cause,
  });
}

async function setReaders(
  shared: TaggedSecret,
  described: DescribeSecretCommandOutput,
  readers: readonly string[],
): Promise<void> {
  const { client, secret } = shared;
  const before = client.send(new GetResourcePolicyCommand({ SecretId: secret }));
  const { ResourcePolicy: policy } = await secretReplyOf(shared, 'GetResourcePolicy', before);
  const standing = policy === undefined ? [] : readersOf(policy);
  if (standing === null) {
    if (readers.length === 0) return;
    throw new SecretAccessError({
      what: `Secret ${secret} has a resource policy that this stack did not write. It is not changed.`,
      remedy:
        `Remove it so that the readers of the configuration can be set (aws secretsmanager delete-resource-policy ${secretOptions(secret)}), ` +
        'or remove them from the configuration and add them to the policy by hand.',
      secret,
    });
  }
  if (readers.length === 0) {
    if (policy !== undefined) await forbid(shared);
    return;
  }
  try {
    assertReadable(secret, described);
    await allow(shared, readers);
  } catch (error) {
    if (error instanceof ThrottledError) throw error;
    // Removed readers lose access even if another reader is rejected.
    const staying = standing.filter((reader) => readers.includes(reader));
    if (staying.length < standing.length) await (staying.length > 0 ? allow(shared, staying) : forbid(shared));
    throw error;
  }
}

function assertReadable(secret: string, { KmsKeyId }: DescribeSecretCommandOutput): void {
  if (KmsKeyId) return;
  throw new SecretAccessError({
    what: `No reader was given access to secret ${secret}.`,
    why: "It is encrypted with the account's aws/secretsmanager key, which other accounts cannot use.",
    remedy: `Set a KMS key of your own with: aws secretsmanager update-secret ${secretOptions(secret)} --kms-key-id <its ARN>`,
    secret,
  });
}

async function allow({ client, secret }: TaggedSecret, readers: readonly string[]): Promise<void> {
  const unsuitable = (error: Error): never => {
    throw new SecretAccessError({
      what: `Secrets Manager refuses ${readers.join(', ')} as readers of secret ${secret}.`,
      why: error.message,
      remedy: 'Check that each of their accounts exists.',
      secret,
      cause: error,
    });
  };
  const command = new PutResourcePolicyCommand({
    SecretId: secret,
    ResourcePolicy: JSON.stringify(readersPolicy(readers)),
    BlockPublicPolicy: true,
  });
  await secretReplyOf({ client, secret }, 'PutResourcePolicy', client.send(command), {
    InvalidParameterException: unsuitable,
    MalformedPolicyDocumentException: unsuitable,
    PublicPolicyException: unsuitable,
  });
}

async function forbid({ client, secret }: TaggedSecret): Promise<void> {
  const none = client.send(new DeleteResourcePolicyCommand({ SecretId: secret }));
  await secretReplyOf({ client, secret }, 'DeleteResourcePolicy', none);
}
