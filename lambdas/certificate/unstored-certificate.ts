import type { Issuer } from '../domain/contract/config.ts';
import {
  AccountDoesNotExistError,
  AccountNotValidError,
  MalformedError,
  type PerennialError,
  RenewalsInProgressError,
  UnauthorizedError,
  UnrevokedCertificateError,
} from '../domain/contract/errors.ts';
import type { Order } from '../domain/ports/acme.ts';
import type { StagedKey } from '../domain/ports/certificate-secrets.ts';
import { type AccountPorts, connectStoredAccount } from './stored-account.ts';

/**
 * Statuses of an order without a certificate. A key that is compromised is replaced before the CSR of a pending or ready order is sent. Only a
 * function that chose its key before the mark may still send the CSR, while the order is ready.
 */
const withoutCertificate: ReadonlySet<string> = new Set(['pending', 'ready', 'invalid']);

/**
 * Downloads the certificate that the CA issued for the order of a staged key. RFC 8555 §7.4.2. An interrupted renewal may have left it at the CA.
 * Returns the status of the order if the CA has issued nothing.
 *
 * @throws RenewalsInProgressError while the CA issues the certificate
 * @throws UnrevokedCertificateError if the CA does not return the order
 */
export async function unstoredCertificate(
  { url, directoryUrl }: Pick<StagedKey, 'url' | 'directoryUrl'>,
  { issuer, certificate }: { readonly issuer: Issuer; readonly certificate: string },
  ports: AccountPorts,
): Promise<{ readonly pem: string } | { readonly status: string }> {
  try {
    const ca = await connectStoredAccount(issuer, ports);
    const order = await ca.order(url);
    if (withoutCertificate.has(order.status)) return { status: order.status };
    if (order.certificate === null) throw stillIssuing(order, { issuer, certificate });
    return { pem: (await ca.certificate(order.certificate)).pem };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    throw new UnrevokedCertificateError({
      what: `A certificate of order ${url} may have the compromised key, and was not revoked.`,
      why: error.explanation.why ?? error.message,
      remedy: `${issuer.name} (${directoryUrl}) does not return this order. Look for the certificate in a certificate transparency log, and revoke it with its key.`,
      certificate,
      order: url,
      cause: error,
    });
  }
}

const isUnreadable = (error: unknown): error is PerennialError =>
  error instanceof MalformedError ||
  error instanceof UnauthorizedError ||
  error instanceof AccountDoesNotExistError ||
  error instanceof AccountNotValidError;

const stillIssuing = (
  { url, status }: Order,
  { issuer, certificate }: { readonly issuer: Issuer; readonly certificate: string },
): RenewalsInProgressError =>
  new RenewalsInProgressError({
    what: 'A certificate with the compromised key may be issued soon, and was not revoked.',
    why: `Order ${url} is ${status} at ${issuer.name}.`,
    remedy:
      'The revocation waits ten minutes for it, and then fails. Start it again for the same version of the secret.',
    certificate,
    issuer: issuer.name,
    order: url,
  });
