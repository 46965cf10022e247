import type { Validity } from '../../contract/certificate-facts.ts';
import type { CertificateSpec } from '../../contract/config.ts';
import type { FleetMetricValues } from '../../contract/metrics.ts';
import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';
import { isNotServedForLong } from '../certificate/endpoints.ts';
import { isPaused } from './postponement.ts';
import { daysLeft, lifetimeLeft } from './renewal-time.ts';

/** Values over the whole fleet, as the ledger shows it. `null` if no certificate was issued. */
export interface FleetGauges {
  readonly failing: number;
  readonly failingForADay: number;
  readonly neverIssued: number;
  readonly notServed: number;
  readonly leftovers: number;
  /** In seconds. */
  readonly oldestLease: number;
  /** In percent. */
  readonly leastLifetime: number | null;
  readonly leastDays: number | null;
}

export const emptyGauges: FleetGauges = {
  failing: 0,
  failingForADay: 0,
  neverIssued: 0,
  notServed: 0,
  leftovers: 0,
  oldestLease: 0,
  leastLifetime: null,
  leastDays: null,
};

const day = 86_400_000;

/** Adds a certificate. `spec` is `undefined` if it is no longer configured. Then only its TXT values count. */
export function withCertificate(
  gauges: FleetGauges,
  spec: CertificateSpec | undefined,
  record: LedgerCertificate,
  now: Date,
): FleetGauges {
  const { lease, leasedAt, leftovers, failure } = record;
  const age = lease === null || leasedAt === null ? 0 : (now.getTime() - Date.parse(leasedAt)) / 1000;
  // While an execution works on the certificate, it needs its values or is about to remove them.
  const inDns = { ...gauges, leftovers: gauges.leftovers + (lease === null ? leftovers.length : 0) };
  // If an interrupted execution has left a lease here, no execution takes it any more.
  if (!spec) return inDns;
  const neverIssued = isNeverIssued(record, now);
  const there = validities(spec, record);
  const lifetimes = there.map((each) => Math.max(0, 100 * lifetimeLeft(each, now)));
  return {
    ...inDns,
    oldestLease: Math.max(gauges.oldestLease, age),
    failing: gauges.failing + (failure === null || isPaused(record, now) ? 0 : 1),
    failingForADay: gauges.failingForADay + (isFailingForADay(record, now) ? 1 : 0),
    neverIssued: gauges.neverIssued + (neverIssued ? 1 : 0),
    notServed: gauges.notServed + (isNotServedForLong(spec, record, now) ? 1 : 0),
    leastLifetime: least(gauges.leastLifetime, neverIssued ? [0] : lifetimes),
    leastDays: least(
      gauges.leastDays,
      there.map((each) => daysLeft(each, now)),
    ),
  };
}

/** Returns the values of the metrics for a fleet of this many configured certificates. */
export function gaugeMetrics(gauges: FleetGauges, certificates: number): FleetMetricValues {
  const { leastLifetime, leastDays } = gauges;
  return {
    Certificates: certificates,
    Failing: gauges.failing,
    FailingForADay: gauges.failingForADay,
    NeverIssued: gauges.neverIssued,
    NotServed: gauges.notServed,
    LeftoverTxtValues: gauges.leftovers,
    OldestLease: gauges.oldestLease,
    ...(leastLifetime !== null && { LeastLifetimeLeft: leastLifetime }),
    ...(leastDays !== null && { LeastDaysLeft: leastDays }),
  };
}

/** Tells whether the first of the failures since the last success was a day ago. A pause is no failure. */
const isFailingForADay = (record: LedgerCertificate, now: Date): boolean =>
  record.failure !== null &&
  now.getTime() - Date.parse(record.failure.first ?? record.failure.last) >= day &&
  !isPaused(record, now);

/** Tells whether no certificate was issued within a day after the first execution took its lease. A pause is no failure. */
export const isNeverIssued = (record: LedgerCertificate, now: Date): boolean =>
  record.current === null &&
  record.firstLeasedAt !== undefined &&
  now.getTime() - Date.parse(record.firstLeasedAt) >= day &&
  !isPaused(record, now);

/**
 * Returns the validity and the ARN of what is stored, and of what is under the ARNs in the configured regions. A region may still have an earlier
 * version, or a certificate that another writer imported.
 */
export function validities(
  { regions }: CertificateSpec,
  { current, deliveries }: LedgerCertificate,
): readonly (Validity & { readonly resource: string })[] {
  const imported = regions.flatMap((region) => {
    const delivery = deliveries[region];
    if (!delivery || delivery.found === null) return [];
    return [{ ...datesOf(delivery.found ?? delivery), resource: delivery.arn }];
  });
  return [...(current ? [{ ...datesOf(current), resource: current.secretArn }] : []), ...imported];
}

const datesOf = ({ notBefore, notAfter }: Validity): Validity => ({ notBefore, notAfter });

const least = (before: number | null, values: readonly number[]): number | null =>
  values.reduce<number | null>((found, value) => (found === null || value < found ? value : found), before);
