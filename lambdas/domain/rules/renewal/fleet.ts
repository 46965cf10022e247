import { createHash } from 'node:crypto';
import type { CertificateSpec } from '../../contract/config.ts';
import type { RenewalAction } from '../../contract/steps.ts';
import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';
import { fleetDecision } from './fleet-decision.ts';
import { isCountedOrder } from './order-bucket.ts';
import { nextRenewal } from './renewal-info.ts';
import { isEmergency } from './renewal-time.ts';

/**
 * Renewals that one selection returns. They have 20 KB at most, and the starts take two to four minutes at the default pace, after which the next
 * selection sees which certificates have become urgent.
 */
export const startsPerSelection = 100;

/** Actions that use Route 53 or ACM, so that their starts are paced. */
const pacedActions: ReadonlySet<RenewalAction> = new Set(['clean', 'resume', 'issue', 'deliver']);

export interface FleetMember {
  /** The certificate with the issuer that is used now (`withChosenIssuer`). */
  readonly spec: CertificateSpec;
  readonly record: LedgerCertificate;
}

/** A certificate for which a fleet run starts an execution. It has only what a selection needs, because a fleet may have 100,000. */
export interface DueCertificate {
  readonly certificate: string;
  readonly action: RenewalAction;
  readonly reason: string;
  readonly executionName: string;
  readonly paced: boolean;
  readonly emergency: boolean;
  readonly failing: boolean;
  /** Time of expiry, of the renewal for which it waits, or of the last check of its endpoints, in ms. */
  readonly time: number;
  /** Time of expiry in RFC 3339, or `null` if no certificate was issued. */
  readonly notAfter: string | null;
  /** Directory that counts the order against its limit on new orders. `null` if there is no order or no limit, or if the order is exempt. */
  readonly ordersAt: string | null;
  /** Execution that holds the lease, if any. It may have ended. */
  readonly lease: string | null;
  readonly leasedAt: string | null;
}

/** Returns 8 hexadecimal digits for all names of the executions that a fleet run starts. */
export function runHash(run: string): string {
  return createHash('sha256').update(run).digest('hex').slice(0, 8);
}

/**
 * The name of the renewal execution that a fleet run starts: `<certificate>-<8 of current version>-<8 of spec hash>-<8 of the run>`. It has at most
 * 40 + 27 of the 80 characters that a name may have. A second start in one fleet run fails because the name exists.
 */
function executionName(certificate: string, version: string | undefined, specHash: string, run: string): string {
  return [certificate, (version ?? 'none0000').slice(0, 8), specHash.slice(0, 8), run].join('-');
}

export interface SelectionRun {
  /** Result of `runHash`. */
  readonly run: string;
  /** Longest time until the next run, in seconds. */
  readonly checkInterval: number;
}

/** Returns what a fleet run starts for a configured certificate, or `null` if nothing is due. */
export function dueCertificate(
  member: FleetMember,
  { run, checkInterval }: SelectionRun,
  now: Date,
): DueCertificate | null {
  const { spec, record } = member;
  const decision = fleetDecision(spec, record, checkInterval, now);
  if (!decision) return null;
  const { action, reason } = decision;
  const { current, served, failure, lease, leasedAt } = record;
  const expiry = current ? Date.parse(current.notAfter) : Number.MAX_SAFE_INTEGER;
  const isCounted = action === 'issue' && spec.issuer.newOrders !== null && isCountedOrder(spec, record, now);
  const times: Partial<Record<RenewalAction, number>> = {
    wait: nextRenewal(record)?.getTime() ?? 0,
    checkEndpoints: served ? Date.parse(served.at) : 0,
  };
  return {
    certificate: spec.name,
    action,
    reason,
    executionName: executionName(spec.name, current?.versionId, spec.specHash, run),
    paced: pacedActions.has(action),
    emergency: isEmergency(record, now),
    failing: failure !== null,
    time: times[action] ?? expiry,
    notAfter: current?.notAfter ?? null,
    ordersAt: isCounted ? spec.issuer.directoryUrl : null,
    lease,
    leasedAt,
  };
}

/** Returns the clean-up of a certificate that is no longer configured, or `null` if it has no leftover TXT values. */
export function dueCleanUp(name: string, record: LedgerCertificate, { run }: SelectionRun): DueCertificate | null {
  const { leftovers, current, lease, leasedAt } = record;
  if (leftovers.length === 0) return null;
  return {
    certificate: name,
    action: 'clean',
    reason: `${leftovers.length} TXT values were left, and the certificate is no longer configured`,
    executionName: executionName(name, current?.versionId, 'removed0', run),
    paced: true,
    emergency: false,
    failing: false,
    time: Number.MAX_SAFE_INTEGER,
    notAfter: current?.notAfter ?? null,
    ordersAt: null,
    lease,
    leasedAt,
  };
}

/** Actions that come after all others. A renewal that waits for its time stays due after its start, so it must not take the place of others. */
const lateActions: readonly RenewalAction[] = ['checkEndpoints', 'wait'];

/**
 * Sorts due certificates. Emergencies come first. The others follow in this order: paced actions, other actions, endpoint checks, and waits for the
 * renewal time. Certificates without a failure come before failing ones, and those that expire first before the others. Certificates that were never
 * issued cannot expire, so they come after those. The endpoint check that is longest ago comes first, so that each is done at some time. The wait that
 * ends first comes first.
 */
export function byUrgency(a: DueCertificate, b: DueCertificate): number {
  return (
    Number(b.emergency) - Number(a.emergency) ||
    Number(b.paced) - Number(a.paced) ||
    lateActions.indexOf(a.action) - lateActions.indexOf(b.action) ||
    Number(a.failing) - Number(b.failing) ||
    a.time - b.time ||
    (a.certificate < b.certificate ? -1 : 1)
  );
}
