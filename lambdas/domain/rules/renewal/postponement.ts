import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';
import { counted } from '../wording.ts';
import type { RenewalSituation } from './renewal-decision.ts';
import { emergencySpacing, isEmergency } from './renewal-time.ts';

const lastAttempt = (failure: LedgerCertificate['failure']): number => (failure ? Date.parse(failure.last) : 0);

/** The reason why nothing is attempted before the `notBefore` time of the ledger. `null` if an attempt is allowed now. */
export function retryNotBeforeReason(
  { spec, record, force, retrying, deployedAt }: RenewalSituation,
  now: Date,
): string | null {
  const { notBefore, failure, current } = record;
  if (!notBefore || now.getTime() >= Date.parse(notBefore)) return null;
  if (force || retrying) return null;
  // A changed configuration or a new deployment may have fixed the cause, so there is no need to wait. Limits of a CA stay in force.
  const reconfigured = failure?.specHash !== undefined && failure.specHash !== spec.specHash;
  const redeployed = deployedAt !== null && lastAttempt(failure) < deployedAt.getTime();
  if (failure && (reconfigured || redeployed) && !failure.limit) return null;
  // An emergency overrides the CA's Retry-After and the retry schedule, but not every fleet run sends a request to a failing CA.
  if (current && isEmergency(record, now) && now.getTime() >= lastAttempt(failure) + emergencySpacing(current))
    return null;
  return `no attempt before ${notBefore}${failure ? `, after ${counted(failure.count, 'failure,', 'failures, the last one')} ${failure.error}` : ''}`;
}

/** Tells whether the operator has paused renewals. An emergency passes the pause. */
export function isPaused(record: LedgerCertificate, now: Date): boolean {
  const { pausedUntil } = record;
  return pausedUntil !== undefined && now.getTime() < Date.parse(pausedUntil) && !isEmergency(record, now);
}

/** The reason why nothing is done while the operator has paused renewals. `null` if there is no pause, in an emergency, and if forced. */
export const pauseReason = ({ record, force }: RenewalSituation, now: Date): string | null =>
  isPaused(record, now) && !force ? `renewals are paused until ${record.pausedUntil}` : null;

/** The reason why an attempt has to wait for the `notBefore` time of the ledger or the end of a pause. `null` if an attempt is allowed now. */
export function postponedReason(situation: RenewalSituation, now: Date): string | null {
  return retryNotBeforeReason(situation, now) ?? pauseReason(situation, now);
}
