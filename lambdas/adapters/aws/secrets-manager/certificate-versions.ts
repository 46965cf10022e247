import {
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  type SecretVersionsListEntry,
} from '@aws-sdk/client-secrets-manager';
import {
  CertificateSecretError,
  type CertificateSecretValue,
  parseCertificateSecret,
} from '../../../domain/contract/certificate-secret.ts';
import { UnexpectedError } from '../../../domain/contract/errors.ts';
import type { CertificateVersions, StagedKey, StoredCertificate } from '../../../domain/ports/certificate-secrets.ts';
import { markCompromised } from './compromised-keys.ts';
import { membersOf, readVersion, type Secret, secretReplyOf, sha256, warmSecretsClient } from './secrets.ts';

/** All versions of a certificate's secret. */
export function createCertificateVersions({
  prefix,
  client = warmSecretsClient(),
}: {
  readonly prefix: string;
  readonly client?: SecretsManagerClient;
}): CertificateVersions {
  const secretOf = (certificate: string): Secret => ({ client, secret: `${prefix}${certificate}` });
  return {
    list: (certificate) => listValues(secretOf(certificate)),
    markCompromised: (certificate, versionId) => markCompromised(secretOf(certificate), versionId),
  };
}

async function listValues(secret: Secret): ReturnType<CertificateVersions['list']> {
  const stored: StoredCertificate[] = [];
  const staged: StagedKey[] = [];
  for (const { VersionId = '', VersionStages: labels = [], CreatedDate } of await listVersions(secret)) {
    // `null` if Secrets Manager deleted the version after it was listed, which it does with versions without a label.
    const version = await readVersion(secret, { VersionId });
    const value = certificateValueOf(version?.SecretString);
    const key = value ? null : stagedIn(version?.SecretString);
    if (value) stored.push({ versionId: VersionId, current: labels.includes('AWSCURRENT'), value });
    if (key) staged.push({ ...key, stagedAt: (CreatedDate ?? new Date(0)).toISOString() });
  }
  const storedVersions = new Set(stored.map(({ versionId }) => versionId));
  return { stored, staged: staged.filter(({ url }) => !storedVersions.has(certificateVersion(url))) };
}

/** Returns the key in a value of `stageKey`, or `null` for any other value. */
function stagedIn(secretString: string | undefined): Omit<StagedKey, 'stagedAt'> | null {
  const { orderUrl: url, directoryUrl, privateKey } = membersOf(secretString);
  const isStaged = typeof url === 'string' && typeof directoryUrl === 'string' && typeof privateKey === 'string';
  return isStaged ? { url, directoryUrl, privateKey } : null;
}

/** Id of the version with the certificate of an order. */
export const certificateVersion = (orderUrl: string): string => sha256(`${orderUrl}#certificate`);

/**
 * Lists the ids of all versions, including those without a label. Secrets Manager keeps about the last hundred versions, and versions without a
 * label for at least a day. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
export async function listVersions(secret: Secret): Promise<readonly SecretVersionsListEntry[]> {
  const found: SecretVersionsListEntry[] = [];
  let NextToken: string | undefined;
  for (let page = 0; page < maximumPages; page++) {
    const command = new ListSecretVersionIdsCommand({
      SecretId: secret.secret,
      IncludeDeprecated: true,
      MaxResults: 100,
      NextToken,
    });
    const reply = await secretReplyOf(secret, 'ListSecretVersionIds', secret.client.send(command));
    found.push(...(reply.Versions ?? []));
    ({ NextToken } = reply);
    if (!NextToken) return found;
  }
  throw new UnexpectedError({
    what: 'The versions of the secret were not all read.',
    why: `Secrets Manager lists more than ${maximumPages * 100} versions of ${secret.secret}.`,
  });
}

/** Pages of 100 versions. Secrets Manager keeps about a hundred versions, and those of the last day, of which there are a few hundred at most. */
const maximumPages = 20;

/** Largest value in bytes. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const maximumBytes = 65_536;

/** Adds a version with the label CANDIDATE. AWSCURRENT does not move. Returns `false` if the version exists with another value. */
export async function putCandidate({ client, secret }: Secret, version: string, value: object): Promise<boolean> {
  const SecretString = JSON.stringify(value);
  const bytes = Buffer.byteLength(SecretString);
  if (bytes > maximumBytes) {
    throw new UnexpectedError({
      what: `The value for secret ${secret} has ${bytes} bytes. Secrets Manager accepts ${maximumBytes}, so nothing was stored.`,
      remedy: 'Use fewer identifiers, or an issuer with a shorter chain.',
      secret,
    });
  }
  const command = new PutSecretValueCommand({
    SecretId: secret,
    ClientRequestToken: version,
    SecretString,
    VersionStages: ['CANDIDATE'],
  });
  const reply = await secretReplyOf({ client, secret }, 'PutSecretValue', client.send(command), {
    ResourceExistsException: () => null,
  });
  return reply !== null;
}

/** Returns `null` if the value has another format. */
export function certificateValueOf(secretString: string | undefined): CertificateSecretValue | null {
  try {
    return parseCertificateSecret(secretString ?? '');
  } catch (error) {
    if (error instanceof CertificateSecretError) return null;
    throw error;
  }
}
