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
import type { Authorization, CertificateAuthority, Order } from '../domain/ports/acme.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { orderedProfile } from '../domain/rules/renewal/issuer-choice.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';
import { authorizationsOf, failedAuthorization, pendingChallengesOf } from './pending-challenges.ts';
import { problemsOf } from './refused-challenges.ts';

export interface NewOrderPorts extends AccountPorts {
  readonly ledger: Ledger;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<StepLog, 'warn'>;
}

/**
 * Creates an order and returns its pending challenges and their TXT values. RFC 8555 §7.4, §7.5. The order and the values are saved in the ledger
 * before anything is written to DNS, so that another execution can resume the order and remove the values. Valid authorizations have no pending
 * challenge. An order whose authorizations are all valid may still be pending, and is polled until it is ready.
 *
 * A second run creates and saves a second order, or gets the first one from a CA that reuses pending orders. The ledger keeps the values of both
 * orders for removal, so it is safe to run twice.
 *
 * @throws OrderInvalidError if the CA returns an invalid order, or one with an authorization that has failed
 * @throws NoDnsChallengeError if the CA offers no dns-01 challenge that can be answered for an identifier
 */
export async function newOrder(
  { certificate, execution, spec, challengeRecords, replaces }: NewOrderInput,
  { ledger, clock, log, ...accountPorts }: NewOrderPorts,
): Promise<NewOrderOutput> {
  await ledger.assertLease(certificate, execution);
  const ca = await ensureAccount(spec.issuer, accountPorts);
  const profile = orderedProfile(spec, await ca.profiles());
  if (profile !== spec.profile)
    log.warn(`${spec.issuer.name} does not offer the profile ${spec.profile}, so its default profile is ordered.`);
  const request = { identifiers: spec.identifiers, profile };
  const order = replaces
    ? await ca.newOrder({ ...request, replaces }).catch(async (error: unknown) => {
        if (!refusesReplaces(error)) throw error;
        const saved = isAlreadyReplaced(error) ? await savedOrder(spec, ca, ledger) : null;
        return saved ?? (await ca.newOrder(request));
      })
    : await ca.newOrder(request);
  if (order.status === 'invalid') throw invalidNewOrder(certificate, order);
  const authorizations = await authorizationsOf(order, spec, ca);
  const failed = failedAuthorization(authorizations);
  if (failed) throw incompletableOrder(certificate, order, failed);
  const { challenges, records } = pendingChallengesOf(authorizations, { spec, challengeRecords }, ca);

  const { url, finalize, expires } = order;
  await ledger.saveOrder(
    certificate,
    { url, finalize, expires, execution, specHash: spec.specHash, directoryUrl: spec.issuer.directoryUrl },
    records,
  );
  await recordAccount(spec.issuer, ca, { ledger, clock }).catch((error: unknown) => {
    log.warn(
      'The account was not saved in the ledger. Check zones does not check CAA records for it until another order saves it.',
      { error },
    );
  });
  return { order: { url, finalize, expires }, pending: order.status === 'pending', challenges, records };
}

/** Saves the account in the ledger. *Check zones* has no access to the CA, and uses the saved account to check CAA records before the next order. */
async function recordAccount(
  { directoryUrl }: Issuer,
  ca: CertificateAuthority,
  { ledger, clock }: Pick<NewOrderPorts, 'ledger' | 'clock'>,
): Promise<void> {
  await ledger.recordAccount(directoryUrl, await ca.account(), clock.now());
}

/** Some CAs answer `conflict` instead of `alreadyReplaced`. Both have the HTTP status 409 (getssl#908). */
const isAlreadyReplaced = (error: unknown): boolean =>
  error instanceof AlreadyReplacedError || (error instanceof PerennialError && error.problem?.status === 409);

/**
 * Tells whether `replaces` may be the reason for the error. RFC 9773 §5 does not define the error for a certificate that cannot be replaced. Boulder
 * answers `unauthorized` if another account ordered the certificate, and `malformed` if it does not know the certificate. Pebble answers
 * `serverInternal` each time if the serial number of the certificate begins with a zero byte. The order is then requested again without `replaces`.
 * If the error has another reason, the CA returns it again.
 */
const refusesReplaces = (error: unknown): boolean =>
  isAlreadyReplaced(error) ||
  error instanceof UnauthorizedError ||
  error instanceof MalformedError ||
  isServerInternal(error);

const isServerInternal = (error: unknown): boolean =>
  error instanceof CaUnavailableError &&
  error.problem?.status === 500 &&
  error.problem.type === 'urn:ietf:params:acme:error:serverInternal';

/** Returns the saved order if it has the same configuration and issuer, the CA knows it, and it is not invalid. Otherwise `null`. */
async function savedOrder(
  { name, specHash, issuer }: CertificateSpec,
  ca: CertificateAuthority,
  ledger: Ledger,
): Promise<Order | null> {
  const { order } = await ledger.certificate(name);
  if (order?.specHash !== specHash || order.directoryUrl !== issuer.directoryUrl) return null;
  const seen = await ca.order(order.url).catch((error: unknown) => {
    if (error instanceof MalformedError || error instanceof UnauthorizedError) return null; // the CA no longer has the order
    throw error;
  });
  return seen && seen.status !== 'invalid' ? seen : null;
}

const invalidNewOrder = (certificate: string, { url, error }: Order): OrderInvalidError =>
  new OrderInvalidError({
    what: 'The CA returned the new order as invalid.',
    why: error?.detail ? `The CA says: ${error.detail}` : 'The CA gives no reason.',
    remedy: 'The next attempt places a new order.',
    certificate,
    order: url,
    problem: error ?? undefined,
  });

function incompletableOrder(certificate: string, { url }: Order, failed: Authorization): OrderInvalidError {
  const { identifier, status } = failed;
  const [problem] = problemsOf([failed]);
  return new OrderInvalidError({
    what: 'The CA returned a new order that cannot be completed.',
    why: `Its authorization of ${identifier} is ${status} already${problem ? `. The CA says: ${problem.detail ?? problem.type}` : ''}.`,
    remedy: 'The next attempt places a new order.',
    certificate,
    order: url,
    identifier,
    problem,
  });
}
