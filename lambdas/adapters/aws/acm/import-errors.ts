import { ImportLimitError, ImportRefusedError, ThrottledError } from '../../../domain/contract/errors.ts';
import type { Call } from '../translate-errors.ts';
import { type RegionalAcm, tagsOf } from './regional-acm.ts';

/** One call of ImportCertificate. */
export interface Attempt {
  readonly acm: RegionalAcm;
  readonly call: Call;
  readonly certificate: string;
  /** Certificate, chain and key in PEM. */
  readonly leaf: string;
  readonly arn: string | null;
}

export function tagsText({ acm, certificate }: Pick<Attempt, 'acm' | 'certificate'>): string {
  return tagsOf(acm, certificate)
    .map(({ Key, Value }) => `${Key} = ${Value}`)
    .join(', ');
}

export function importRefused(
  { acm: { region }, certificate }: Attempt,
  cause: Error,
  remedy = '',
): ImportRefusedError {
  return new ImportRefusedError({
    what: `ACM in ${region} refuses the certificate.`,
    why: `${cause.name}: ${cause.message}`,
    remedy: `${remedy}The certificate is safe in its secret. Fix the cause and start the renewal again: it imports without a new order.`,
    certificate,
    region,
    cause,
  });
}

export function tagsRefused(attempt: Attempt, cause: Error): ImportRefusedError {
  return importRefused(
    attempt,
    cause,
    `The first import sets the tag Name, the tags of the configuration, and ${tagsText(attempt)}. Later imports find the certificate by ` +
      'the last three. Let the tag policies of the organization allow all of them for acm:certificate. ',
  );
}

export function tagChangeRefused(
  { acm: { region }, certificate, arn }: Pick<Attempt, 'acm' | 'certificate' | 'arn'>,
  cause: Error,
): ImportRefusedError {
  return new ImportRefusedError({
    what: `ACM in ${region} refuses the tags of ${arn}.`,
    why: `${cause.name}: ${cause.message}`,
    remedy:
      "Correct the tags of the configuration, or let the organization's tag policies allow them for acm:certificate. The import has the current certificate.",
    certificate,
    region,
    cause,
  });
}

export function importLimit({ acm: { region }, certificate }: Attempt, cause: Error): ImportLimitError {
  return new ImportLimitError({
    what: `ACM in ${region} takes no more imports, so it keeps the earlier certificate.`,
    why: `${cause.message} ACM limits the imported certificates of an account and region (2,500) and the imports in 365 days (5,000).`,
    remedy:
      'Delete certificates that nothing uses, or ask AWS for a higher quota. Until then the new one is in its secret only.',
    certificate,
    region,
    cause,
  });
}

export function otherChange({ call }: Attempt, cause: Error): ThrottledError {
  return new ThrottledError({
    what: `${call.action} on ${call.resource} met another change of the same certificate.`,
    why: cause.message,
    remedy: 'It is tried again.',
    ...call,
    cause,
  });
}
