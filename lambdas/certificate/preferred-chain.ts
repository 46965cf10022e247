import type { Issuer } from '../domain/contract/config.ts';
import { printable } from '../domain/contract/printable-text.ts';
import type { CertificateAuthority } from '../domain/ports/acme.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { endOf, endsIn } from '../domain/rules/certificate/chain-end.ts';
import { downloadTime, maximumAlternates } from '../domain/rules/certificate/download-time.ts';
import { longestWarning, type VerifiedCertificate } from '../domain/rules/certificate/verify-certificate.ts';

/**
 * Returns the verified certificate with the chain that the issuer's settings prefer. Alternate chains are downloaded until one matches, and as long
 * as another reply comes before the function ends. An alternate that cannot be downloaded or verified is skipped. If no chain matches, the default
 * chain is returned with a warning, because it is valid too.
 *
 * `started` is the time at which the step began.
 */
export async function inPreferredChain(
  { preferredChain, replyTimeout }: Pick<Issuer, 'preferredChain' | 'replyTimeout'>,
  { pem, alternates }: Awaited<ReturnType<CertificateAuthority['certificate']>>,
  {
    ca,
    verify,
    started,
    clock,
  }: {
    readonly ca: Pick<CertificateAuthority, 'certificate'>;
    readonly verify: (pem: string) => VerifiedCertificate;
    readonly started: Date;
    readonly clock: Clock;
  },
): Promise<VerifiedCertificate> {
  const verified = verify(pem);
  // The chain as it is stored. It is sorted, and the CA may send it unsorted.
  const fullChainOf = ({ certificate, chain }: VerifiedCertificate) => certificate + chain;
  if (preferredChain === null || endsIn(fullChainOf(verified), preferredChain)) return verified;
  const seen = [endOf(fullChainOf(verified))];
  let tooSlow = '';
  const lastRequest = started.getTime() + (downloadTime(replyTimeout) - replyTimeout) * 1000;
  for (const url of alternates.slice(0, maximumAlternates)) {
    if (clock.now().getTime() > lastRequest) {
      tooSlow = '. The others were not downloaded, because the CA replies too slowly';
      break;
    }
    try {
      const alternate = verify((await ca.certificate(url)).pem);
      if (endsIn(fullChainOf(alternate), preferredChain)) return alternate;
      seen.push(endOf(fullChainOf(alternate)));
    } catch (error) {
      seen.push(`nothing (${url}: ${error instanceof Error ? error.message : error})`);
    }
  }
  const warning = `no chain ends in the preferred ${preferredChain}, so the default chain of the CA is stored. The chains end in ${seen.join(', ')}${tooSlow}`;
  // A CA chooses the names of its roots and the words of its errors.
  return { ...verified, warnings: [...verified.warnings, printable(warning, longestWarning)] };
}
