import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type { CertificateSpec, Issuer } from '../../contract/config.ts';
import type { RecordedFailure } from '../../ports/ledger-certificate.ts';
import { setHash } from '../certificate/certificate-spec.ts';
import { type ErrorName, treatments } from '../failure/failure-treatments.ts';

/** Failures of one issuer in a row after which the next issuer is used. Failures that the operator has to fix do not count. */
const failuresPerIssuer = 3;

type Failure = Pick<RecordedFailure, 'issuerFailures'> & Partial<Pick<RecordedFailure, 'error'>>;

/** Tells whether only the operator can make the issuer issue, for example because of CAA, a missing account binding or an unknown profile. */
const needsOperator = (error: string | undefined): boolean =>
  error !== undefined && treatments[error as ErrorName]?.action !== undefined;

/**
 * Returns the issuer to use now. It is the configured one, after three failures the first fallback, after three more the next, and after the
 * last fallback the configured one again. A success resets the choice. Fallbacks without agreed terms are skipped, because they can have no
 * account. After a failure that only the operator can fix, the configured issuer is used, so that a fallback does not hide its problem.
 */
export function chosenIssuer(
  { issuers, issuer }: Pick<CertificateSpec, 'issuers' | 'issuer'>,
  failure: Failure | null,
): Issuer {
  const usable = issuers.filter((each, index) => index === 0 || each.termsOfServiceAgreed);
  const position = needsOperator(failure?.error) ? 0 : Math.floor((failure?.issuerFailures ?? 0) / failuresPerIssuer);
  return usable[position % usable.length] ?? issuer;
}

/** Returns the spec with the issuer to use now. `specHash` stays that of the configuration. */
export function withChosenIssuer(spec: CertificateSpec, failure: Failure | null): CertificateSpec {
  const issuer = chosenIssuer(spec, failure);
  if (issuer === spec.issuer) return spec;
  return { ...spec, issuer, setHash: setHash(issuer.directoryUrl, spec.identifiers) };
}

/** Tells whether a directory is that of a fallback issuer. */
const isFallback = ({ issuers: [first] }: Pick<CertificateSpec, 'issuers'>, directoryUrl: string): boolean =>
  first !== undefined && first.directoryUrl !== directoryUrl;

/**
 * Returns the profile to order. A fallback issuer that does not offer the configured profile in its directory is asked for its default profile. The
 * configured issuer is asked for the configured profile in any case, so that a wrong name is reported.
 */
export function orderedProfile(
  { profile, issuer, issuers }: Pick<CertificateSpec, 'profile' | 'issuer' | 'issuers'>,
  offered: readonly string[],
): string | null {
  if (profile === null || offered.includes(profile)) return profile;
  return isFallback({ issuers }, issuer.directoryUrl) ? null : profile;
}

/** Tells whether a certificate has the configured profile, or the default profile of a fallback issuer. */
export function hasConfiguredProfile(
  { profile, issuers }: Pick<CertificateSpec, 'profile' | 'issuers'>,
  current: Pick<CertificateFacts, 'profile' | 'directoryUrl'>,
): boolean {
  return current.profile === profile || (current.profile === null && isFallback({ issuers }, current.directoryUrl));
}

/** The issuer of a certificate, if it is still configured for that certificate. */
export function issuerOf(
  { issuers }: Pick<CertificateSpec, 'issuers'>,
  { directoryUrl }: { readonly directoryUrl: string },
): Issuer | undefined {
  return issuers.find((each) => each.directoryUrl === directoryUrl);
}
