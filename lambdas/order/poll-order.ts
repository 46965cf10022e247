import {
  ChallengeFailedError,
  OrderInvalidError,
  OrderTimeoutError,
  type ProblemDocument,
} from '../domain/contract/errors.ts';
import type { PollOrderInput, PollOrderOutput } from '../domain/contract/steps.ts';
import type { CertificateAuthority, Order } from '../domain/ports/acme.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import { pollTries, pollWait } from '../domain/rules/proof/poll-wait.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';

/** The way of an order, RFC 8555 §7.1.6: what lies at or past each status we wait for. */
const reachedBy = { ready: ['ready', 'processing', 'valid'], valid: ['valid'] } as const;

/**
 * One look at the order. RFC 8555 §7.1.6, §7.4. "Not yet" is a value; `invalid` is an error that names each failed identifier with the
 * CA's own problem, read from its challenge, since the order itself says nothing of failed challenges. A status that nobody knew
 * yesterday is waited out. An order that went invalid after its CSR left has issued nothing, so it is taken off the issue cap again.
 *
 * Only reads, but for that, which is the same twice: running it twice is running it once.
 */
export async function pollOrder(
  { certificate, spec, order, until, tries }: PollOrderInput,
  { ledger, ...accountPorts }: AccountPorts & { readonly ledger: Pick<Ledger, 'refundIssue'> },
): Promise<PollOrderOutput> {
  const ca = await ensureAccount(spec.issuer, accountPorts);
  const seen = await ca.order(order.url);
  const { status } = seen;
  if (status === 'invalid') {
    if (until === 'valid') await ledger.refundIssue(spec.setHash, order.url);
    throw await whyInvalid(certificate, seen, ca);
  }
  if ((reachedBy[until] as readonly string[]).includes(status)) {
    return { reached: true, status, wait: 0, certificateUrl: seen.certificate };
  }
  if (tries >= pollTries[until]) {
    throw new OrderTimeoutError({
      what: `The order did not become ${until} in time: ${order.url}.`,
      why: `${spec.issuer.name} left it ${status}.`,
      remedy: 'It is tried again.',
      certificate,
      issuer: spec.issuer.name,
      order: order.url,
    });
  }
  return { reached: false, status, wait: pollWait(tries, seen.retryAfter), certificateUrl: null };
}

async function whyInvalid(
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
        'The next attempt places a new order. If this repeats, check the delegation and the name servers of these names.',
      certificate,
      order: url,
      problem: problems.length > 1 ? { ...first, subproblems: problems } : first,
    });
  }
  return new OrderInvalidError({
    what: `The CA made the order invalid: ${url}.`,
    why: error?.detail ? `It says: ${error.detail}` : 'It gives no reason.',
    remedy: 'The next attempt places a new order.',
    certificate,
    order: url,
    problem: error ?? undefined,
  });
}
