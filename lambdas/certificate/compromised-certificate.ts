import type { CertificateSpec } from '../domain/contract/config.ts';
import { CompromisedKeyError } from '../domain/contract/errors.ts';
import type { Ledger } from '../domain/ports/ledger.ts';

/**
 * Makes a renewal due, because the current version has a compromised key. It runs before the version is recorded as current, so that no interruption
 * leaves a recorded version that is not replaced. The next certificate may pass the issue cap.
 */
export async function replaceCompromised(
  {
    certificate,
    spec,
    versionId,
  }: { readonly certificate: string; readonly spec: CertificateSpec; readonly versionId: string },
  ledger: Pick<Ledger, 'allowIssue' | 'recordRevocation'>,
): Promise<void> {
  await ledger.recordRevocation(certificate, versionId);
  await ledger.allowIssue(spec.setHash);
}

/** The error for a current version whose key is compromised. The workflow retries it at once, and orders with a new key. */
export const compromisedCertificate = (certificate: string, versionId: string): CompromisedKeyError =>
  new CompromisedKeyError({
    what: `The current version ${versionId} of the secret has a key that is marked as compromised.`,
    remedy: 'A certificate with a new key is ordered.',
    certificate,
  });

/** The error for the certificate of an order whose key is compromised. */
export const compromisedOrder = (certificate: string, order: string): CompromisedKeyError =>
  new CompromisedKeyError({
    what: `The key for order ${order} is compromised, so its certificate was not made current.`,
    remedy: 'The certificate is ordered again with a new key.',
    certificate,
    order,
  });
