import type { CertificateSpec } from '../domain/contract/config.ts';
import { type ChallengeFailedError, OrderInvalidError, OrderTimeoutError } from '../domain/contract/errors.ts';
import type { PollOrderInput, PollOrderOutput, RefusedProofs } from '../domain/contract/steps.ts';
import type { Authorization, CertificateAuthority, Order } from '../domain/ports/acme.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import { pollings, pollWait } from '../domain/rules/proof/poll-wait.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';
import { asOrdered, authorizationsOf } from './pending-challenges.ts';
import { answerAgain, challengeFailedError, problemsOf } from './refused-challenges.ts';

/** For each status to wait for, the statuses at which the wait ends. RFC 8555 §7.1.6 */
const reachedBy = { ready: ['ready', 'processing', 'valid'], valid: ['valid'] } as const;

/** Tells whether the wait ends. A CA may show the status `valid` before the URL of the certificate, which is needed to go on. */
const hasReached = (until: PollOrderInput['until'], { status, certificate }: Order): boolean =>
  (reachedBy[until] as readonly string[]).includes(status) && (until === 'ready' || certificate !== null);

/**
 * Reads the order once and tells whether it has reached the status to wait for. RFC 8555 §7.1.6, §7.4. "Not yet" is a value, also for an unknown
 * status. An invalid order is an error that names each failed identifier with the problem of the CA. The problems are read from the challenges,
 * because the order does not have them. An order that became invalid after its CSR was sent has issued nothing, so it is removed from the issue count.
 *
 * If an order stays pending, its authorizations are read. A challenge that the CA has refused and left pending is answered a second time (§8.2). If that
 * does not help until the bound, the error has the words of the CA.
 *
 * Removing an order twice has no effect, and the CA ignores a second answer to a challenge that it validates. So it is safe to run twice.
 *
 * @throws ChallengeFailedError if the CA reports a failed challenge, or if a refused one is pending at the bound
 * @throws OrderInvalidError if the order is invalid for another reason
 * @throws OrderTimeoutError if the bound of the wait has passed
 */
export async function pollOrder(
  { certificate, spec, order, until, waited, refused }: PollOrderInput,
  { ledger, ...accountPorts }: AccountPorts & { readonly ledger: Pick<Ledger, 'refundIssue'> },
): Promise<PollOrderOutput> {
  const ca = await ensureAccount(spec.issuer, accountPorts);
  const seen = await ca.order(order.url);
  const { status } = seen;
  if (status === 'invalid') {
    if (until === 'valid') await ledger.refundIssue(spec.setHash, order.url);
    throw await invalidOrderError(spec, seen, ca);
  }
  if (hasReached(until, seen)) {
    return { reached: true, status, wait: 0, certificateUrl: seen.certificate, refused };
  }
  const stays = until === 'ready' && status === 'pending';
  const wait = pollWait(waited, pollings[until], seen.retryAfter);
  if (wait === null) {
    throw timeoutError({ certificate, spec, until }, seen, stays ? await authorizationsOf(seen, spec, ca) : []);
  }
  const next = stays && waited >= refused.readAfter ? await readRefused(spec, seen, { waited, refused }, ca) : refused;
  return { reached: false, status, wait, certificateUrl: null, refused: next };
}

/** Reads the authorizations of an order that stays pending, and answers refused challenges a second time. */
async function readRefused(
  spec: CertificateSpec,
  order: Order,
  { waited, refused }: Pick<PollOrderInput, 'waited' | 'refused'>,
  ca: CertificateAuthority,
): Promise<RefusedProofs> {
  const authorizations = await authorizationsOf(order, spec, ca);
  const [first, ...others] = problemsOf(authorizations.filter(({ status }) => status === 'invalid'));
  // The order cannot become ready, although the CA has not made it invalid.
  if (first)
    throw challengeFailedError([first, ...others], { certificate: spec.name, order: order.url, next: newOrderNext });
  return { readAfter: 2 * waited, answered: await answerAgain(authorizations, refused, ca) };
}

const newOrderNext = 'The next attempt places a new order.';

/** Returns the error for an order whose wait has passed its bound. For refused proofs it has the words of the CA. */
function timeoutError(
  { certificate, spec: { issuer }, until }: Pick<PollOrderInput, 'certificate' | 'spec' | 'until'>,
  { url, status }: Order,
  authorizations: readonly Authorization[],
): ChallengeFailedError | OrderTimeoutError {
  const open = authorizations.filter((each) => each.status !== 'valid');
  const [first, ...others] = problemsOf(open);
  if (first) {
    const next = 'The order is still pending, and the next attempt answers its challenges again.';
    return challengeFailedError([first, ...others], { certificate, order: url, next });
  }
  const names = open.map(({ identifier }) => identifier).join(', ');
  const proven = authorizations.length > 0 && open.length === 0;
  const more = names ? `, and ${names} are not validated` : proven ? ', although all its authorizations are valid' : '';
  const reached = status === 'valid' ? 'have the URL of a certificate' : `become ${until}`;
  return new OrderTimeoutError({
    what: `Order ${url} did not ${reached} within ${pollings[until].bound / 60} minutes.`,
    why: `Its status at ${issuer.name} is ${status}${more}.`,
    remedy: 'The workflow retries.',
    certificate,
    issuer: issuer.name,
    order: url,
  });
}

async function invalidOrderError(
  { name: certificate, identifiers }: CertificateSpec,
  { url, authorizations, error }: Order,
  ca: CertificateAuthority,
): Promise<ChallengeFailedError | OrderInvalidError> {
  const read: Authorization[] = [];
  for (const authorization of authorizations.slice(0, identifiers.length))
    read.push(await ca.authorization(authorization));
  const [first, ...others] = problemsOf(asOrdered(read, { identifiers }));
  if (first) return challengeFailedError([first, ...others], { certificate, order: url, next: newOrderNext });
  return new OrderInvalidError({
    what: `The CA made order ${url} invalid.`,
    why: error?.detail ? `The CA says: ${error.detail}` : 'The CA gives no reason.',
    remedy: newOrderNext,
    certificate,
    order: url,
    problem: error ?? undefined,
  });
}
