import type { X509Certificate } from 'node:crypto';

/**
 * Issuers of a certificate, upward, picked out of what a CA sent, in whatever order: each directly signed the one before it, as ACM and
 * CloudFront want it (https://docs.aws.amazon.com/acm/latest/userguide/troubleshoot-import.html). Each once, others left out, no
 * self-signed root: who trusts it has it. The order of `sent` makes no difference.
 *
 * A cross-signed root stays, also beside its self-signed twin: only who trusts the twin could do without. So nothing is cut but what is
 * known to be self-signed.
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
      // CAs that signed each other lead round in a circle.
      .filter((each) => !path.some((known) => isSameCa(each, known) || isIssuer(known, each)))
      .toSorted((a, b) => compare(rank(a, now), rank(b, now)));
    if (!issuer || isSelfSigned(issuer)) return path.slice(1);
    path.push(issuer);
  }
}

/** By name, key identifiers and signature. */
export const isIssuer = (issuer: X509Certificate, subject: X509Certificate): boolean =>
  subject.checkIssued(issuer) && subject.verify(issuer.publicKey);

const isSelfSigned = (certificate: X509Certificate): boolean =>
  certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);

const isSameCa = (a: X509Certificate, b: X509Certificate): boolean =>
  a.subject === b.subject && a.publicKey.equals(b.publicKey);

/** The best first, whoever sent what first: usable, not the end of the chain, valid for longest; the digest decides between equals. */
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
