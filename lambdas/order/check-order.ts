import {
  AccountDoesNotExistError,
  MalformedError,
  NoDnsChallengeError,
  OrderInvalidError,
  UnauthorizedError,
} from '../domain/contract/errors.ts';
import type { CheckOrderInput, CheckOrderOutput } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';
import { authorizationsOf, failedAuthorization, pendingChallengesOf } from './pending-challenges.ts';

/**
 * Decides how the saved order of an earlier execution continues. RFC 8555 §7.1.6, §7.4.
 *
 * - `prove`: the order is pending. Its challenges and TXT values are computed again, and saved in the ledger before they are written to DNS.
 * - `finish`: control is proven. An unknown status is treated in the same way, and later states poll the order.
 * - `discard`: the order is invalid or expired, its authorizations failed or cannot be used, or the CA does not know them for this account.
 *
 * It also runs after *Check zones* failed, because an order with proven control needs no valid zone.
 *
 * A second run saves and returns the same.
 */
export async function checkOrder(
  { certificate, execution, spec, order, challengeRecords, leftovers }: CheckOrderInput,
  { ledger, clock, ...accountPorts }: AccountPorts & { readonly ledger: Ledger; readonly clock: Clock },
): Promise<CheckOrderOutput> {
  await ledger.assertLease(certificate, execution);
  const ca = await ensureAccount(spec.issuer, accountPorts);
  const discard = (why: string): CheckOrderOutput => ({
    outcome: 'discard',
    reason: `the saved order ${order.url} ${why}`,
    order,
    challenges: [],
    records: [],
  });
  const seen = await ca.order(order.url).catch((error: unknown) => {
    if (isUnknownToCa(error)) return null;
    throw error;
  });
  if (!seen) return discard(`is not known to ${spec.issuer.name} under this account`);

  const { url, finalize, expires, status } = seen;
  if (status === 'invalid') {
    // The execution that finalized the order may have been interrupted before it removed the order from the issue count.
    await ledger.refundIssue(spec.setHash, url);
    return discard(`is invalid: ${seen.error?.detail ?? 'a challenge failed'}`);
  }
  const reference = { url, finalize, expires };
  const expired = expires !== null && Date.parse(expires) <= clock.now().getTime();
  if (expired && (status === 'pending' || status === 'ready')) return discard(`expired at ${expires}`);
  if (status !== 'pending') {
    return {
      outcome: 'finish',
      reason: `the order is ${status}`,
      order: reference,
      challenges: [],
      records: leftovers,
    };
  }
  try {
    const authorizations = await authorizationsOf(seen, spec, ca);
    const failed = failedAuthorization(authorizations);
    if (failed)
      return discard(`cannot be completed, because the authorization of ${failed.identifier} is ${failed.status}`);
    const prove = { outcome: 'prove', reason: 'the order is pending', order: reference } as const;
    if (!challengeRecords) return { ...prove, challenges: [], records: [] };
    const proofs = pendingChallengesOf(authorizations, { spec, challengeRecords }, ca);
    await ledger.saveOrder(
      certificate,
      { ...reference, execution, specHash: spec.specHash, directoryUrl: spec.issuer.directoryUrl },
      proofs.records,
    );
    return { ...prove, ...proofs };
  } catch (error) {
    // No request can repair these orders, so they must not be checked again until they expire.
    if (isUnknownToCa(error)) return discard(`has an authorization that ${spec.issuer.name} does not know`);
    if (error instanceof OrderInvalidError || error instanceof NoDnsChallengeError)
      return discard(`cannot be used: ${error.explanation.why?.replace(/\.$/, '')}`);
    throw error;
  }
}

/**
 * Tells whether the CA does not know the order or an authorization of it. Boulder answers 404 `malformed` for an order that it has deleted, and
 * `unauthorized` for an order of another account. Pebble answers 404 without a problem document.
 */
export const isUnknownToCa = (error: unknown): boolean =>
  error instanceof MalformedError || error instanceof UnauthorizedError || error instanceof AccountDoesNotExistError;
