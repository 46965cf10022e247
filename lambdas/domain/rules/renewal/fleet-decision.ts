import type { CertificateSpec } from '../../contract/config.ts';
import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';
import { postponedReason } from './postponement.ts';
import { type Decision, decideRenewal, type RenewalSituation } from './renewal-decision.ts';

/** The version with AWSCURRENT as far as the ledger knows. It is that of the last comparison, unless another version became current since. */
function storedVersion({ current, outside }: LedgerCertificate): string | null {
  return outside && outside.versionId === current?.versionId ? outside.storedVersion : (current?.versionId ?? null);
}

/** Returns the situation of a certificate by the ledger alone, for a renewal that the fleet would start. */
export function ledgerSituation(
  spec: CertificateSpec,
  record: LedgerCertificate,
  checkInterval: number,
): RenewalSituation {
  return {
    spec,
    record,
    storedVersion: storedVersion(record),
    force: false,
    cleaned: false,
    retrying: false,
    deployedAt: null,
    checkInterval,
  };
}

/**
 * Decides from the ledger alone whether a fleet run starts the renewal. `null` if it does not. A saved order that cannot be resumed and a
 * failure without anything left to do also start it, so that *Check renewal* removes them from the ledger. So does a lease, which an execution has
 * left that ended unexpectedly. The caller skips certificates on which an execution works.
 */
export function fleetDecision(
  spec: CertificateSpec,
  record: LedgerCertificate,
  checkInterval: number,
  now: Date,
): Pick<Decision, 'action' | 'reason'> | null {
  const situation = ledgerSituation(spec, record, checkInterval);
  const decision = decideRenewal(situation, now);
  // Removing TXT values sends no request to a CA, so it does not wait for the next attempt of a renewal that failed.
  if (decision.action !== 'none') return decision;
  if (record.lease) return { ...decision, reason: `execution ${record.lease} has left its lease` };
  if (postponedReason(situation, now)) return null;
  if (record.order) return { ...decision, reason: 'an order is unfinished' };
  return record.failure ? { ...decision, reason: 'nothing is left to do after a failure' } : null;
}
