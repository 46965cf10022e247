import {
  type CertificateSummary,
  type KeyAlgorithm,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
} from '@aws-sdk/client-acm';
import type { KeyType } from '../../../domain/contract/config.ts';
import { UnexpectedError } from '../../../domain/contract/errors.ts';
import { replyOf } from '../translate-errors.ts';
import { type RegionalAcm, tagsOf } from './regional-acm.ts';

/** Key types as ACM names them. ACM lists only RSA_1024 and RSA_2048 by default. */
const keyAlgorithms: Readonly<Record<KeyType, KeyAlgorithm>> = {
  'P-256': 'EC_prime256v1',
  'P-384': 'EC_secp384r1',
  'RSA-2048': 'RSA_2048',
  'RSA-3072': 'RSA_3072',
  'RSA-4096': 'RSA_4096',
};

export async function findImport(
  acm: RegionalAcm,
  certificate: string,
  identifiers: readonly string[],
  keyType: KeyType,
): Promise<string | null> {
  const wanted = new Set(identifiers);
  const candidates = (await importsOf(acm, keyType)).filter((each) => sharesName(each, wanted));
  for (const { CertificateArn: arn } of candidates.toSorted((a, b) => importTime(b) - importTime(a))) {
    if (arn && (await hasTags(acm, arn, certificate))) return arn;
  }
  return null;
}

/** 20,000 certificates in pages of 1,000, which is eight times ACM's default quota of imports. */
const maximumPages = 20;

async function importsOf({ region, clientFor }: RegionalAcm, keyType: KeyType): Promise<readonly CertificateSummary[]> {
  const found: CertificateSummary[] = [];
  const Includes = { keyTypes: [keyAlgorithms[keyType]] };
  let NextToken: string | undefined;
  for (let page = 0; page < maximumPages; page++) {
    const command = new ListCertificatesCommand({ Includes, MaxItems: 1000, NextToken });
    const call = { action: 'acm:ListCertificates', resource: `region ${region}` };
    const reply = await replyOf(call, clientFor(region).send(command));
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

async function hasTags(acm: RegionalAcm, arn: string, certificate: string): Promise<boolean> {
  const reply = await replyOf(
    { action: 'acm:ListTagsForCertificate', resource: `certificate ${arn}` },
    acm.clientFor(acm.region).send(new ListTagsForCertificateCommand({ CertificateArn: arn })),
    // The certificate was deleted after it was listed.
    { ResourceNotFoundException: () => ({ Tags: [] }) },
  );
  const found = new Map(reply.Tags?.map(({ Key, Value }) => [Key, Value]));
  return tagsOf(acm, certificate).every(({ Key, Value }) => found.get(Key) === Value);
}
