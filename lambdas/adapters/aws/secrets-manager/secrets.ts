import {
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SecretDeletedError } from '../../../domain/contract/errors.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { replyOf, translated } from '../translate-errors.ts';

export const warmSecretsClient = keptWarm(() => new SecretsManagerClient(clientSettings));

/** `replyOf` for a call about one secret: one that is scheduled for deletion is told apart, by looking and not by AWS's words. */
export function secretReplyOf<Reply, Answer = never>(
  client: SecretsManagerClient,
  { action, secret }: { readonly action: string; readonly secret: string },
  reply: Promise<Reply>,
  answers: Readonly<Record<string, (error: Error) => Answer | Promise<Answer>>> = {},
): Promise<Reply | Answer> {
  const call = { action: `secretsmanager:${action}`, resource: `secret ${secret}` };
  return replyOf<Reply, Answer>(call, reply, {
    async InvalidRequestException(error) {
      const deletedAt = (await describeSecret(client, secret))?.DeletedDate;
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

/** `null`: no such secret. No value is read. */
export function describeSecret(
  client: SecretsManagerClient,
  secret: string,
): Promise<DescribeSecretCommandOutput | null> {
  return replyOf(
    { action: 'secretsmanager:DescribeSecret', resource: `secret ${secret}` },
    client.send(new DescribeSecretCommand({ SecretId: secret })),
    { ResourceNotFoundException: () => null },
  );
}

/** The members of a secret's JSON object; none when it is not one. A parser's error would show a piece of the value. */
export function membersOf(value: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(value ?? '');
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
