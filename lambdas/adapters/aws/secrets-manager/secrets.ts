import { createHash } from 'node:crypto';
import {
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { SecretDeletedError } from '../../../domain/contract/errors.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { replyOf, translated } from '../translate-errors.ts';

export const warmSecretsClient = keptWarm(() => new SecretsManagerClient(clientSettings));

/** One secret with its client, for the functions of this folder. */
export interface Secret {
  readonly client: SecretsManagerClient;
  /** Name of the secret. */
  readonly secret: string;
}

/**
 * `replyOf` for a call about one secret. A secret that is scheduled for deletion is found by DescribeSecret, because AWS has no error
 * name for it.
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
      const deletedAt = (await describeSecret({ client, secret }))?.DeletedDate;
      if (!deletedAt) throw translated(error, call);
      throw new SecretDeletedError({
        what: `Secret ${secret} is scheduled for deletion (${deletedAt.toISOString()}), so ${call.action} was refused.`,
        remedy: `Restore it with: aws secretsmanager restore-secret --secret-id ${secret}`,
        secret,
        cause: error,
      });
    },
    ...answers,
  });
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
  const reply = await secretReplyOf({ client, secret }, action, client.send(command), {
    // It is also the error for a label that has moved from that version. Every role that moves the label may read the value.
    async InvalidParameterException(error) {
      const current = (await readVersion({ client, secret }, { VersionStage: 'AWSCURRENT' }))?.VersionId ?? null;
      if (current !== from) return { current };
      throw translated(error, { action: `secretsmanager:${action}`, resource: `secret ${secret}` });
    },
  });
  return 'current' in reply ? reply.current : to;
}

/** SHA-256 in hex, which is a valid ClientRequestToken (32 to 64 characters) and becomes the id of a version. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Returns the members of a JSON object, or none if the value is not an object. It does not throw, because the error of a parser would show a part of the value. */
export function membersOf(value: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(value ?? '');
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
