import type { CertificateSpec, DeployedConfig, Issuer } from '../lambdas/domain/contract/config.ts';
import type { CertificateReport } from '../lambdas/domain/contract/report.ts';
import { specOf } from '../lambdas/domain/rules/certificate/certificate-spec.ts';
import { lifetimeOf, renewedAfter, unknownLifetime } from '../lambdas/domain/rules/certificate/known-profiles.ts';
import { emptyRecord } from '../lambdas/domain/rules/renewal/ledger-record.ts';
import { dueReason } from '../lambdas/domain/rules/renewal/renewal-decision.ts';
import type { AcmUse } from './acm-quotas.ts';

/** What a deployment does with one certificate. */
export interface PlannedChange {
  readonly name: string;
  readonly change: 'new' | 'changed' | 'removed';
  /** Name of the issuer that is asked. `null` if nothing is ordered. */
  readonly orderedFrom: string | null;
  /** ACM regions that get the certificate for the first time. */
  readonly imports: readonly string[];
  /** Why it is ordered or imported, as a phrase. */
  readonly reason: string;
}

/**
 * Returns what a deployment of this configuration changes, by the rules of the renewal workflow. `deployed` are the certificates of the deployment, and
 * empty before the first one.
 */
export function plannedChanges(
  config: DeployedConfig,
  deployed: readonly CertificateReport[],
  now: Date,
): readonly PlannedChange[] {
  const before = new Map(deployed.map((each) => [each.name, each]));
  const names = new Set(config.certificates.map(({ name }) => name));
  const changes = config.certificates.flatMap(({ name }): PlannedChange[] => {
    const spec = specOf(config, name);
    return spec ? changeOf(spec, before.get(name), now) : [];
  });
  const removed = deployed.flatMap(({ name }): PlannedChange[] =>
    names.has(name)
      ? []
      : [{ name, change: 'removed', orderedFrom: null, imports: [], reason: 'its secret and its imports stay' }],
  );
  return [...changes, ...removed];
}

function changeOf(spec: CertificateSpec, before: CertificateReport | undefined, now: Date): PlannedChange[] {
  const { name, regions, issuer } = spec;
  if (!before) return [{ name, change: 'new', orderedFrom: issuer.name, imports: regions, reason: 'it is new' }];
  const { current, deliveries } = before;
  const due = dueReason(spec, { ...emptyRecord, current }, now);
  const known = deliveries.map(({ region }) => region);
  const imports = regions.filter((region) => !known.includes(region));
  if (!due && imports.length === 0) return [];
  const reason = due ?? `it is also delivered to ${imports.join(', ')}`;
  return [{ name, change: 'changed', orderedFrom: due ? issuer.name : null, imports, reason }];
}

const day = 86_400;

/** Returns the days until a CA has issued this number of certificates, by the limit of new orders of its issuer. */
export function daysOfOrders(count: number, { newOrders }: Pick<Issuer, 'newOrders'>): number {
  return newOrders === null ? 0 : (Math.max(0, count - newOrders.burst) * newOrders.everySeconds) / day;
}

const hoursOfYear = 365 * 24;

/** Returns how often a year a certificate with this lifetime in hours is renewed. */
export const renewalsOfYear = (lifetime: number): number => hoursOfYear / renewedAfter(lifetime);

/** Returns the imports into ACM by region. Regions that the CDK knows only after the deployment begin with `@`. */
export function importsOf(config: DeployedConfig, changes: readonly PlannedChange[]): ReadonlyMap<string, AcmUse> {
  const regions = new Map<string, AcmUse>();
  const add = (region: string, { added, yearlyImports }: AcmUse) => {
    const before = regions.get(region) ?? { added: 0, yearlyImports: 0 };
    regions.set(region, { added: before.added + added, yearlyImports: before.yearlyImports + yearlyImports });
  };
  for (const { regions: delivered, profile, issuers } of config.certificates) {
    const lifetime = lifetimeOf(profile, config.issuers[issuers[0] ?? -1]?.directoryUrl) ?? unknownLifetime;
    for (const region of delivered) add(region, { added: 0, yearlyImports: renewalsOfYear(lifetime) });
  }
  for (const { imports } of changes) for (const region of imports) add(region, { added: 1, yearlyImports: 0 });
  return regions;
}

/**
 * Returns the cost of a month in USD, without the alarms, by the arithmetic and the list prices of docs/costs.md.
 *
 * @param accounts number of CA directories, each of which has a secret with the key of the account
 */
export function monthlyCost(certificates: number, accounts: number): number {
  const n = certificates;
  return (
    (n + accounts) * 0.4 +
    (14 * 0.3 * 120) / 720 +
    (54 * n + 120 * 15) * 0.000025 +
    (20 * n + 120 * 5) * (1.5 * 0.5 * 0.0000133334 + 0.0000002) +
    (50 * n * 0.05) / 10_000 +
    (0.1 * n * 0.5) / 1_000 +
    (135 * n * 0.125 + 160 * n * 0.625) / 1_000_000
  );
}
