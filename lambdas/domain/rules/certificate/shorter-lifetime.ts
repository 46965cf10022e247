import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import { CertificateMismatchError } from '../../contract/errors.ts';

type Validity = Pick<CertificateFacts, 'notBefore' | 'notAfter'>;

const day = 86_400_000;
/** 12 hours in ms. A fresh certificate of a CA whose certificates live for a day has 24, and one with less is of no use with two fleet runs left. */
const shortestLeft = day / 2;

/** Lifetime in ms. Both ends belong to it. RFC 5280 §4.1.2.5 */
const lifetimeOf = ({ notBefore, notAfter }: Validity): number => Date.parse(notAfter) - Date.parse(notBefore) + 1000;

/**
 * Compares the validity of a new certificate with the one in use. Returns a warning as a phrase if the new one expires first, or `null`.
 *
 * A certificate that lives less than a day, or has less than 12 hours left, is rejected if the one in use had a longer lifetime and expires later. If the
 * one in use expires first, the new certificate is accepted, because it keeps servers working for longer.
 *
 * @throws CertificateMismatchError
 */
export function shorterLifetimeWarning(
  certificate: string,
  issued: Validity,
  inUse: Validity | null,
  now: Date,
): string | null {
  if (inUse === null || Date.parse(issued.notAfter) >= Date.parse(inUse.notAfter)) return null;
  const left = Date.parse(issued.notAfter) - now.getTime();
  const tooShort = lifetimeOf(issued) < day && lifetimeOf(inUse) >= day;
  const tooLate = left < shortestLeft && lifetimeOf(inUse) >= shortestLeft;
  if (tooShort || tooLate) {
    throw new CertificateMismatchError({
      what: 'The certificate that the CA sent is not stored.',
      why: `It expires at ${issued.notAfter}, and ${tooShort ? 'lives less than a day' : 'has less than 12 hours left'}. The certificate in use expires at ${inUse.notAfter}.`,
      remedy: 'The current certificate stays in use. Tell the CA if this repeats.',
      certificate,
    });
  }
  return `it expires at ${issued.notAfter}, before the certificate that it replaces, which expires at ${inUse.notAfter}`;
}
