import { CreateSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CertificateSecretValue } from '../../../domain/contract/certificate-secret.ts';
import { tags as ownTags, type Tags } from '../../../domain/contract/environment.ts';
import { UnexpectedError, UnreadableSecretError } from '../../../domain/contract/errors.ts';
import type { CertificateSecrets, SecretDescription } from '../../../domain/ports/certificate-secrets.ts';
import { keyFingerprint } from '../../../domain/rules/certificate/key-fingerprint.ts';
import { certificateValueOf, certificateVersion, putCandidate } from './certificate-versions.ts';
import { compromisedKeys } from './compromised-keys.ts';
import { shareSecret } from './secret-access.ts';
import { secretTags, type TaggedSecret } from './secret-tags.ts';
import {
  describeSecret,
  isOwned,
  moveCurrent,
  readVersion,
  replicaOf,
  type Secret,
  secretReplyOf,
  sha256,
  versionLabelled,
  warmSecretsClient,
} from './secrets.ts';
import { stagedKey, stageKey } from './staged-keys.ts';

/** The secret of one certificate. */
interface CertificateSecret extends TaggedSecret {
  readonly certificate: string;
  readonly kmsKeyId: string | undefined;
}

const placeholderVersion = sha256('perennial placeholder');

/**
 * The secret of a certificate has a placeholder and, for each order, a version with its key and one with its certificate. Both have the
 * label CANDIDATE until AWSCURRENT moves to the certificate. The ids of versions are made from the URL of the order, so the first write
 * wins, and a repeated one changes nothing.
 */
export function createCertificateSecrets({
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
}): CertificateSecrets {
  const secretOf = (certificate: string): CertificateSecret => {
    return { client, secret: `${prefix}${certificate}`, certificate, stackTag, tags, kmsKeyId };
  };
  return {
    describe: (certificate) => describe(secretOf(certificate)),
    create: (certificate) => createWithPlaceholder(secretOf(certificate)),
    stageKey: (certificate, order, privateKey) => stageKey(secretOf(certificate), order, privateKey),
    stagedKey: (certificate, orderUrl) => stagedKey(secretOf(certificate), orderUrl),
    putCertificate: (certificate, orderUrl, value) => putCertificate(secretOf(certificate), orderUrl, value),
    makeCurrent: (certificate, versions) => makeCurrent(secretOf(certificate), versions),
    isCompromised: async (certificate, privateKey) =>
      (await compromisedKeys(secretOf(certificate))).has(keyFingerprint(privateKey)),
    share: (certificate, access) => shareSecret(secretOf(certificate), access),
    readCurrent: (certificate) => readCurrent(secretOf(certificate)),
  };
}

async function describe(secret: CertificateSecret): Promise<SecretDescription | null> {
  const described = await describeSecret(secret);
  if (described === null) return null;
  const current = versionLabelled(described, 'AWSCURRENT');
  return {
    arn: described.ARN ?? '',
    owned: isOwned(described, secret.stackTag),
    deletedAt: described.DeletedDate?.toISOString() ?? null,
    replica: await replicaOf(secret, described),
    currentVersion: certificateOrNone(current),
    labels: described.VersionIdsToStages ?? {},
    tags: Object.fromEntries((described.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
  };
}

/** Returns `null` for the placeholder, which is no certificate. */
const certificateOrNone = (version: string | null): string | null => (version === placeholderVersion ? null : version);

async function createWithPlaceholder(secret: CertificateSecret): Promise<void> {
  const { client, certificate, stackTag, kmsKeyId } = secret;
  const command = new CreateSecretCommand({
    Name: secret.secret,
    Description: `TLS certificate ${certificate}: key and chain, renewed by ${stackTag}`,
    ClientRequestToken: placeholderVersion,
    SecretString: JSON.stringify({ format: 0, status: 'No certificate has been issued yet.' }),
    KmsKeyId: kmsKeyId,
    Tags: secretTags(secret, { [ownTags.certificate]: certificate }),
  });
  await secretReplyOf(secret, 'CreateSecret', client.send(command), { ResourceExistsException: () => null });
}

async function putCertificate(secret: Secret, orderUrl: string, value: CertificateSecretValue): Promise<string> {
  const version = certificateVersion(orderUrl);
  await putCandidate(secret, version, value);
  return version;
}

async function makeCurrent(
  secret: Secret,
  { from, to }: { readonly from: string | null; readonly to: string },
): ReturnType<CertificateSecrets['makeCurrent']> {
  const described = await describeSecret(secret);
  const arn = described?.ARN ?? '';
  const before = versionLabelled(described, 'AWSCURRENT');
  if (before === to) return { arn, first: false };
  const unmoved = certificateOrNone(before) === from;
  const current = unmoved ? await moveCurrent(secret, { from: before, to }) : before;
  if (current === to) return { arn, first: from === null };
  throw new UnexpectedError({
    what: `Version ${to} of secret ${secret.secret} was not made current.`,
    why: `Version ${current} is current, and not version ${from}, which this execution found.`,
    remedy: 'The renewal is retried.',
    secret: secret.secret,
  });
}

async function readCurrent(secret: CertificateSecret): ReturnType<CertificateSecrets['readCurrent']> {
  const version = await readVersion(secret, { VersionStage: 'AWSCURRENT' });
  const value = certificateValueOf(version?.SecretString);
  if (version && value) return { arn: version.ARN ?? '', versionId: version.VersionId ?? '', value };
  const found = !version
    ? 'does not exist'
    : version.VersionId === placeholderVersion
      ? 'is still empty'
      : 'is of another format';
  throw new UnreadableSecretError({
    what: `The current version of secret ${secret.secret} ${found}, so no certificate can be read from it.`,
    remedy: 'Start the renewal with force. It issues and stores a new certificate.',
    certificate: secret.certificate,
    secret: secret.secret,
  });
}
