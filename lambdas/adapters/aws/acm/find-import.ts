import type { CertificateSummary, KeyAlgorithm } from '@aws-sdk/client-acm';
import type { KeyType } from '../../../domain/contract/config.ts';
import type { SimilarImport } from '../../../domain/ports/acm-certificates.ts';
import { differentTags, importsOf } from './read-imports.ts';
import { type RegionalAcm, tagsOf } from './regional-acm.ts';

/** Key types as ACM names them. */
const keyAlgorithms: Readonly<Record<KeyType, KeyAlgorithm>> = {
  'P-256': 'EC_prime256v1',
  'P-384': 'EC_secp384r1',
  'RSA-2048': 'RSA_2048',
  'RSA-3072': 'RSA_3072',
  'RSA-4096': 'RSA_4096',
};

/** The name of a certificate, its domain names and its key type, by which its imports are searched. */
type Wanted = readonly [certificate: string, identifiers: readonly string[], keyType: KeyType];

/** Returns the ARN of the latest import with all tags of the certificate, or `null`. */
export async function findImport(acm: RegionalAcm, ...wanted: Wanted): Promise<string | null> {
  for await (const { arn, differences } of candidates(acm, ...wanted)) if (differences.length === 0) return arn;
  return null;
}

/** Returns the imports with all tags of the certificate but one, the latest first. */
export async function similarImports(acm: RegionalAcm, ...wanted: Wanted): Promise<readonly SimilarImport[]> {
  const similar: SimilarImport[] = [];
  for await (const { arn, differences } of candidates(acm, ...wanted)) {
    const [difference, ...more] = differences;
    if (difference && more.length === 0) similar.push({ arn, ...difference });
  }
  return similar;
}

/** Yields the imports of this key type that share a domain name, the latest first, with the tags that differ. */
async function* candidates(acm: RegionalAcm, ...[certificate, identifiers, keyType]: Wanted) {
  const wanted = new Set(identifiers);
  const sharing: CertificateSummary[] = [];
  for await (const each of importsOf(acm, [keyAlgorithms[keyType]])) if (sharesName(each, wanted)) sharing.push(each);
  for (const { CertificateArn: arn } of sharing.toSorted((a, b) => importTime(b) - importTime(a))) {
    if (arn) yield { arn, differences: await differentTags(acm, arn, tagsOf(acm, certificate)) };
  }
}

function sharesName(
  { DomainName, SubjectAlternativeNameSummaries = [] }: CertificateSummary,
  wanted: ReadonlySet<string>,
): boolean {
  return [DomainName ?? '', ...SubjectAlternativeNameSummaries].some((name) => wanted.has(name.toLowerCase()));
}

function importTime({ ImportedAt, CreatedAt }: CertificateSummary): number {
  return (ImportedAt ?? CreatedAt)?.getTime() ?? 0;
}
