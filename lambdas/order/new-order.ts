import type { TxtValue } from '../domain/contract/certificate-facts.ts';
import type { CertificateSpec, Issuer } from '../domain/contract/config.ts';
import {
  AlreadyReplacedError,
  CaUnavailableError,
  MalformedError,
  NoDnsChallengeError,
  OrderInvalidError,
  PerennialError,
  UnauthorizedError,
} from '../domain/contract/errors.ts';
import type { NewOrderInput, NewOrderOutput } from '../domain/contract/steps.ts';
import type { Authorization, CertificateAuthority, Order } from '../domain/ports/acme.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { SavedOrder } from '../domain/ports/ledger-certificate.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { orderedProfile } from '../domain/rules/renewal/issuer-choice.ts';
import { isUnknownToCa } from './check-order.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';
import { authorizationsOf, failedAuthorization, pendingChallengesOf } from './pending-challenges.ts';
import { problemsOf } from './refused-challenges.ts';

export interface NewOrderPorts extends AccountPorts {
  readonly ledger: Ledger;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<StepLog, 'warn'>;
}

/**
 * Creates an order and returns its pending challenges and their TXT values. RFC 8555 §7.4, §7.5. The order is saved in the ledger when the CA returns
 * it, and the values before anything is written to DNS, so that another execution can resume the order and remove the values. Valid authorizations
 * have no pending challenge. An order whose authorizations are all valid may still be pending, and is polled until it is ready.
 *
 * A second run continues the saved order. If the first run was interrupted before it saved the order, the second one creates another order, or gets
 * the same one from a CA that reuses pending orders. So it is safe to run twice.
 *
 * @throws OrderInvalidError if the CA returns an invalid order, or one with an authorization that has failed
 * @throws NoDnsChallengeError if the CA offers no dns-01 challenge that can be answered for an identifier
 */
export async function newOrder(
  { certificate, execution, spec, challengeRecords, replaces }: NewOrderInput,
  { ledger, clock, log, ...accountPorts }: NewOrderPorts,
): Promise<NewOrderOutput> {
  const { order: saved } = await ledger.assertLease(certificate, execution);
  const ca = await ensureAccount(spec.issuer, accountPorts);
  const order = (await continuedOrder(saved, spec, ca)) ?? (await placedOrder(spec, replaces, ca, log));
  if (order.status === 'invalid') throw invalidNewOrder(certificate, order);
  const { url, finalize, expires } = order;
  const { specHash, issuer } = spec;
  const save = (records: readonly TxtValue[]) =>
    ledger.saveOrder(
      certificate,
      { url, finalize, expires, execution, specHash, directoryUrl: issuer.directoryUrl },
      records,
    );
  if (url !== saved?.url) await save([]);
  const { challenges, records } = await proofsOf(order, { spec, challengeRecords }, ca).catch(
    async (error: unknown) => {
      // The next attempt places a new order.
      if (error instanceof OrderInvalidError || error instanceof NoDnsChallengeError)
        await ledger.dropOrder(certificate, execution, url);
      throw error;
    },
  );
  await save(records);
  await recordAccount(issuer, ca, { ledger, clock }).catch((error: unknown) => {
    log.warn(
      'The account was not saved in the ledger. Check zones does not check CAA records for it until another order saves it.',
      { error },
    );
  });
  return { order: { url, finalize, expires }, pending: order.status === 'pending', challenges, records };
}

/** Places an order, without `replaces` if the CA refuses it. */
async function placedOrder(
  spec: CertificateSpec,
  replaces: string | null,
  ca: CertificateAuthority,
  log: NewOrderPorts['log'],
): Promise<Order> {
  const profile = orderedProfile(spec, await ca.profiles());
  if (profile !== spec.profile)
    log.warn(`${spec.issuer.name} does not offer the profile ${spec.profile}, so its default profile is ordered.`);
  const request = { identifiers: spec.identifiers, profile };
  if (replaces === null) return ca.newOrder(request);
  return ca.newOrder({ ...request, replaces }).catch((error: unknown) => {
    if (refusesReplaces(error)) return ca.newOrder(request);
    throw error;
  });
}

/** Returns the pending challenges of an order and their TXT values. */
async function proofsOf(
  order: Order,
  context: Pick<NewOrderInput, 'spec' | 'challengeRecords'>,
  ca: CertificateAuthority,
) {
  const { spec } = context;
  const authorizations = await authorizationsOf(order, spec, ca);
  const failed = failedAuthorization(authorizations);
  if (failed) throw incompletableOrder(spec.name, order, failed);
  return pendingChallengesOf(authorizations, context, ca);
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

/**
 * Returns the order that an interrupted run of this step has saved. *Check renewal* has removed or resumed all others. `null` if there is none, if it
 * has another configuration or issuer, if the CA no longer has it, or if it is invalid.
 */
async function continuedOrder(
  saved: SavedOrder | null,
  { specHash, issuer }: CertificateSpec,
  ca: CertificateAuthority,
): Promise<Order | null> {
  if (saved?.specHash !== specHash || saved.directoryUrl !== issuer.directoryUrl) return null;
  const seen = await ca.order(saved.url).catch((error: unknown) => {
    if (isUnknownToCa(error)) return null;
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
