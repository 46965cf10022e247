import {
  CaUnavailableError,
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
import { pollWait } from '../domain/rules/proof/poll-wait.ts';
import { type AccountPorts, connectStoredAccount } from './stored-account.ts';

export interface FinalizeOrderPorts extends AccountPorts {
  readonly ledger: Ledger;
  readonly secrets: CertificateSecrets;
  readonly newPrivateKey: NewPrivateKey;
  readonly clock: Clock;
}

/**
 * Stages the key, then sends the CSR. RFC 8555 §7.4. The key is in the secret before the CA may issue for it, so a certificate can
 * never belong to a key we lost; the first key staged for an order is the one that counts. The issue is counted before the CSR leaves,
 * and taken off again where the order turns out invalid. A resumed order is looked at first: what is past `ready` needs no CSR.
 *
 * Run twice, the second finds the staged key and an order past `ready`, reads the order and goes by its status.
 */
export async function finalizeOrder(
  { resumed, ...input }: FinalizeOrderInput,
  ports: FinalizeOrderPorts,
): Promise<FinalizeOrderOutput> {
  const { certificate, spec, order } = input;
  const ca = await connectStoredAccount(spec.issuer, ports);
  const before = resumed ? await ca.order(order.url) : null;
  const seen = before && !wantsCsr(before) ? await ours(before, certificate, ports) : await send(input, ca, ports);
  if (seen.status === 'invalid') {
    await ports.ledger.refundIssue(spec.setHash, order.url);
    throw invalidAtFinalize(certificate, seen);
  }
  return soFar(seen);
}

const wantsCsr = ({ status }: Order): boolean => status === 'ready' || status === 'pending';

/** RFC 8555 §7.1.6. Any other status past `ready` is one that nobody knew yesterday: it says nothing of a CSR and is waited out. */
const hasCsr = ({ status }: Order): boolean => status === 'processing' || status === 'valid';

async function send(
  { certificate, execution, spec, order }: Omit<FinalizeOrderInput, 'resumed'>,
  ca: CertificateAuthority,
  { ledger, secrets, newPrivateKey, clock }: FinalizeOrderPorts,
): Promise<Order> {
  const secret = await secrets.describe(certificate);
  if (!secret) await secrets.create(certificate);
  // A new key for every certificate; those who pin theirs keep it, as long as it is of the type that is asked for and nobody else's.
  const current = spec.reuseKey && secret?.currentVersion ? await secrets.readCurrent(certificate) : null;
  const pinned = current?.value.keyType === spec.keyType && !current.compromised ? current.value.privateKey : null;
  const key = pinned ?? (await newPrivateKey(spec.keyType));
  const privateKey = await secrets.stageKey(certificate, order.url, key);
  await ledger.assertLease(certificate, execution);
  if (!spec.issuer.staging) await ledger.countIssue(spec.setHash, order.url, clock.now());
  return ca.finalize(order, spec.identifiers, privateKey).catch((error: unknown) => wentThrough(error, order.url, ca));
}

/**
 * No CSR of ours leaves before its key is staged. So an order past `ready` without one was finalized by a twin: a CA hands out
 * a pending order of the same names and account again, whoever asks (Boulder does).
 */
async function ours(
  order: Order,
  certificate: string,
  { secrets }: Pick<FinalizeOrderPorts, 'secrets'>,
): Promise<Order> {
  if (!hasCsr(order)) return order;
  const secret = await secrets.describe(certificate);
  if (secret && (await secrets.stagedKey(certificate, order.url)) !== null) return order;
  throw new OrderSharedError({
    what: `The saved order ${order.url} was finalized for another certificate with the same names.`,
    remedy: 'A new order is placed.',
    certificate,
    order: order.url,
  });
}

/** The reply to a finalize that went through may be lost, and a second one is refused: the order itself knows. */
async function wentThrough(error: unknown, orderUrl: string, ca: CertificateAuthority): Promise<Order> {
  const lost =
    error instanceof CaUnavailableError || error instanceof MalformedError || error instanceof OrderNotReadyError;
  if (!lost) throw error;
  const now = await ca.order(orderUrl);
  if (now.status === 'ready' || now.status === 'pending') throw error; // it never arrived, or may not yet
  return now;
}

const invalidAtFinalize = (certificate: string, { url, error }: Order): OrderInvalidError =>
  new OrderInvalidError({
    what: `The CA made the order invalid at finalize: ${url}.`,
    why: error?.detail ? `It says: ${error.detail}` : 'It gives no reason.',
    remedy: 'The next attempt places a new order.',
    certificate,
    order: url,
    problem: error ?? undefined,
  });

function soFar({ status, certificate, retryAfter }: Order): FinalizeOrderOutput {
  const reached = status === 'valid';
  // A CA that names no time may have signed already: the first look is at once, later ones as `pollWait` says.
  return {
    reached,
    status,
    wait: reached || retryAfter === null ? 0 : pollWait(0, retryAfter),
    certificateUrl: reached ? certificate : null,
  };
}
