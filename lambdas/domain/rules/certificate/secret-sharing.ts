import { createHash } from 'node:crypto';
import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type { CertificateSpec } from '../../contract/config.ts';
import type { LedgerCertificate } from '../../ports/ledger.ts';

/** The staging labels that readers are for: the certificate to use, and the one before it. */
export const readableStages = ['AWSCURRENT', 'AWSPREVIOUS'] as const;

/**
 * Conditions under which GetSecretValue shows those two stages and nothing else. A request that names no stage gets AWSCURRENT, and then
 * the key is not there at all (aws-cli issue 5031), so a plain StringEquals would refuse most clients. A version's id is refused:
 * whoever guesses that of CANDIDATE, a hash of the order's URL, would read a key.
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
 * The resource policy that lets these principals read a secret. The accounts are the principals, and who in them is a condition: a role or
 * a user that is the principal itself is kept by its unique id, so all of a policy is refused where one is not there yet, and made anew
 * under its old name it would read no more. One statement for all of them: of the 20,480 characters that PutResourcePolicy takes it has some
 * 400, an account 37 and a role with a name of 30 characters 66, so 190 readers fit if each has an account of its own.
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
  Action: 'secretsmanager:GetSecretValue',
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

type Access = Pick<CertificateSpec, 'readers' | 'replicas'>;
type Current = Pick<CertificateFacts, 'secretArn'> | null;

/**
 * sha256 hex over version 1 of the readers and replicas, in any order, and the ARN of the secret that has them: one that was deleted and made
 * anew has another ARN, and none of them. Empty: neither is configured.
 */
export function accessHash({ readers = [], replicas = [] }: Access, current: Current): string {
  if (readers.length === 0 && replicas.length === 0) return '';
  const regions = replicas.map(({ region, encryptionKey }) => `${region} ${encryptionKey ?? ''}`);
  const fields = {
    version: 1,
    secret: current?.secretArn ?? '',
    readers: readers.toSorted(),
    replicas: regions.toSorted(),
  };
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/** In the place of a hash while they are being changed, or nobody knows: what the secret has is then neither the old nor the new. */
export const accessChanging = 'changing';

/**
 * The secret's readers or replicas are not those of the configuration. Where nothing is noted they are taken for none, at no cost of a call:
 * *Read certificate* and *Store certificate*, which tell a new table of a certificate, look for themselves.
 */
export function isSharingOutdated(
  spec: Access,
  { access = '', current }: Pick<LedgerCertificate, 'access' | 'current'>,
): boolean {
  return access !== accessHash(spec, current);
}
