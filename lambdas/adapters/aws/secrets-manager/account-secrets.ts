import { createHash } from 'node:crypto';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { tags } from '../../../domain/contract/environment.ts';
import { UnexpectedError, UnreadableSecretError } from '../../../domain/contract/errors.ts';
import type { AccountSecrets, AcmeAccount } from '../../../domain/ports/account-secrets.ts';
import { translated } from '../translate-errors.ts';
import { membersOf, secretReplyOf, warmSecretsClient } from './secrets.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** One secret for each directory: the account's key from the start, its URL once the CA has given one. */
export function createAccountSecrets({
  prefix,
  stackTag,
  kmsKeyId,
  client = warmSecretsClient(),
}: {
  readonly prefix: string;
  readonly stackTag: string;
  /** ARN of the key that a new secret is encrypted with. @default the account's `aws/secretsmanager` */
  readonly kmsKeyId?: string | undefined;
  readonly client?: SecretsManagerClient;
}): AccountSecrets {
  // The host is for people; the hash tells directories of one host apart.
  const nameOf = (directoryUrl: string): string =>
    `${prefix}${new URL(directoryUrl).hostname.replaceAll(/[^\w.-]/g, '')}-${sha256(directoryUrl).slice(0, 8)}`;

  async function read(directoryUrl: string): Promise<AcmeAccount | null> {
    const secret = nameOf(directoryUrl);
    const command = new GetSecretValueCommand({ SecretId: secret, VersionStage: 'AWSCURRENT' });
    const reply = await secretReplyOf(client, { action: 'GetSecretValue', secret }, client.send(command), {
      ResourceNotFoundException: () => null,
    });
    if (reply === null) return null;
    const { format, privateKey, nextPrivateKey, url, directoryUrl: of } = membersOf(reply.SecretString);
    if (
      format === 1 &&
      of === directoryUrl &&
      typeof privateKey === 'string' &&
      (url === null || typeof url === 'string')
    ) {
      const next = typeof nextPrivateKey === 'string' ? { nextPrivateKey } : {};
      return { privateKey, url, version: reply.VersionId ?? '', ...next };
    }
    throw new UnreadableSecretError({
      what: `Secret ${secret} does not hold an account key for ${directoryUrl} (format 1).`,
      remedy: 'Restore an earlier version of it, or delete it and the next run registers a new account.',
      secret,
    });
  }

  return {
    read,

    async create(directoryUrl, privateKey) {
      const secret = nameOf(directoryUrl);
      const command = new CreateSecretCommand({
        Name: secret,
        Description: `ACME account at ${directoryUrl}: its key and URL, used by ${stackTag}`,
        SecretString: JSON.stringify({ format: 1, directoryUrl, privateKey, url: null }),
        KmsKeyId: kmsKeyId,
        Tags: [{ Key: tags.stack, Value: stackTag }],
      });
      const reply = await secretReplyOf(client, { action: 'CreateSecret', secret }, client.send(command), {
        ResourceExistsException: () => null,
      });
      if (reply !== null) return { privateKey, url: null, version: reply.VersionId ?? '' };
      const theirs = await read(directoryUrl);
      if (theirs) return theirs;
      throw new UnexpectedError({
        what: `Secret ${secret} exists and has no current value, so there is no account key for ${directoryUrl}.`,
        remedy: 'Delete the secret: the next run creates it again.',
        secret,
      });
    },

    async saveUrl(directoryUrl, account, url) {
      const stored = await read(directoryUrl);
      // Another key has come into the secret since: the URL is not of that key, and what is stored goes on.
      if (stored && (stored.privateKey !== account.privateKey || stored.url === url)) return stored;
      if (stored === null) {
        throw new UnexpectedError({
          what: `Secret ${nameOf(directoryUrl)} was deleted while the account ${url} was registered.`,
          remedy: 'The next run makes a new account.',
          secret: nameOf(directoryUrl),
        });
      }
      const secret = nameOf(directoryUrl);
      // From the version that was read and the URL: two that save the same at once write one version.
      const version = sha256(`${stored.version}#${url}`);
      const command = new PutSecretValueCommand({
        SecretId: secret,
        ClientRequestToken: version,
        SecretString: JSON.stringify({ format: 1, directoryUrl, privateKey: stored.privateKey, url }),
      });
      await secretReplyOf(client, { action: 'PutSecretValue', secret }, client.send(command));
      return { privateKey: stored.privateKey, url, version };
    },

    async replace(directoryUrl, before, { privateKey, url, nextPrivateKey }) {
      const secret = nameOf(directoryUrl);
      const put = new PutSecretValueCommand({
        SecretId: secret,
        // Without nextPrivateKey where there is none: JSON leaves it out.
        SecretString: JSON.stringify({ format: 1, directoryUrl, privateKey, url, nextPrivateKey }),
        VersionStages: ['CANDIDATE'],
      });
      const written = await secretReplyOf(client, { action: 'PutSecretValue', secret }, client.send(put));
      const version = written.VersionId ?? '';
      const move = new UpdateSecretVersionStageCommand({
        SecretId: secret,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: version,
        RemoveFromVersionId: before.version,
      });
      const call = { action: 'UpdateSecretVersionStage', secret };
      const theirs = await secretReplyOf(client, call, client.send(move), {
        // Also when the label is not on that version any more: whoever moved it was first.
        async InvalidParameterException(error): Promise<AcmeAccount> {
          const now = await read(directoryUrl);
          if (now && now.version !== before.version) return now;
          throw translated(error, { action: 'secretsmanager:UpdateSecretVersionStage', resource: `secret ${secret}` });
        },
      });
      if ('privateKey' in theirs) return theirs;
      return { privateKey, url, version, ...(nextPrivateKey === undefined ? {} : { nextPrivateKey }) };
    },
  };
}
