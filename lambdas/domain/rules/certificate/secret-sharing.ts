import { createHash } from 'node:crypto';
import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type { CertificateSpec } from '../../contract/config.ts';
import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';

/** Staging labels that readers may read: the current certificate and the previous one. */
const readableStages = ['AWSCURRENT', 'AWSPREVIOUS'] as const;

/**
 * Actions of a reader. DescribeSecret shows the labels of all versions but no value. The Secrets Store CSI provider and the Secrets Manager Agent
 * of AWS call it at each refresh, and keep the old certificate if it is denied.
 * https://github.com/aws/secrets-store-csi-driver-provider-aws/issues/394
 */
export const readActions = ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'] as const;

/**
 * Conditions under which GetSecretValue returns those two stages only. They do not restrict DescribeSecret, whose requests have neither
 * condition key. A GetSecretValue request without a stage returns AWSCURRENT and does not have the condition
 * key (aws-cli issue 5031), so a plain StringEquals would deny most clients. A request with a version id is denied. The id of CANDIDATE is a hash of
 * the URL of the order, and a reader that guesses it would read a key that is not in use yet.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 */
export const readConditions = {
  StringEqualsIfExists: { 'secretsmanager:VersionStage': readableStages },
  Null: { 'secretsmanager:VersionId': 'true' },
} as const;

const readersSid = 'PerennialReaders';
const accountsSid = 'PerennialReaderAccounts';

const isAccount = (reader: string): boolean => reader.endsWith(':root');
const accountOf = (reader: string): string => reader.replace(/^(arn:[\w-]+:iam::\d{12}:).*$/, '$1root');

/**
 * Returns the resource policy that allows these readers to read a secret. The principals of the policy are the accounts of the readers, and a
 * condition has the ARNs of roles and users. AWS stores a role or user that is a principal by its unique id. The whole policy would then be rejected
 * if one does not exist yet, and a role that is deleted and created again with the same name would lose access.
 *
 * All roles and users are in one statement, because PutResourcePolicy accepts 20,480 characters. The statement has some 440 characters, an account
 * adds 37, and a role with a name of 30 characters adds 66. So 190 readers fit if each has its own account.
 */
export function readersPolicy(readers: readonly string[]) {
  const sorted = readers.toSorted();
  const named = sorted.filter((reader) => !isAccount(reader));
  const accounts = sorted.filter(isAccount);
  const byArn = { ...readConditions, StringEquals: { 'aws:PrincipalArn': named } };
  return {
    Version: '2012-10-17',
    Statement: [
      ...(named.length > 0 ? [statement(readersSid, [...new Set(named.map(accountOf))], byArn)] : []),
      ...(accounts.length > 0 ? [statement(accountsSid, accounts, readConditions)] : []),
    ],
  };
}

const statement = (sid: string, principals: readonly string[], conditions: object) => ({
  Sid: sid,
  Effect: 'Allow',
  Principal: { AWS: principals },
  Action: readActions,
  Resource: '*',
  Condition: conditions,
});

interface ReadersStatement {
  readonly Sid?: string;
  readonly Principal?: { readonly AWS?: string | readonly string[] };
  readonly Condition?: { readonly StringEquals?: { readonly 'aws:PrincipalArn'?: string | readonly string[] } };
}

/**
 * Returns the readers of a policy that `readersPolicy` made, or `null` when the policy was not created by this stack. AWS may return a
 * list of one as a string.
 */
export function readersOf(policy: string): readonly string[] | null {
  const { Statement: statements } = JSON.parse(policy) as { readonly Statement?: readonly ReadersStatement[] };
  if (!Array.isArray(statements) || statements.length === 0) return null;
  if (!statements.every(({ Sid }: ReadersStatement) => Sid === readersSid || Sid === accountsSid)) return null;
  return statements.flatMap(({ Sid, Principal, Condition }: ReadersStatement) => {
    return (Sid === accountsSid ? Principal?.AWS : Condition?.StringEquals?.['aws:PrincipalArn']) ?? [];
  });
}

type Access = Pick<CertificateSpec, 'readers' | 'replicas' | 'tagsHash'>;
type Current = Pick<CertificateFacts, 'secretArn'> | null;

/**
 * Returns the SHA-256 in hex over version 1 of the readers and replicas, in any order, the hash of the tags, and the ARN of the secret. A secret that
 * was deleted and created again has another ARN, and neither readers nor replicas. Returns an empty string if nothing is configured.
 */
export function accessHash({ readers = [], replicas = [], tagsHash }: Access, current: Current): string {
  if (readers.length === 0 && replicas.length === 0 && tagsHash === undefined) return '';
  const regions = replicas.map(({ region, encryptionKey }) => `${region} ${encryptionKey ?? ''}`);
  const fields = {
    version: 1,
    secret: current?.secretArn ?? '',
    readers: readers.toSorted(),
    replicas: regions.toSorted(),
    tags: tagsHash,
  };
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/** Recorded instead of a hash while tags, readers and replicas are being changed, or if they are unknown. It differs from the old and the new hash. */
export const accessChanging = 'changing';

/**
 * Tells whether the tags, readers or replicas of the secret differ from the configuration. Without a recorded hash the secret counts as having none, so
 * that no call is needed. *Read certificate* and *Store certificate* record certificates in a new table, and they check the secret themselves.
 */
export function isSharingOutdated(
  spec: Access,
  { access = '', current }: Pick<LedgerCertificate, 'access' | 'current'>,
): boolean {
  return access !== accessHash(spec, current);
}
