import {
  CaUnavailableError,
  CompromisedKeyError,
  MalformedError,
  OrderInvalidError,
  OrderNotReadyError,
  OrderSharedError,
} from '../domain/contract/errors.ts';
import type { FinalizeOrderInput, FinalizeOrderOutput } from '../domain/contract/steps.ts';
import type { CertificateAuthority, Order } from '../domain/ports/acme.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { NewPrivateKey } from '../domain/ports/private-keys.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { pollings, pollWait } from '../domain/rules/proof/poll-wait.ts';
import { revokeIfCompromised } from './compromised-certificate.ts';
import { type AccountPorts, connectStoredAccount } from './stored-account.ts';

export interface FinalizeOrderPorts extends AccountPorts {
  readonly ledger: Ledger;
  readonly secrets: CertificateSecrets;
  readonly newPrivateKey: NewPrivateKey;
  readonly clock: Clock;
}

/**
 * Stages the key and sends the CSR. RFC 8555 §7.4. The key is in the secret before the CA may sign a certificate for it, so a certificate can never
 * belong to a key that was lost. If a key is staged for the order already, that key is used. The issue is counted before the CSR is sent, and removed
 * from the count if the order becomes invalid. The status of a resumed order is read first, because an order past `ready` needs no CSR.
 *
 * A second run finds the staged key and an order past `ready`. It reads the order and continues with its status.
 *
 * @throws OrderInvalidError if the CA made the order invalid
 * @throws OrderSharedError if the resumed order was finalized for another certificate with the same names
 */
export async function finalizeOrder(
  { resumed, ...input }: FinalizeOrderInput,
  ports: FinalizeOrderPorts,
): Promise<FinalizeOrderOutput> {
  const { certificate, spec, order } = input;
  const ca = await connectStoredAccount(spec.issuer, ports);
  const before = resumed ? await ca.order(order.url) : null;
  const seen =
    before && !needsCsr(before) ? await requireStagedKey(before, input, ports) : await sendCsr(input, ca, ports);
  if (seen.status === 'invalid') {
    await ports.ledger.refundIssue(spec.setHash, order.url);
    throw invalidOrder(certificate, seen);
  }
  return outputFor(seen);
}

const needsCsr = ({ status }: Order): boolean => status === 'ready' || status === 'pending';

/** Tells whether the CA has a CSR for the order. RFC 8555 §7.1.6. An unknown status does not tell, so the order is polled until its status is known. */
const hasCsr = ({ status }: Order): boolean => status === 'processing' || status === 'valid';

async function sendCsr(
  { certificate, execution, spec, order }: Omit<FinalizeOrderInput, 'resumed'>,
  ca: CertificateAuthority,
  { ledger, secrets, newPrivateKey, clock }: FinalizeOrderPorts,
): Promise<Order> {
  const secret = await secrets.describe(certificate);
  if (!secret) await secrets.create(certificate);
  const pinned = spec.reuseKey && secret?.currentVersion ? await reusableKey(certificate, spec, secrets) : null;
  const key = pinned ?? (await newPrivateKey(spec.keyType));
  const privateKey = await secrets.stageKey(
    certificate,
    { url: order.url, directoryUrl: spec.issuer.directoryUrl },
    key,
  );
  await ledger.assertLease(certificate, execution);
  if (!spec.issuer.staging) await ledger.countIssue(spec.setHash, order.url, clock.now());
  return ca
    .finalize(order, spec.identifiers, privateKey)
    .catch((error: unknown) => orderAfterFailedFinalize(error, order.url, ca));
}

/**
 * Returns the current key if it has the configured type and is not compromised, else `null`. Without `reuseKey` each certificate gets a new key.
 */
async function reusableKey(
  certificate: string,
  { keyType }: FinalizeOrderInput['spec'],
  secrets: CertificateSecrets,
): Promise<string | null> {
  const { value } = await secrets.readCurrent(certificate);
  if (value.keyType !== keyType) return null;
  return (await secrets.isCompromised(certificate, value.privateKey)) ? null : value.privateKey;
}

/**
 * Returns a resumed order. If the CA has a CSR for it, the key must be staged in the secret of this certificate, because a key is staged before its
 * CSR is sent. Otherwise another certificate with the same names finalized the order, and `OrderSharedError` is thrown. This happens because a CA may
 * return one pending order to all requests of an account for the same names (Boulder does).
 *
 * If the staged key is compromised, the issued certificate is revoked. While the CA issues there is nothing to revoke yet. The order is then polled,
 * and *Store certificate* revokes its certificate.
 */
async function requireStagedKey(
  order: Order,
  { certificate, spec: { issuer } }: Pick<FinalizeOrderInput, 'certificate' | 'spec'>,
  { secrets, ...ports }: Pick<FinalizeOrderPorts, 'secrets' | keyof AccountPorts>,
): Promise<Order> {
  if (!hasCsr(order)) return order;
  const secret = await secrets.describe(certificate);
  try {
    if (secret && (await secrets.stagedKey(certificate, order.url)) !== null) return order;
  } catch (error) {
    if (error instanceof CompromisedKeyError && order.certificate === null) return order;
    return revokeIfCompromised(error, { issuer, certificateUrl: order.certificate }, ports);
  }
  throw new OrderSharedError({
    what: `The saved order ${order.url} was finalized for another certificate with the same names.`,
    remedy: 'The next attempt places a new order.',
    certificate,
    order: order.url,
  });
}

/**
 * Reads the order after finalize failed. The CA may have accepted the CSR although its reply was lost, and it refuses a second CSR. The status of the
 * order tells which. Throws the error if the order still has no CSR.
 */
async function orderAfterFailedFinalize(error: unknown, orderUrl: string, ca: CertificateAuthority): Promise<Order> {
  const mayHaveArrived =
    error instanceof CaUnavailableError || error instanceof MalformedError || error instanceof OrderNotReadyError;
  if (!mayHaveArrived) throw error;
  const now = await ca.order(orderUrl);
  if (now.status === 'ready' || now.status === 'pending') throw error; // the CSR has not arrived, or not yet
  return now;
}

const invalidOrder = (certificate: string, { url, error }: Order): OrderInvalidError =>
  new OrderInvalidError({
    what: `The CA made order ${url} invalid when it was finalized.`,
    why: error?.detail ? `The CA says: ${error.detail}` : 'The CA gives no reason.',
    remedy: 'The next attempt places a new order.',
    certificate,
    order: url,
    problem: error ?? undefined,
  });

function outputFor({ status, certificate, retryAfter }: Order): FinalizeOrderOutput {
  // A CA may show the status before the URL of the certificate.
  const reached = status === 'valid' && certificate !== null;
  // A CA that sends no Retry-After may have signed already, so the first poll follows at once. `pollWait` sets the later waits.
  return {
    reached,
    status,
    wait: reached || retryAfter === null ? 0 : (pollWait(0, pollings.valid, retryAfter) ?? 0),
    certificateUrl: reached ? certificate : null,
  };
}
