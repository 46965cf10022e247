import { createHash } from 'node:crypto';
import type { CertificateSpec } from '../../contract/config.ts';
import type { CheckFleetOutput } from '../../contract/steps.ts';
import type { LedgerCertificate } from '../../ports/ledger.ts';
import { fleetDecision } from './renewal-decision.ts';
import { daysLeft } from './renewal-time.ts';

/** Renewals that one fleet run may start: ACM takes one import a second, so these are through in 17 minutes. The next run takes the rest. */
const startsPerRun = 1000;

export interface FleetMember {
  /** With the issuer whose turn it is. */
  readonly spec: CertificateSpec;
  readonly record: LedgerCertificate;
}

/**
 * `<certificate>-<8 of current version>-<8 of spec hash>-<8 of sha256(fleet execution)>`: at most 40 + 27 of the 80
 * characters a name may have. Starting twice in one fleet run finds the name taken.
 */
export function executionName({ spec, record }: FleetMember, fleetExecution: string): string {
  const run = createHash('sha256').update(fleetExecution).digest('hex');
  const version = record.current?.versionId ?? 'none0000';
  return [spec.name, version.slice(0, 8), spec.specHash.slice(0, 8), run.slice(0, 8)].join('-');
}

/**
 * What expires first comes first; what was never issued comes last, since nothing of it can expire. Then those whose servers are only
 * looked at, the longest not looked at first: where a run cannot start all of them, everyone has its turn.
 */
function byUrgency(a: DueMember, b: DueMember): number {
  const looks = Number(a.action === 'checkEndpoints') - Number(b.action === 'checkEndpoints');
  return looks || (a.action === 'checkEndpoints' ? lookedAt(a) - lookedAt(b) : expiry(a) - expiry(b));
}

const expiry = ({ record: { current } }: FleetMember): number =>
  current ? Date.parse(current.notAfter) : Number.MAX_SAFE_INTEGER;

const lookedAt = ({ record: { served } }: FleetMember): number => (served ? Date.parse(served.at) : 0);

/** Names whose set this CA never issued before spend its limit on new certificates; renewals of the same set are exempt. */
const isFirstIssuance = ({ spec, record: { current } }: FleetMember): boolean =>
  current?.identifiers.join() !== spec.identifiers.join() || current.directoryUrl !== spec.issuer.directoryUrl;

export interface FleetRun {
  readonly batches: number;
  readonly execution: string;
  /** Seconds until the next, at most. */
  readonly checkInterval: number;
}

type DueMember = FleetMember & NonNullable<ReturnType<typeof fleetDecision>>;

/** Due members of a batch, most urgent first, within the batch's share of the run's limits. */
export function selectDue(
  members: readonly FleetMember[],
  { batches, execution, checkInterval }: FleetRun,
  now: Date,
): CheckFleetOutput {
  const share = (limit: number) => Math.max(1, Math.floor(limit / batches));
  const firsts = new Map<string, number>();
  const due: CheckFleetOutput['due'][number][] = [];
  let postponed = 0;
  const found = members.flatMap((member): DueMember[] => {
    const decision = fleetDecision(member.spec, member.record, checkInterval, now);
    return decision ? [{ ...member, ...decision }] : [];
  });
  for (const member of found.sort(byUrgency)) {
    const { directoryUrl, firstIssuancesPerRun } = member.spec.issuer;
    const first = isFirstIssuance(member) ? 1 : 0;
    const used = (firsts.get(directoryUrl) ?? 0) + first;
    const overFirsts = first === 1 && firstIssuancesPerRun !== null && used > share(firstIssuancesPerRun);
    if (due.length >= share(startsPerRun) || overFirsts) {
      postponed += 1;
      continue;
    }
    firsts.set(directoryUrl, used);
    due.push({ certificate: member.spec.name, executionName: executionName(member, execution), reason: member.reason });
  }
  return { due, checked: members.length, postponed };
}

/** Days until the first of them expires; `null` when none is issued. */
export function minimumDaysToExpiry(members: readonly FleetMember[], now: Date): number | null {
  const days = members.flatMap(({ record }) => (record.current ? [daysLeft(record.current, now)] : []));
  return days.length > 0 ? Math.min(...days) : null;
}
