import type { X509Certificate } from 'node:crypto';

/**
 * Returns the issuers of a certificate in upward order, selected from the certificates that a CA sent. Each directly signed the one before it, as ACM
 * and CloudFront require (https://docs.aws.amazon.com/acm/latest/userguide/troubleshoot-import.html). Duplicates, unrelated certificates and
 * a self-signed root are left out, because clients that trust the root have it already. The order of `sent` makes no difference.
 *
 * A cross-signed root is kept even if its self-signed version was sent too, because clients that do not trust the self-signed version need it. So
 * only certificates that are known to be self-signed are left out.
 */
export function issuersUpward(
  leaf: X509Certificate,
  sent: readonly X509Certificate[],
  now: Date,
): readonly X509Certificate[] {
  const path = [leaf];
  for (;;) {
    const below = path.at(-1) ?? leaf;
    const [issuer] = sent
      .filter((each) => isIssuer(each, below))
      // CAs that signed each other would form a loop.
      .filter((each) => !path.some((known) => isSameCa(each, known) || isIssuer(known, each)))
      .toSorted((a, b) => compare(rank(a, now), rank(b, now)));
    if (!issuer || isSelfSigned(issuer)) return path.slice(1);
    path.push(issuer);
  }
}

/** Tells whether one certificate issued the other, by name, key identifiers and signature. */
export const isIssuer = (issuer: X509Certificate, subject: X509Certificate): boolean =>
  subject.checkIssued(issuer) && subject.verify(issuer.publicKey);

const isSelfSigned = (certificate: X509Certificate): boolean =>
  certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);

const isSameCa = (a: X509Certificate, b: X509Certificate): boolean =>
  a.subject === b.subject && a.publicKey.equals(b.publicKey);

/**
 * Returns the sort key of an issuer. The best issuer is usable, does not end the chain, and is valid for the longest time. The digest decides between
 * equal issuers, so that the order in which a CA sends them makes no difference.
 */
const rank = (certificate: X509Certificate, now: Date): readonly (number | string)[] => [
  certificate.ca && certificate.validToDate > now ? 0 : 1,
  isSelfSigned(certificate) ? 1 : 0,
  -certificate.validToDate.getTime(),
  certificate.fingerprint256,
];

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  const index = a.findIndex((value, at) => value !== b[at]);
  const [one, other] = [a[index] ?? 0, b[index] ?? 0];
  return one < other ? -1 : Number(one > other);
}
