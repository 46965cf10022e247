import {
  type CertificateSummary,
  type KeyAlgorithm,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
} from '@aws-sdk/client-acm';
import type { KeyType } from '../../../domain/contract/config.ts';
import { UnexpectedError } from '../../../domain/contract/errors.ts';
import type { SimilarImport } from '../../../domain/ports/acm-certificates.ts';
import { replyOf } from '../translate-errors.ts';
import { inRegion, type RegionalAcm, tagsOf } from './regional-acm.ts';

/** Key types as ACM names them. ACM lists only RSA_1024 and RSA_2048 by default. */
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
  const sharing = (await importsOf(acm, keyType)).filter((each) => sharesName(each, wanted));
  for (const { CertificateArn: arn } of sharing.toSorted((a, b) => importTime(b) - importTime(a))) {
    if (arn) yield { arn, differences: await differentTags(acm, arn, certificate) };
  }
}

/** 20,000 certificates in pages of 1,000, which is eight times ACM's default quota of imports. */
const maximumPages = 20;

async function importsOf(acm: RegionalAcm, keyType: KeyType): Promise<readonly CertificateSummary[]> {
  const { region, clientFor } = acm;
  const found: CertificateSummary[] = [];
  const Includes = { keyTypes: [keyAlgorithms[keyType]] };
  let NextToken: string | undefined;
  for (let page = 0; page < maximumPages; page++) {
    const command = new ListCertificatesCommand({ Includes, MaxItems: 1000, NextToken });
    const call = { action: 'acm:ListCertificates', resource: `region ${region}` };
    const reply = await replyOf(call, inRegion(acm, clientFor(region).send(command)));
    found.push(...(reply.CertificateSummaryList ?? []).filter(({ Type }) => Type === 'IMPORTED'));
    ({ NextToken } = reply);
    if (!NextToken) return found;
  }
  throw new UnexpectedError({
    what: `ACM in ${region} lists more than ${maximumPages * 1000} certificates: it was not searched further for an earlier import.`,
    region,
  });
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

async function differentTags(
  acm: RegionalAcm,
  arn: string,
  certificate: string,
): Promise<readonly Omit<SimilarImport, 'arn'>[]> {
  const reply = await replyOf(
    { action: 'acm:ListTagsForCertificate', resource: `certificate ${arn}` },
    inRegion(acm, acm.clientFor(acm.region).send(new ListTagsForCertificateCommand({ CertificateArn: arn }))),
    // The certificate was deleted after it was listed.
    { ResourceNotFoundException: () => ({ Tags: [] }) },
  );
  const found = new Map(reply.Tags?.map(({ Key, Value }) => [Key, Value]));
  return tagsOf(acm, certificate)
    .filter(({ Key, Value }) => found.get(Key) !== Value)
    .map(({ Key: tag = '', Value: expected = '' }) => ({ tag, value: found.get(tag) ?? null, expected }));
}
