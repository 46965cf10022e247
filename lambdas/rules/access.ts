import { createHash } from 'node:crypto';
import type { CertificateSpec } from './contract.ts';
import type { LedgerCertificate } from './ports.ts';

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

const readersStatement = 'PerennialReaders';

/** The resource policy that lets these principals read a secret. */
export function readersPolicy(readers: readonly string[]) {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: readersStatement,
        Effect: 'Allow',
        Principal: { AWS: readers.toSorted() },
        Action: 'secretsmanager:GetSecretValue',
        Resource: '*',
        Condition: readConditions,
      },
    ],
  };
}

/**
 * Whom a resource policy lets in that is one of `readersPolicy`; `null`: somebody else wrote it. AWS puts an id in the place of a
 * principal that is no more, and a list of one may come back as a string.
 */
export function readersOf(policy: string): readonly string[] | null {
  const { Statement: statements } = JSON.parse(policy) as {
    readonly Statement?: readonly {
      readonly Sid?: string;
      readonly Principal?: { readonly AWS?: string | readonly string[] };
    }[];
  };
  if (!Array.isArray(statements) || statements.length !== 1 || statements[0]?.Sid !== readersStatement) return null;
  return [statements[0].Principal?.AWS ?? []].flat();
}

type Access = Pick<CertificateSpec, 'readers' | 'replicas'>;

/** sha256 hex over version 1 of the readers and replicas, in any order. Empty: neither is configured. */
export function accessHash({ readers = [], replicas = [] }: Access): string {
  if (readers.length === 0 && replicas.length === 0) return '';
  const regions = replicas.map(({ region, encryptionKey }) => `${region} ${encryptionKey ?? ''}`);
  const fields = { version: 1, readers: readers.toSorted(), replicas: regions.toSorted() };
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/** In the place of a hash while they are being changed: what the secret has is then neither the old nor the new. */
export const accessChanging = 'changing';

/** The secret's readers or replicas are not those of the configuration. */
export function isAccessBehind(spec: Access, { access = '' }: Pick<LedgerCertificate, 'access'>): boolean {
  return access !== accessHash(spec);
}
