import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type { CertificateSpec } from '../../contract/config.ts';
import type { SavedOrder } from '../../ports/ledger.ts';

/** Why a saved order is of no use any more, in words; `null`: it may be carried on. */
export function unusableOrderReason(
  { url, expires, specHash, directoryUrl }: SavedOrder,
  spec: CertificateSpec,
  current: CertificateFacts | null,
  now: Date,
): string | null {
  if (url === current?.orderUrl) return 'its certificate is stored';
  if (specHash !== spec.specHash) return 'the configuration has changed since';
  if (directoryUrl !== spec.issuer.directoryUrl) return `it is not of ${spec.issuer.name}, whose turn it is`;
  if (expires && now.getTime() >= Date.parse(expires)) return `it expired on ${expires}`;
  return null;
}
