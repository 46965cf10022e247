import type { AcmQuota, OperatorChecks } from '../lambdas/domain/ports/operator-checks.ts';
import { counted } from '../lambdas/domain/rules/wording.ts';
import { type Finding, findingOf, ToFix } from './finding.ts';
import { problemOf } from './problems.ts';

/** What Perennial imports into ACM of one region. */
export interface AcmUse {
  /** Certificates that the next deployment imports for the first time. */
  readonly added: number;
  /** Imports in a year, if each certificate is renewed when its lifetime says so. */
  readonly yearlyImports: number;
}

/** Quotas of a region by default. A new account may have less. https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html */
const defaults: Readonly<Record<AcmQuota, number>> = { certificates: 2_500, yearlyImports: 5_000 };

/** Part of the quota of certificates from which the operator has to ask for more. AWS takes days to grant it. */
const nearlyUsed = 0.9;

/**
 * Compares the imports with the quotas of the account, one finding for each region.
 *
 * @param uses by region. The key `undefined` is the region of the credentials
 */
export function acmFindings(
  uses: ReadonlyMap<string | undefined, AcmUse>,
  checks: Pick<OperatorChecks, 'importedCertificates' | 'acmQuota'>,
): Promise<readonly Finding[]> {
  return Promise.all(
    [...uses].map(([region, { added, yearlyImports }]) =>
      findingOf(`ACM in ${region ?? 'the region of the stack'}`, async () => {
        const count = (await checks.importedCertificates(region)) + added;
        const [certificates, imports] = [
          await quotaOf('certificates', region, checks),
          await quotaOf('yearlyImports', region, checks),
        ];
        const text = `${number(count)} of ${number(certificates.value)} imported certificates${added > 0 ? `, with ${counted(added, 'new one')}` : ''}, about ${number(yearlyImports)} of ${number(imports.value)} imports a year${certificates.note || imports.note}`;
        if (count < nearlyUsed * certificates.value && yearlyImports <= imports.value) return text;
        throw new ToFix(
          `${text}. Ask AWS for a higher quota (Service Quotas, AWS Certificate Manager, ${imports.value < yearlyImports ? 'Imported certificates in last 365 days' : 'Imported certificates'}), or import fewer certificates.`,
        );
      }),
    ),
  );
}

/** Returns a quota of the account, or its default with a note that says why. */
async function quotaOf(quota: AcmQuota, region: string | undefined, checks: Pick<OperatorChecks, 'acmQuota'>) {
  try {
    const value = await checks.acmQuota(quota, region);
    return value === null ? { value: defaults[quota], note: ' (default quotas)' } : { value, note: '' };
  } catch (error) {
    const [first = ''] = problemOf(error).message.split(/(?<=\.) /);
    return { value: defaults[quota], note: ` (default quotas. ${first.replace(/\.$/, '')})` };
  }
}

const number = (value: number): string => Math.round(value).toLocaleString('en-US');
