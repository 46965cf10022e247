import type { CertificateSpec, Issuer } from '../domain/contract/config.ts';
import { CompromisedKeyError } from '../domain/contract/errors.ts';
import { revocationReasons } from '../domain/contract/revocation-reason.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import { type AccountPorts, storedAccount } from './stored-account.ts';

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

/**
 * Revokes the certificate of an order if this error says that its key is compromised, and throws the error. The revocation that marked the key may have
 * listed the certificates before this one was stored. The account that ordered the certificate signs the request. If the CA refuses it, the error of the
 * CA is thrown, and the next attempt revokes again. RFC 8555 §7.6
 */
export async function revokeIfCompromised(
  error: unknown,
  { issuer, certificateUrl }: { readonly issuer: Issuer; readonly certificateUrl: string | null },
  { accounts, acme }: AccountPorts,
): Promise<never> {
  if (error instanceof CompromisedKeyError && certificateUrl !== null) {
    const account = await storedAccount(issuer, accounts);
    const { pem } = await acme.connect(issuer, account).certificate(certificateUrl);
    await acme.revoke(issuer, account, pem, revocationReasons.keyCompromise);
  }
  throw error;
}
