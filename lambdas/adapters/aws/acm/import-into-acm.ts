import { AddTagsToCertificateCommand, DescribeCertificateCommand, ImportCertificateCommand } from '@aws-sdk/client-acm';
import type { NewArnReason } from '../../../domain/contract/certificate-facts.ts';
import type { AcmCertificates } from '../../../domain/ports/acm-certificates.ts';
import { newArnReason } from '../../../domain/rules/certificate/acm-import.ts';
import { sentOnce } from '../client.ts';
import { replyOf, translated } from '../translate-errors.ts';
import {
  type Attempt,
  importLimit,
  importRefused,
  otherChange,
  tagChangeRefused,
  tagsRefused,
  tagsText,
} from './import-errors.ts';
import { firstTagsOf, inRegion, listOf, type RegionalAcm, tagsOf } from './regional-acm.ts';

/** Imports over an ARN, or under a new one for `null`. */
export async function importIntoAcm(
  acm: RegionalAcm,
  certificate: string,
  pem: { readonly certificate: string; readonly chain: string; readonly privateKey: string },
  arn: string | null,
): ReturnType<AcmCertificates['import']> {
  const command = new ImportCertificateCommand({
    Certificate: Buffer.from(pem.certificate),
    PrivateKey: Buffer.from(pem.privateKey),
    ...(pem.chain && { CertificateChain: Buffer.from(pem.chain) }),
    ...(arn ? { CertificateArn: arn } : { Tags: firstTagsOf(acm, certificate) }),
  });
  const resource = arn ? `certificate ${arn}` : `certificate ${certificate} in ${acm.region}`;
  const call = { action: 'acm:ImportCertificate', resource };
  // Each import without an ARN creates a certificate, so the SDK must not repeat it.
  const client = arn ? acm.clientFor(acm.region) : acm.clientFor(acm.region, sentOnce);
  const reply = await replyOf(
    call,
    inRegion(acm, client.send(command)),
    answers({ acm, call, certificate, leaf: pem.certificate, arn }),
  );
  return typeof reply === 'string' ? reply : { arn: reply.CertificateArn ?? arn ?? '' };
}

/** Sets the operator's tags on an import. The role may set tags only together with those of this stack. */
export async function tagImport(acm: RegionalAcm, certificate: string, arn: string): Promise<'tagged' | 'notFound'> {
  const Tags = [...listOf(acm.tags), ...tagsOf(acm, certificate)];
  const call = { action: 'acm:AddTagsToCertificate', resource: `certificate ${arn}` };
  const gone = () => 'notFound' as const;
  const refused = (error: Error): never => {
    throw tagChangeRefused({ acm, certificate, arn }, error);
  };
  const reply = await replyOf(
    call,
    inRegion(acm, acm.clientFor(acm.region).send(new AddTagsToCertificateCommand({ CertificateArn: arn, Tags }))),
    {
      ResourceNotFoundException: gone,
      InvalidArnException: gone,
      InvalidParameterException: refused,
      InvalidTagException: refused,
      TagPolicyException: refused,
      TooManyTagsException: refused,
    },
  );
  return reply === 'notFound' ? reply : 'tagged';
}

type NotImported = 'notFound' | NewArnReason;

/** The meaning of each error of ACM. */
function answers(attempt: Attempt): Readonly<Record<string, (error: Error) => NotImported | Promise<NotImported>>> {
  const gone = () => 'notFound' as const;
  const thrown = (errorOf: (attempt: Attempt, error: Error) => Error) => (error: Error) => {
    throw errorOf(attempt, error);
  };
  return {
    AccessDeniedException: (error) => whereDenied(attempt, error),
    ResourceNotFoundException: gone,
    InvalidArnException: gone,
    InvalidParameterException: (error) => whereRefused(attempt, error),
    ValidationException: (error) => whereRefused(attempt, error),
    InvalidTagException: thrown(tagsRefused),
    TagPolicyException: thrown(tagsRefused),
    TooManyTagsException: thrown(tagsRefused),
    LimitExceededException: thrown(importLimit),
    ConflictException: thrown(otherChange),
  };
}

/** IAM denies an import over a deleted ARN, because the policy requires the tags of the stack and a deleted certificate has none. */
async function whereDenied(attempt: Attempt, error: Error): Promise<NotImported> {
  if ((await obstacle(attempt)) === 'notFound') return 'notFound';
  const { call, arn } = attempt;
  const resource = arn ? `${call.resource} (which needs its tags: ${tagsText(attempt)})` : call.resource;
  throw translated(error, { ...call, resource });
}

/** ACM has no error name for changes that it rejects over an ARN, so the certificate at the ARN is compared. */
async function whereRefused(attempt: Attempt, error: Error): Promise<NotImported> {
  const reason = await obstacle(attempt);
  if (reason !== null) return reason;
  throw importRefused(attempt, error);
}

/** The reason why ACM rejects an import over the ARN. `null` if there is no ARN, or if no reason is known that a new ARN would avoid. */
async function obstacle({ acm, leaf, arn }: Attempt): Promise<NotImported | null> {
  if (arn === null) return null;
  const reply = await replyOf(
    { action: 'acm:DescribeCertificate', resource: `certificate ${arn}` },
    inRegion(acm, acm.clientFor(acm.region).send(new DescribeCertificateCommand({ CertificateArn: arn }))),
    {
      ResourceNotFoundException: () => 'notFound' as const,
      InvalidArnException: () => 'notFound' as const,
      // If this call is denied too, the error of the import is more useful.
      AccessDeniedException: () => null,
    },
  );
  if (reply === null || reply === 'notFound') return reply;
  return reply.Certificate ? newArnReason(reply.Certificate, leaf) : null;
}
