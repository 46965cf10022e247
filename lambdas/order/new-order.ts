import type { CertificateSpec, Issuer } from '../domain/contract/config.ts';
import {
  AlreadyReplacedError,
  CaUnavailableError,
  MalformedError,
  OrderInvalidError,
  PerennialError,
  UnauthorizedError,
} from '../domain/contract/errors.ts';
import type { NewOrderInput, NewOrderOutput } from '../domain/contract/steps.ts';
import type { CertificateAuthority, Order } from '../domain/ports/acme.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';
import { authorizationsOf, pendingChallengesOf } from './pending-challenges.ts';

export interface NewOrderPorts extends AccountPorts {
  readonly ledger: Ledger;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<StepLog, 'warn'>;
}

/**
 * Creates the order and collects what has to be proven. RFC 8555 §7.4, §7.5. The order and the TXT values are in the ledger
 * before anything is written to DNS, so whatever dies later can be found and cleaned up. Valid authorizations need no proof.
 *
 * Run twice, it makes a second order (CAs that reuse pending ones return the first) and saves that one; the values of both are
 * remembered for removal.
 */
export async function newOrder(
  { certificate, execution, spec, challengeRecords, replaces }: NewOrderInput,
  { ledger, clock, log, ...accountPorts }: NewOrderPorts,
): Promise<NewOrderOutput> {
  await ledger.assertLease(certificate, execution);
  const ca = await ensureAccount(spec.issuer, accountPorts);
  const ordered = { identifiers: spec.identifiers, profile: spec.profile };
  const order = replaces
    ? await ca.newOrder({ ...ordered, replaces }).catch(async (error: unknown) => {
        if (!refusesReplaces(error)) throw error;
        const saved = isReplacedAlready(error) ? await savedOrder(spec, ca, ledger) : null;
        return saved ?? (await ca.newOrder(ordered));
      })
    : await ca.newOrder(ordered);
  if (order.status === 'invalid') throw invalidFromTheStart(certificate, order);
  const { challenges, records } = pendingChallengesOf(
    await authorizationsOf(order, ca),
    { spec, challengeRecords },
    ca,
  );

  const { url, finalize, expires } = order;
  await ledger.saveOrder(
    certificate,
    { url, finalize, expires, execution, specHash: spec.specHash, directoryUrl: spec.issuer.directoryUrl },
    records,
  );
  await recordAccount(spec.issuer, ca, { ledger, clock }).catch((error: unknown) => {
    log.warn('The account was not noted: whether CAA allows it is not looked at before the next order.', { error });
  });
  return { order: { url, finalize, expires }, challenges, records };
}

/** For *Check zones*, which sees neither the CA nor the account's key: it judges CAA records by this before the next order. */
async function recordAccount(
  { directoryUrl }: Issuer,
  ca: CertificateAuthority,
  { ledger, clock }: Pick<NewOrderPorts, 'ledger' | 'clock'>,
): Promise<void> {
  await ledger.recordAccount(directoryUrl, await ca.account(), clock.now());
}

/** Some CAs say `conflict` instead of `alreadyReplaced`: both are 409 (getssl#908). */
const isReplacedAlready = (error: unknown): boolean =>
  error instanceof AlreadyReplacedError || (error instanceof PerennialError && error.problem?.status === 409);

/**
 * RFC 9773 §5 leaves it to the CA how it refuses a certificate to replace: Boulder says `unauthorized` to another account than the one
 * that ordered it and `malformed` to a certificate that it does not know; Pebble breaks (`serverInternal`) when it looks for one whose serial
 * number begins with a zero byte, and a CA that breaks on it once breaks on it each time. Asked once more without, whatever else was wrong
 * says so again.
 */
const refusesReplaces = (error: unknown): boolean =>
  isReplacedAlready(error) || error instanceof UnauthorizedError || error instanceof MalformedError || isBroken(error);

const isBroken = (error: unknown): boolean =>
  error instanceof CaUnavailableError &&
  error.problem?.status === 500 &&
  error.problem.type === 'urn:ietf:params:acme:error:serverInternal';

/** The order of ours that replaces the certificate already, if it is of the same kind and lives. */
async function savedOrder(
  { name, specHash, issuer }: CertificateSpec,
  ca: CertificateAuthority,
  ledger: Ledger,
): Promise<Order | null> {
  const { order } = await ledger.certificate(name);
  if (order?.specHash !== specHash || order.directoryUrl !== issuer.directoryUrl) return null;
  const seen = await ca.order(order.url).catch((error: unknown) => {
    if (error instanceof MalformedError || error instanceof UnauthorizedError) return null; // the CA has forgotten it
    throw error;
  });
  return seen && seen.status !== 'invalid' ? seen : null;
}

const invalidFromTheStart = (certificate: string, { url, error }: Order): OrderInvalidError =>
  new OrderInvalidError({
    what: 'The CA made the new order invalid from the start.',
    why: error?.detail ? `It says: ${error.detail}` : 'It gives no reason.',
    remedy: 'The next attempt places a new order.',
    certificate,
    order: url,
    problem: error ?? undefined,
  });
