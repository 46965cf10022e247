import {
  type CertificateSummary,
  DescribeCertificateCommand,
  KeyAlgorithm,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
  type Tag,
} from '@aws-sdk/client-acm';
import type { Validity } from '../../../domain/contract/certificate-facts.ts';
import { UnexpectedError } from '../../../domain/contract/errors.ts';
import type { ImportDescription, TagDifference } from '../../../domain/ports/acm-certificates.ts';
import { replyOf } from '../translate-errors.ts';
import { inRegion, listOf, type RegionalAcm, tagsOf } from './regional-acm.ts';

/** Lists the imports of a region with keys of every type. */
export async function listImports(acm: RegionalAcm): Promise<ReadonlyMap<string, Validity>> {
  const found = new Map<string, Validity>();
  for await (const { CertificateArn: arn, ...times } of importsOf(acm, Object.values(KeyAlgorithm))) {
    if (arn) found.set(arn, validityOf(times));
  }
  return found;
}

/** Describes an import and compares its tags with those that this stack sets. */
export async function describeImport(
  acm: RegionalAcm,
  certificate: string,
  arn: string,
): Promise<ImportDescription | null> {
  const gone = () => null;
  const reply = await replyOf(
    { action: 'acm:DescribeCertificate', resource: `certificate ${arn}` },
    inRegion(acm, acm.clientFor(acm.region).send(new DescribeCertificateCommand({ CertificateArn: arn }))),
    { ResourceNotFoundException: gone, InvalidArnException: gone },
  );
  if (!reply?.Certificate) return null;
  const { Serial: serial = '', ...times } = reply.Certificate;
  return {
    ...validityOf(times),
    serialNumber: serial.replaceAll(':', '').toLowerCase(),
    differentTags: await differentTags(acm, arn, [...listOf(acm.tags), ...tagsOf(acm, certificate)]),
  };
}

/**
 * Pages of 1,000 certificates, the most that a page can have. By default ACM has a quota of 2,500 imports in a region, and a fleet with a higher quota
 * may have 100,000.
 */
const maximumPages = 200;

/** Yields the imports with keys of these types. Without a type, ACM lists RSA_1024 and RSA_2048 only. */
export async function* importsOf(acm: RegionalAcm, keyTypes: KeyAlgorithm[]): AsyncGenerator<CertificateSummary> {
  const { region, clientFor } = acm;
  let NextToken: string | undefined;
  for (let page = 0; page < maximumPages; page++) {
    const command = new ListCertificatesCommand({ Includes: { keyTypes }, MaxItems: 1000, NextToken });
    const call = { action: 'acm:ListCertificates', resource: `region ${region}` };
    const reply = await replyOf(call, inRegion(acm, clientFor(region).send(command)));
    yield* (reply.CertificateSummaryList ?? []).filter(({ Type }) => Type === 'IMPORTED');
    ({ NextToken } = reply);
    if (!NextToken) return;
  }
  throw new UnexpectedError({
    what: `ACM in ${region} lists more than ${maximumPages * 1000} certificates, so its imports were not all read.`,
    region,
  });
}

/** Returns the tags that an import does not have with these values. */
export async function differentTags(
  acm: RegionalAcm,
  arn: string,
  expected: readonly Tag[],
): Promise<readonly TagDifference[]> {
  const reply = await replyOf(
    { action: 'acm:ListTagsForCertificate', resource: `certificate ${arn}` },
    inRegion(acm, acm.clientFor(acm.region).send(new ListTagsForCertificateCommand({ CertificateArn: arn }))),
    // The certificate was deleted in the meantime.
    { ResourceNotFoundException: () => ({ Tags: [] }) },
  );
  const found = new Map(reply.Tags?.map(({ Key, Value }) => [Key, Value]));
  return expected
    .filter(({ Key, Value }) => found.get(Key) !== Value)
    .map(({ Key: tag = '', Value: value = '' }) => ({ tag, value: found.get(tag) ?? null, expected: value }));
}

const validityOf = ({ NotBefore, NotAfter }: { readonly NotBefore?: Date; readonly NotAfter?: Date }): Validity => ({
  notBefore: NotBefore?.toISOString() ?? '',
  notAfter: NotAfter?.toISOString() ?? '',
});
