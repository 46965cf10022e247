import type { ExpiringCertificate, LateCertificate } from '../domain/contract/steps.ts';
import type { FleetLedger } from '../domain/ports/fleet-ledger.ts';
import { concurrencyLimit } from '../domain/rules/concurrency-limit.ts';
import type { DueCertificate } from '../domain/rules/renewal/fleet.ts';
import {
  type Postponement,
  postponedCertificates,
  reportedPerSelection,
} from '../domain/rules/renewal/late-certificates.ts';

/** What a pass over the ledger found about certificates that are late. */
export interface Lateness {
  /** Certificates for which the event `Certificate Expiring` is due. */
  readonly expiring: readonly ExpiringCertificate[];
  /** The postponements that the ledger has, by certificate. */
  readonly before: ReadonlyMap<string, Postponement>;
  /** The due certificates that this run leaves to the next one. */
  readonly postponed: readonly DueCertificate[];
}

/** Updates of the ledger that run at the same time. 10,000 renewals that a CA postpones after a mass revocation take about five seconds. */
const parallelWrites = 20;

/**
 * Saves which renewals are postponed, and returns the certificates for which an event is due. The time of the event is saved before it is published,
 * so a certificate has at most one event of a type in a day. An event that is lost is published a day later.
 */
export async function recordLateCertificates(
  { expiring, before, postponed }: Lateness,
  { fleetLedger }: { readonly fleetLedger: Pick<FleetLedger, 'recordPostponed' | 'recordReported'> },
  now: Date,
): Promise<readonly LateCertificate[]> {
  const limited = concurrencyLimit(parallelWrites);
  const late = new Set(postponed.map(({ certificate }) => certificate));
  const begun = [...late].filter((certificate) => !before.has(certificate));
  const ended = [...before.keys()].filter((certificate) => !late.has(certificate));
  const first = expiring.toSorted((a, b) => a.lifetimeLeft - b.lifetimeLeft).slice(0, reportedPerSelection);
  const reported = [...first, ...postponedCertificates(postponed, before, now)];
  await Promise.all([
    ...begun.map((certificate) => limited(() => fleetLedger.recordPostponed(certificate, now))),
    ...ended.map((certificate) => limited(() => fleetLedger.recordPostponed(certificate, null))),
    ...reported.map(({ certificate, kind }) => limited(() => fleetLedger.recordReported(certificate, kind, now))),
  ]);
  return reported;
}
