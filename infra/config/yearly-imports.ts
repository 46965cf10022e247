import type { Issuer } from '../../lambdas/domain/contract/config.ts';
import { lifetimeOf, renewedAfter, unknownLifetime } from '../../lambdas/domain/rules/certificate/known-profiles.ts';
import type { ReadCertificate } from './certificates.ts';
import type { Warn } from './mistakes.ts';

/**
 * Imports into ACM that AWS allows in one account and region in 365 days, by default
 * (https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html). AWS does not document whether an import over an existing ARN counts.
 * It is counted here. Above half of the limit there is a warning, because the other half is needed for retries, forced renewals and imports
 * that others make.
 */
const yearlyImports = 5_000;
const hoursOfYear = 365 * 24;

/** Warns for each region in which renewals alone may reach the limit of imports. */
export function warnYearlyImports(
  certificates: readonly ReadCertificate[],
  issuers: readonly Pick<Issuer, 'directoryUrl'>[],
  warn: Warn,
): void {
  const deliveries = certificates.flatMap(({ regions = [], profile = null, issuers: [issuer = -1] = [] }) => {
    const lifetime = lifetimeOf(profile, issuers[issuer]?.directoryUrl);
    return regions.map((region) => ({ region, lifetime }));
  });
  for (const [region, delivered] of Map.groupBy(deliveries, (each) => each.region)) {
    const imports = delivered.reduce(
      (sum, { lifetime }) => sum + hoursOfYear / renewedAfter(lifetime ?? unknownLifetime),
      0,
    );
    if (imports <= yearlyImports / 2) continue;
    const count = delivered.length;
    const assumed = delivered.filter(({ lifetime }) => lifetime === null).length;
    const times = Math.round((imports / count) * 10) / 10;
    const guess = assumed > 0 ? ` For ${assumed} of them a lifetime of 45 days is assumed.` : '';
    warn(
      `yearlyImports:${region}`,
      'certificates',
      `ACM in ${region} gets about ${number(imports)} imports a year, because ${count} certificates are renewed ${times} times a year on average.${guess} ` +
        `AWS allows ${number(yearlyImports)} in 365 days, and retries and forced renewals need about half of them. Ask AWS for a higher quota ` +
        '(Service Quotas, AWS Certificate Manager), deliver fewer certificates into this region, put more names into one certificate, or choose a profile ' +
        'with a longer lifetime',
    );
  }
}

const number = (value: number): string => Math.round(value).toLocaleString('en-US');
