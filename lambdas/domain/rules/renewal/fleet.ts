import { createHash } from 'node:crypto';
import type { CertificateSpec } from '../../contract/config.ts';
import type { CheckFleetOutput } from '../../contract/steps.ts';
import type { LedgerCertificate } from '../../ports/ledger.ts';
import { fleetDecision } from './renewal-decision.ts';
import { daysLeft } from './renewal-time.ts';

/** Renewals that one fleet run may start. ACM accepts one import a second, so 1,000 imports take 17 minutes. The next run starts the others. */
const startsPerRun = 1000;

export interface FleetMember {
  /** The certificate with the issuer that is used now (`withChosenIssuer`). */
  readonly spec: CertificateSpec;
  readonly record: LedgerCertificate;
}

/**
 * The name of the renewal execution that a fleet run starts: `<certificate>-<8 of current version>-<8 of spec hash>-<8 of sha256(fleet
 * execution)>`. It has at most 40 + 27 of the 80 characters that a name may have. A second start in one fleet run fails because the name exists.
 */
export function executionName({ spec, record }: FleetMember, fleetExecution: string): string {
  const run = createHash('sha256').update(fleetExecution).digest('hex');
  const version = record.current?.versionId ?? 'none0000';
  return [spec.name, version.slice(0, 8), spec.specHash.slice(0, 8), run.slice(0, 8)].join('-');
}

/**
 * Sorts certificates that expire first before the others. Certificates never issued come last of these, because they cannot expire. Endpoint
 * checks come after all renewals, with the oldest check first, so that each is done at some time even if a run cannot start all of them.
 */
function byUrgency(a: DueMember, b: DueMember): number {
  const order = Number(a.action === 'checkEndpoints') - Number(b.action === 'checkEndpoints');
  return order || (a.action === 'checkEndpoints' ? lastCheck(a) - lastCheck(b) : expiry(a) - expiry(b));
}

const expiry = ({ record: { current } }: FleetMember): number =>
  current ? Date.parse(current.notAfter) : Number.MAX_SAFE_INTEGER;

const lastCheck = ({ record: { served } }: FleetMember): number => (served ? Date.parse(served.at) : 0);

/** Tells whether this CA counts the order against its limit on new certificates. Renewals of the same set of names are exempt. */
const isFirstIssuance = ({ spec, record: { current } }: FleetMember): boolean =>
  current?.identifiers.join() !== spec.identifiers.join() || current.directoryUrl !== spec.issuer.directoryUrl;

export interface FleetRun {
  readonly batches: number;
  readonly execution: string;
  /** Longest time until the next run, in seconds. */
  readonly checkInterval: number;
}

type DueMember = FleetMember & NonNullable<ReturnType<typeof fleetDecision>>;

/** The due certificates of a batch, most urgent first, within the batch's share of the limits of a run. */
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
    const { directoryUrl, newOrders } = member.spec.issuer;
    const first = isFirstIssuance(member) ? 1 : 0;
    const used = (firsts.get(directoryUrl) ?? 0) + first;
    const overFirsts = first === 1 && newOrders !== null && used > share(newOrders.burst);
    if (due.length >= share(startsPerRun) || overFirsts) {
      postponed += 1;
      continue;
    }
    firsts.set(directoryUrl, used);
    due.push({ certificate: member.spec.name, executionName: executionName(member, execution), reason: member.reason });
  }
  return { due, checked: members.length, postponed };
}

/** Days until the first certificate expires. `null` if none is issued. */
export function minimumDaysToExpiry(members: readonly FleetMember[], now: Date): number | null {
  const days = members.flatMap(({ record }) => (record.current ? [daysLeft(record.current, now)] : []));
  return days.length > 0 ? Math.min(...days) : null;
}
