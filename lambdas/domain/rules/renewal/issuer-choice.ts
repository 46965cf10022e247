import type { CertificateSpec, Issuer } from '../../contract/config.ts';
import type { RecordedFailure } from '../../ports/ledger.ts';
import { setHash } from '../certificate/certificate-spec.ts';
import { type ErrorName, treatments } from '../failure/failure-treatments.ts';

/** Failures in a row, none of them the operator's to mend, after which the next issuer is asked. */
const failuresEach = 3;

type Failure = Pick<RecordedFailure, 'issuerFailures'> & Partial<Pick<RecordedFailure, 'error'>>;

/** CAA forbids it, it wants a binding, it has not the profile: nothing but a person's doing makes it issue. */
const needsPerson = (error: string | undefined): boolean =>
  error !== undefined && treatments[error as ErrorName]?.action !== undefined;

/**
 * The issuer whose turn it is: the configured one, after three failures the first fallback, after three more the next, and round again.
 * A success brings the configured one back. A fallback whose terms nobody agreed to can have no account there, so it has no turn; and
 * after one that only a person can make issue (CAA forbids it, say) the configured one has it, so that no fallback makes things worse.
 */
export function chosenIssuer(
  { issuers, issuer }: Pick<CertificateSpec, 'issuers' | 'issuer'>,
  failure: Failure | null,
): Issuer {
  const usable = issuers.filter((each, index) => index === 0 || each.termsOfServiceAgreed);
  const turn = needsPerson(failure?.error) ? 0 : Math.floor((failure?.issuerFailures ?? 0) / failuresEach);
  return usable[turn % usable.length] ?? issuer;
}

/** The spec for the issuer whose turn it is. The spec's hash is of what is configured, and stays. */
export function withChosenIssuer(spec: CertificateSpec, failure: Failure | null): CertificateSpec {
  const issuer = chosenIssuer(spec, failure);
  return { ...spec, issuer, setHash: setHash(issuer.directoryUrl, spec.identifiers) };
}

/** The issuer that a certificate came from, if it is still one that may issue it. */
export function issuerOf(
  { issuers }: Pick<CertificateSpec, 'issuers'>,
  { directoryUrl }: { readonly directoryUrl: string },
): Issuer | undefined {
  return issuers.find((each) => each.directoryUrl === directoryUrl);
}
