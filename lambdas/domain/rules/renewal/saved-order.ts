import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type { CertificateSpec } from '../../contract/config.ts';
import type { SavedOrder } from '../../ports/ledger-certificate.ts';

/** The reason why a saved order cannot be resumed. `null` if it can. */
export function unusableOrderReason(
  { url, expires, specHash, directoryUrl }: SavedOrder,
  spec: CertificateSpec,
  current: CertificateFacts | null,
  now: Date,
): string | null {
  if (url === current?.orderUrl) return 'its certificate is stored';
  if (specHash !== spec.specHash) return 'the configuration has changed since';
  if (directoryUrl !== spec.issuer.directoryUrl)
    return `${spec.issuer.name} is used now, and the order is at another issuer`;
  if (expires && now.getTime() >= Date.parse(expires)) return `it expired on ${expires}`;
  return null;
}
