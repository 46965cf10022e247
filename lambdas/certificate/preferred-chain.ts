import type { Issuer } from '../domain/contract/config.ts';
import type { CertificateAuthority } from '../domain/ports/acme.ts';
import { endOf, endsIn } from '../domain/rules/certificate/chain-end.ts';
import type { VerifiedCertificate } from '../domain/rules/certificate/verify-certificate.ts';

/**
 * The certificate, verified, with the chain that the issuer's settings prefer. Alternates are asked for only while none fits, and one that cannot
 * be had or is not what was ordered is passed over: the default chain is good, so it is stored, with a warning.
 */
export async function inPreferredChain(
  { preferredChain }: Pick<Issuer, 'preferredChain'>,
  { pem, alternates }: Awaited<ReturnType<CertificateAuthority['certificate']>>,
  {
    ca,
    verify,
  }: { readonly ca: Pick<CertificateAuthority, 'certificate'>; readonly verify: (pem: string) => VerifiedCertificate },
): Promise<VerifiedCertificate> {
  const verified = verify(pem);
  // As it is stored: in order, whatever the order was that it came in.
  const whole = ({ certificate, chain }: VerifiedCertificate) => certificate + chain;
  if (preferredChain === null || endsIn(whole(verified), preferredChain)) return verified;
  const seen = [endOf(whole(verified))];
  for (const url of alternates.slice(0, mostAlternates)) {
    try {
      const alternate = verify((await ca.certificate(url)).pem);
      if (endsIn(whole(alternate), preferredChain)) return alternate;
      seen.push(endOf(whole(alternate)));
    } catch (error) {
      seen.push(`nothing (${url}: ${error instanceof Error ? error.message : error})`);
    }
  }
  const warning = `no chain of it ends in the preferred ${preferredChain}, so the CA's default is stored; the chains end in ${seen.join(', ')}`;
  return { ...verified, warnings: [...verified.warnings, warning] };
}

/** CAs offer one to three. Each may take as long as an answer of the CA may, and all have to fit into the function's time. */
const mostAlternates = 4;
