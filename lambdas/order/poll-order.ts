import {
  ChallengeFailedError,
  OrderInvalidError,
  OrderTimeoutError,
  type ProblemDocument,
} from '../domain/contract/errors.ts';
import type { PollOrderInput, PollOrderOutput } from '../domain/contract/steps.ts';
import type { CertificateAuthority, Order } from '../domain/ports/acme.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import { pollings, pollWait } from '../domain/rules/proof/poll-wait.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';

/** For each status to wait for, the statuses at which the wait ends. RFC 8555 §7.1.6 */
const reachedBy = { ready: ['ready', 'processing', 'valid'], valid: ['valid'] } as const;

/**
 * Reads the order once and tells whether it has reached the status to wait for. RFC 8555 §7.1.6, §7.4. "Not yet" is a value, also for an unknown
 * status. An invalid order is an error that names each failed identifier with the problem of the CA. The problems are read from the challenges,
 * because the order does not have them. An order that became invalid after its CSR was sent has issued nothing, so it is removed from the issue count.
 *
 * Apart from that removal it only reads, and removing twice has no effect, so it is safe to run twice.
 *
 * @throws ChallengeFailedError if the CA reports a failed challenge
 * @throws OrderInvalidError if the order is invalid for another reason
 * @throws OrderTimeoutError if the bound of the wait has passed
 */
export async function pollOrder(
  { certificate, spec, order, until, waited }: PollOrderInput,
  { ledger, ...accountPorts }: AccountPorts & { readonly ledger: Pick<Ledger, 'refundIssue'> },
): Promise<PollOrderOutput> {
  const ca = await ensureAccount(spec.issuer, accountPorts);
  const seen = await ca.order(order.url);
  const { status } = seen;
  if (status === 'invalid') {
    if (until === 'valid') await ledger.refundIssue(spec.setHash, order.url);
    throw await invalidOrderError(certificate, seen, ca);
  }
  if ((reachedBy[until] as readonly string[]).includes(status)) {
    return { reached: true, status, wait: 0, certificateUrl: seen.certificate };
  }
  const wait = pollWait(waited, pollings[until], seen.retryAfter);
  if (wait === null) {
    throw new OrderTimeoutError({
      what: `Order ${order.url} did not become ${until} within ${pollings[until].bound / 60} minutes.`,
      why: `Its status at ${spec.issuer.name} is ${status}.`,
      remedy: 'The workflow retries.',
      certificate,
      issuer: spec.issuer.name,
      order: order.url,
    });
  }
  return { reached: false, status, wait, certificateUrl: null };
}

async function invalidOrderError(
  certificate: string,
  { url, authorizations, error }: Order,
  ca: CertificateAuthority,
): Promise<ChallengeFailedError | OrderInvalidError> {
  const problems: ProblemDocument[] = [];
  for (const authorization of authorizations) {
    const { identifier, challenges } = await ca.authorization(authorization);
    problems.push(...challenges.flatMap((challenge) => (challenge.error ? [{ ...challenge.error, identifier }] : [])));
  }
  const [first] = problems;
  if (first) {
    const sentences = problems.map(({ identifier, detail, type }) => `${identifier}: ${detail ?? type}`);
    return new ChallengeFailedError({
      what: 'The CA did not accept the proof of control.',
      why: sentences.join('; '),
      remedy:
        'The next attempt places a new order. If the error repeats, check the delegation and the name servers of these names.',
      certificate,
      order: url,
      problem: problems.length > 1 ? { ...first, subproblems: problems } : first,
    });
  }
  return new OrderInvalidError({
    what: `The CA made order ${url} invalid.`,
    why: error?.detail ? `The CA says: ${error.detail}` : 'The CA gives no reason.',
    remedy: 'The next attempt places a new order.',
    certificate,
    order: url,
    problem: error ?? undefined,
  });
}
