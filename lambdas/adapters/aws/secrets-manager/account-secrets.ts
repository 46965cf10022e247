import {
  CreateSecretCommand,
  type DescribeSecretCommandOutput,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { Tags } from '../../../domain/contract/environment.ts';
import {
  SecretNotOwnedError,
  SecretReplicaError,
  UnexpectedError,
  UnreadableSecretError,
} from '../../../domain/contract/errors.ts';
import { stopReplicationCommand } from '../../../domain/contract/secret-commands.ts';
import type { AccountSecrets, AcmeAccount } from '../../../domain/ports/account-secrets.ts';
import { deleteSecretCommands } from '../../../domain/rules/failure/delete-secret.ts';
import { secretTags, setTags } from './secret-tags.ts';
import {
  deletedSecret,
  describeSecret,
  isOwned,
  membersOf,
  moveCurrent,
  readVersion,
  replicaOf,
  type Secret,
  secretReplyOf,
  sha256,
  warmSecretsClient,
} from './secrets.ts';

/** The secret of the account at one directory. It has the key from the start, and the URL after the registration. */
interface AccountSecret extends Secret {
  readonly directoryUrl: string;
  readonly stackTag: string;
  readonly tags: Tags;
  readonly kmsKeyId: string | undefined;
}

/** One secret for each directory. */
export function createAccountSecrets({
  prefix,
  stackTag,
  tags = {},
  kmsKeyId,
  client = warmSecretsClient(),
}: {
  readonly prefix: string;
  readonly stackTag: string;
  /** The operator's tags. */
  readonly tags?: Tags;
  /** ARN of the key that a new secret is encrypted with. @default the account's `aws/secretsmanager` */
  readonly kmsKeyId?: string | undefined;
  readonly client?: SecretsManagerClient;
}): AccountSecrets {
  const secretOf = (directoryUrl: string): AccountSecret => {
    return { client, secret: `${prefix}${nameOf(directoryUrl)}`, directoryUrl, stackTag, tags, kmsKeyId };
  };
  return {
    read: (directoryUrl) => read(secretOf(directoryUrl)),
    create: (directoryUrl, privateKey) => create(secretOf(directoryUrl), privateKey),
    tag: (directoryUrl) => tagAccount(secretOf(directoryUrl)),
    saveUrl: (directoryUrl, ...given) => saveUrl(secretOf(directoryUrl), ...given),
    replace: (directoryUrl, before, after) => replace(secretOf(directoryUrl), before, after),
  };
}

/** The host is for operators. The hash keeps the directories of one host apart. */
function nameOf(directoryUrl: string): string {
  return `${new URL(directoryUrl).hostname.replaceAll(/[^\w.-]/g, '')}-${sha256(directoryUrl).slice(0, 8)}`;
}

/** The value of the secret. Without a next key or a known contact it has no such members. */
function secretString(
  { directoryUrl }: AccountSecret,
  { privateKey, url, nextPrivateKey, contact }: Omit<AcmeAccount, 'version'>,
) {
  return JSON.stringify({ format: 1, directoryUrl, privateKey, url, nextPrivateKey, contact });
}

/**
 * Reads an account. The tag of the secret is read before its value. Otherwise a principal that may create secrets could create this one with its own
 * key, because its name can be computed, and this stack would prove all names for that account.
 */
async function read(secret: AccountSecret): Promise<AcmeAccount | null> {
  const described = await describeSecret(secret);
  if (described === null) return null;
  await assertUsable(secret, described);
  const current = await readVersion(secret, { VersionStage: 'AWSCURRENT' });
  if (current === null) return null;
  const { format, directoryUrl, privateKey, nextPrivateKey, url, contact } = membersOf(current.SecretString);
  const ours = format === 1 && directoryUrl === secret.directoryUrl;
  if (ours && typeof privateKey === 'string' && (url === null || typeof url === 'string')) {
    const next = typeof nextPrivateKey === 'string' ? { nextPrivateKey } : {};
    const known = Array.isArray(contact) ? { contact: contact.filter((each) => typeof each === 'string') } : {};
    return { privateKey, url, version: current.VersionId ?? '', ...next, ...known };
  }
  throw new UnreadableSecretError({
    what: `Secret ${secret.secret} does not hold an account key for ${secret.directoryUrl} (format 1).`,
    remedy: `Restore an earlier version of it, or delete it with ${deleteSecretCommands(secret.secret)}. The next run then registers a new account.`,
    secret: secret.secret,
  });
}

/** A replica comes first, because AWS rejects its deletion too. */
async function assertUsable(account: AccountSecret, described: DescribeSecretCommandOutput): Promise<void> {
  const { secret, directoryUrl, stackTag } = account;
  const replica = await replicaOf(account, described);
  if (replica) {
    throw new SecretReplicaError({
      what: `The account at ${directoryUrl} cannot be used in ${replica.region}.`,
      why: `Secret ${secret} is a replica of the secret in ${replica.primaryRegion}, and a replica cannot be changed.`,
      remedy: `If ${replica.primaryRegion} no longer uses the account, run: ${stopReplicationCommand(secret, replica.region)}`,
      secret,
      region: replica.region,
    });
  }
  if (!isOwned(described, stackTag)) {
    throw new SecretNotOwnedError({
      what: `Secret ${secret} was not created by this stack, so its key is not used for the account at ${directoryUrl}.`,
      remedy: `Find out who created it. Delete it with ${deleteSecretCommands(secret)}. The next run then registers a new account.`,
      secret,
    });
  }
  if (described.DeletedDate) throw deletedSecret(secret, described.DeletedDate, { refused: 'reading the account key' });
}

async function create(secret: AccountSecret, privateKey: string): Promise<AcmeAccount> {
  const { client, directoryUrl, stackTag, kmsKeyId } = secret;
  const command = new CreateSecretCommand({
    Name: secret.secret,
    Description: `ACME account at ${directoryUrl}: its key and URL, used by ${stackTag}`,
    SecretString: secretString(secret, { privateKey, url: null }),
    KmsKeyId: kmsKeyId,
    Tags: secretTags(secret),
  });
  const created = await secretReplyOf(secret, 'CreateSecret', client.send(command), {
    ResourceExistsException: () => null,
  });
  if (created !== null) return { privateKey, url: null, version: created.VersionId ?? '' };
  const first = await read(secret);
  if (first) return first;
  throw new UnexpectedError({
    what: `Secret ${secret.secret} exists and has no current value, so there is no account key for ${directoryUrl}.`,
    remedy: `Delete the secret with ${deleteSecretCommands(secret.secret)}. The next run creates it again.`,
    secret: secret.secret,
  });
}

async function tagAccount(secret: AccountSecret): Promise<void> {
  if (Object.keys(secret.tags).length > 0) await setTags(secret, secretTags(secret));
}

async function saveUrl(
  secret: AccountSecret,
  account: AcmeAccount,
  { url, contact }: { readonly url: string } & Pick<AcmeAccount, 'contact'>,
): Promise<AcmeAccount> {
  const stored = await read(secret);
  if (stored === null) {
    throw new UnexpectedError({
      what: `Secret ${secret.secret} was deleted while the account ${url} was registered.`,
      remedy: 'The next run registers a new account.',
      secret: secret.secret,
    });
  }
  // If another key was stored in the meantime, the URL does not belong to it.
  if (stored.privateKey !== account.privateKey || stored.url === url) return stored;
  const saved = { privateKey: stored.privateKey, url, ...(contact && { contact }) };
  // The id is a hash of the version that was read and the new fields, so that two executions that save the same fields write one version.
  const version = sha256(`${stored.version}#${JSON.stringify([url, contact])}`);
  const command = new PutSecretValueCommand({
    SecretId: secret.secret,
    ClientRequestToken: version,
    SecretString: secretString(secret, saved),
  });
  await secretReplyOf(secret, 'PutSecretValue', secret.client.send(command));
  return { ...saved, version };
}

async function replace(
  secret: AccountSecret,
  before: AcmeAccount,
  { version: _, ...after }: Omit<AcmeAccount, 'version'> & { readonly version?: string },
): Promise<AcmeAccount> {
  const command = new PutSecretValueCommand({
    SecretId: secret.secret,
    SecretString: secretString(secret, after),
    VersionStages: ['CANDIDATE'],
  });
  const { VersionId: version = '' } = await secretReplyOf(secret, 'PutSecretValue', secret.client.send(command));
  const current = await moveCurrent(secret, { from: before.version, to: version });
  if (current === version) return { ...after, version };
  const faster = await read(secret);
  if (faster) return faster;
  throw new UnexpectedError({
    what: `Secret ${secret.secret} lost its current value while the account at ${secret.directoryUrl} was replaced.`,
    remedy: 'The next run reads it again.',
    secret: secret.secret,
  });
}
