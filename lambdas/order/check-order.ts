import { AccountDoesNotExistError, MalformedError, UnauthorizedError } from '../domain/contract/errors.ts';
import type { CheckOrderInput, CheckOrderOutput } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';
import { authorizationsOf, pendingChallengesOf } from './pending-challenges.ts';

/**
 * What an order that an earlier run left is still good for. RFC 8555 §7.1.6, §7.4. Pending: its challenges and TXT values, computed again,
 * and in the ledger before they may get into DNS. Proven, or past it: to be finished; a status that nobody knew yesterday is
 * taken for that and waited out. Otherwise gone: invalid, expired, or not known to the CA under our account (any more).
 *
 * It is asked also when *Check zones* failed: no zone has to be in order for a certificate to be fetched that is proven.
 *
 * Run twice, it saves and says the same.
 */
export async function checkOrder(
  { certificate, execution, spec, order, challengeRecords, leftovers }: CheckOrderInput,
  { ledger, clock, ...accountPorts }: AccountPorts & { readonly ledger: Ledger; readonly clock: Clock },
): Promise<CheckOrderOutput> {
  await ledger.assertLease(certificate, execution);
  const ca = await ensureAccount(spec.issuer, accountPorts);
  const gone = (why: string): CheckOrderOutput => ({
    outcome: 'gone',
    reason: `the saved order ${order.url} ${why}`,
    order,
    challenges: [],
    records: [],
  });
  const seen = await ca.order(order.url).catch((error: unknown) => {
    if (unknownToTheCa(error)) return null;
    throw error;
  });
  if (!seen) return gone(`is not known to ${spec.issuer.name} under our account`);

  const { url, finalize, expires, status } = seen;
  if (status === 'invalid') {
    // The run that it failed may have died before it could say so.
    await ledger.refundIssue(spec.setHash, url);
    return gone(`is invalid: ${seen.error?.detail ?? 'a proof was not accepted'}`);
  }
  const living = { url, finalize, expires };
  const expired = expires !== null && Date.parse(expires) <= clock.now().getTime();
  if (expired && (status === 'pending' || status === 'ready')) return gone(`expired at ${expires}`);
  if (status !== 'pending') {
    return { outcome: 'finish', reason: `the order is ${status}`, order: living, challenges: [], records: leftovers };
  }
  const authorizations = await authorizationsOf(seen, ca);
  const dead = authorizations.find((each) => each.status !== 'pending' && each.status !== 'valid');
  if (dead) return gone(`cannot be completed: its authorization of ${dead.identifier} is ${dead.status}`);
  if (!challengeRecords) {
    return { outcome: 'prove', reason: 'the order is pending', order: living, challenges: [], records: [] };
  }
  const proofs = pendingChallengesOf(authorizations, { spec, challengeRecords }, ca);
  await ledger.saveOrder(
    certificate,
    { ...living, execution, specHash: spec.specHash, directoryUrl: spec.issuer.directoryUrl },
    proofs.records,
  );
  return { outcome: 'prove', reason: 'the order is pending', order: living, ...proofs };
}

/** Boulder answers 404 `malformed` for an order that it deleted and `unauthorized` for another account's; Pebble a bare 404. */
const unknownToTheCa = (error: unknown): boolean =>
  error instanceof MalformedError || error instanceof UnauthorizedError || error instanceof AccountDoesNotExistError;
