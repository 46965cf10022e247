import type { Issuer } from '../../lambdas/domain/contract/config.ts';
import type { ReadCertificate } from './certificates.ts';
import type { Report } from './fields.ts';
import { lifetimeOf, renewedAfter } from './profiles.ts';

/**
 * Imports that ACM takes in an account and region in 365 days, unless AWS raises it
 * (https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html). Whether an import over an ARN counts is not documented, so it
 * does here. From half of it on is warned: the other half is for tries, forced renewals and imports of others.
 */
const yearlyImports = 5_000;
const hoursOfYear = 365 * 24;

/** Of a lifetime that nobody announces: browsers take 47 days at most from March 2029 (CA/Browser Forum, ballot SC-081v3). Hours. */
const unknownLifetime = 45 * 24;

/** One warning for each region that renewals alone may fill. */
export function warnYearlyImports(
  certificates: readonly ReadCertificate[],
  issuers: readonly Issuer[],
  warn: Report,
): void {
  const regions = new Map<string, { certificates: number; imports: number; assumed: number }>();
  for (const { regions: names = [], profile = null, issuers: [issuer = -1] = [] } of certificates) {
    const known = lifetimeOf(profile, issuers[issuer]?.directoryUrl);
    for (const name of names) {
      const sum = regions.get(name) ?? { certificates: 0, imports: 0, assumed: 0 };
      regions.set(name, {
        certificates: sum.certificates + 1,
        imports: sum.imports + hoursOfYear / renewedAfter(known ?? unknownLifetime),
        assumed: sum.assumed + (known === null ? 1 : 0),
      });
    }
  }
  for (const [name, { certificates: count, imports, assumed }] of regions) {
    if (imports <= yearlyImports / 2) continue;
    const each = `${count} certificates, renewed ${Math.round((imports / count) * 10) / 10} times a year on average`;
    const guess = assumed > 0 ? ` (45 days are assumed for the ${assumed} whose lifetime is not known)` : '';
    warn(
      'certificates',
      `ACM in ${name} gets about ${number(imports)} imports a year, those over an ARN counted: ${each}${guess}. It takes ${number(yearlyImports)} in 365 days, and half of ` +
        'that is best left for tries and forced renewals. Ask AWS for a higher quota of imports there (Service Quotas, AWS Certificate ' +
        'Manager), deliver fewer certificates into it, put more names into one, or choose a profile of a longer lifetime',
    );
  }
}

const number = (value: number): string => Math.round(value).toLocaleString('en-US');
