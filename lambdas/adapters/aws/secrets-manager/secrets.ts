import { createHash } from 'node:crypto';
import {
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { tags } from '../../../domain/contract/environment.ts';
import { SecretDeletedError, SecretNotOwnedError } from '../../../domain/contract/errors.ts';
import { restoreCommand } from '../../../domain/contract/secret-commands.ts';
import type { SecretDescription } from '../../../domain/ports/certificate-secrets.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { awsRefused, replyOf } from '../translate-errors.ts';

export const warmSecretsClient = keptWarm(() => new SecretsManagerClient(clientSettings));

/** One secret with its client, for the functions of this folder. */
export interface Secret {
  readonly client: SecretsManagerClient;
  /** Name of the secret. */
  readonly secret: string;
}

/** What to do about errors of Secrets Manager that have one cause each. */
const remedies: Readonly<Record<string, string>> = {
  // https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
  LimitExceededException:
    'Secrets Manager keeps about 100 versions of a secret that are younger than 24 hours, and 500,000 secrets in a region. Find out who writes ' +
    'versions of this secret, or ask AWS for a higher quota. The next attempt may succeed.',
  PreconditionNotMetException: 'Complete what Secrets Manager asks for, and start the renewal again.',
  ResourceNotFoundException:
    'The secret or its version was deleted in the meantime. The next attempt creates it again.',
};

/**
 * `replyOf` for a call about one secret. Secrets Manager has one error name for a secret that is scheduled for deletion and for a secret that another
 * AWS service manages. DescribeSecret tells which it is.
 */
export function secretReplyOf<Reply, Answer = never>(
  { client, secret }: Secret,
  action: string,
  reply: Promise<Reply>,
  answers: Readonly<Record<string, (error: Error) => Answer | Promise<Answer>>> = {},
): Promise<Reply | Answer> {
  const call = { action: `secretsmanager:${action}`, resource: `secret ${secret}` };
  return replyOf<Reply, Answer>(call, reply, {
    async InvalidRequestException(error) {
      const { DeletedDate, OwningService } = (await describeSecret({ client, secret })) ?? {};
      if (OwningService) throw managedBy(OwningService, secret, error);
      if (!DeletedDate) throw awsRefused(error, call, 'Do what Secrets Manager says, and start the renewal again.');
      throw deletedSecret(secret, DeletedDate, { refused: call.action, cause: error });
    },
    ...Object.fromEntries(
      Object.entries(remedies).map(([name, remedy]) => [
        name,
        (error: Error): never => {
          throw awsRefused(error, call, remedy);
        },
      ]),
    ),
    ...answers,
  });
}

export const deletedSecret = (
  secret: string,
  deletedAt: Date,
  { refused, cause }: { readonly refused: string; readonly cause?: Error },
): SecretDeletedError =>
  new SecretDeletedError({
    what: `Secret ${secret} is scheduled for deletion (${deletedAt.toISOString()}), so ${refused} was refused.`,
    remedy: `Restore it with: ${restoreCommand(secret)}`,
    secret,
    ...(cause && { cause }),
  });

const managedBy = (service: string, secret: string, cause: Error): SecretNotOwnedError =>
  new SecretNotOwnedError({
    what: `Secret ${secret} is managed by ${service} and cannot be changed here.`,
    why: cause.message,
    remedy: 'Give the certificate another name, or change secretPrefix.',
    secret,
    cause,
  });

/** Tells whether a secret has the tag of this stack. */
export const isOwned = ({ Tags }: DescribeSecretCommandOutput, stackTag: string): boolean =>
  Tags?.some(({ Key, Value }) => Key === tags.stack && Value === stackTag) ?? false;

/** Returns the regions of a replica and of its primary secret. `null` for a secret that is no replica. */
export async function replicaOf(
  { client }: Pick<Secret, 'client'>,
  { PrimaryRegion: primaryRegion }: DescribeSecretCommandOutput,
): Promise<SecretDescription['replica']> {
  const region = await client.config.region();
  return primaryRegion === undefined || primaryRegion === region ? null : { region, primaryRegion };
}

/** Describes a secret without reading its value. Returns `null` if there is none. */
export function describeSecret({ client, secret }: Secret): Promise<DescribeSecretCommandOutput | null> {
  return replyOf(
    { action: 'secretsmanager:DescribeSecret', resource: `secret ${secret}` },
    client.send(new DescribeSecretCommand({ SecretId: secret })),
    { ResourceNotFoundException: () => null },
  );
}

/** Reads a version. Returns `null` if the secret or the version does not exist. */
export function readVersion(
  { client, secret }: Secret,
  version: { readonly VersionId: string } | { readonly VersionStage: string },
): Promise<GetSecretValueCommandOutput | null> {
  const sent = client.send(new GetSecretValueCommand({ SecretId: secret, ...version }));
  return secretReplyOf({ client, secret }, 'GetSecretValue', sent, { ResourceNotFoundException: () => null });
}

export function versionLabelled(described: DescribeSecretCommandOutput | null, label: string): string | null {
  const stages = Object.entries(described?.VersionIdsToStages ?? {});
  return stages.find(([, labels]) => labels.includes(label))?.[0] ?? null;
}

/**
 * Moves AWSCURRENT by compare-and-swap from the version that was read. Returns the version that is current then, which is not `to` if another
 * execution was faster.
 */
export async function moveCurrent(
  { client, secret }: Secret,
  { from, to }: { readonly from: string | null; readonly to: string },
): Promise<string | null> {
  const command = new UpdateSecretVersionStageCommand({
    SecretId: secret,
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: to,
    ...(from !== null && { RemoveFromVersionId: from }),
  });
  const action = 'UpdateSecretVersionStage';
  // Every role that moves the label may read the value.
  const moved = async (error: Error) => {
    const current = (await readVersion({ client, secret }, { VersionStage: 'AWSCURRENT' }))?.VersionId ?? null;
    if (current !== from) return { current };
    const call = { action: `secretsmanager:${action}`, resource: `secret ${secret}` };
    throw awsRefused(error, call, 'The next attempt reads the versions of the secret again.');
  };
  const reply = await secretReplyOf({ client, secret }, action, client.send(command), {
    // Both are also errors for a label that has moved from that version.
    InvalidParameterException: moved,
    ResourceNotFoundException: moved,
  });
  return 'current' in reply ? reply.current : to;
}

/** SHA-256 in hex, which is a valid ClientRequestToken (32 to 64 characters) and becomes the id of a version. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Returns the members of a JSON object, or none if the value is not an object. It does not throw, because the error of a parser would show a part of
 * the value.
 */
export function membersOf(value: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(value ?? '');
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
