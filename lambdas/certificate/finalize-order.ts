import type { FinalizeOrderInput, FinalizeOrderOutput } from '../rules/contract.ts';
import { CaUnavailableError, MalformedError, OrderInvalidError, OrderNotReadyError } from '../rules/errors.ts';
import { pollWait } from '../rules/poll-wait.ts';
import type { CertificateSecrets, Ledger, NewPrivateKey, Order } from '../rules/ports.ts';
import { type AccountPorts, accountAt } from './account-at.ts';

export interface FinalizeOrderPorts extends AccountPorts {
  readonly ledger: Ledger;
  readonly secrets: CertificateSecrets;
  readonly newPrivateKey: NewPrivateKey;
}

/**
 * Stages the key, then sends the CSR. RFC 8555 §7.4. The key is in the secret before the CA may issue for it, so a certificate can
 * never belong to a key we lost; the first key staged for an order is the one that counts.
 *
 * Run twice, the second finds the staged key and an order past `ready`, reads the order and goes by its status.
 */
export async function finalizeOrder(
  { certificate, execution, spec, order }: FinalizeOrderInput,
  { ledger, secrets, newPrivateKey, ...accountPorts }: FinalizeOrderPorts,
): Promise<FinalizeOrderOutput> {
  if (!(await secrets.describe(certificate))) await secrets.create(certificate);
  const privateKey = await secrets.stageKey(certificate, order.url, await newPrivateKey(spec.keyType));
  const ca = await accountAt(spec.issuer, accountPorts);
  await ledger.assertLease(certificate, execution);

  const seen = await ca.finalize(order, spec.identifiers, privateKey).catch(async (error: unknown) => {
    if (!lostReply(error)) throw error;
    const now = await ca.order(order.url);
    if (now.status === 'ready' || now.status === 'pending') throw error; // it never arrived, or may not yet
    return now;
  });
  return finalized(certificate, seen);
}

/** The reply to a finalize that went through may be lost, and a second one is refused: the order itself knows. */
const lostReply = (error: unknown): boolean =>
  error instanceof CaUnavailableError || error instanceof MalformedError || error instanceof OrderNotReadyError;

function finalized(
  certificate: string,
  { status, url, certificate: certificateUrl, retryAfter, error }: Order,
): FinalizeOrderOutput {
  if (status === 'invalid') {
    throw new OrderInvalidError(
      `The CA made the order of certificate ${certificate} invalid at finalize: ${error?.detail ?? 'it gives no reason'} (${url})`,
      error ? { problem: error } : {},
    );
  }
  const reached = status === 'valid';
  // A CA that names no time may have signed already: the first look is at once, later ones as `pollWait` says.
  return {
    reached,
    status,
    wait: reached || retryAfter === null ? 0 : pollWait(0, retryAfter),
    certificateUrl: reached ? certificateUrl : null,
  };
}
