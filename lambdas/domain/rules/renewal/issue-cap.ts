import type { CertificateSpec } from '../../contract/config.ts';
import { IssueCapError, ValidationLimitError } from '../../contract/errors.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** A third certificate of one set within 24 h is a mistake, whoever makes it; Let's Encrypt refuses the sixth in a week. */
const issuesADay = 2;

/** Of the five failed validations that Let's Encrypt allows an account, for an identifier and an hour, one is left to a person. */
const failuresAnHour = 4;

/** When fewer than `limit` of these times are within the last `period` milliseconds; `null`: that is so already. */
function freeAt(times: readonly string[], limit: number, period: number, now: Date): Date | null {
  const recent = times.map((at) => Date.parse(at) + period).filter((end) => end > now.getTime());
  const end = recent.sort((a, b) => b - a)[limit - 1];
  return end === undefined ? null : new Date(end);
}

/** Told with every refusal, so that the ledger holds the time. */
const pause = (until: Date, now: Date) => ({
  type: 'about:blank',
  retryAfter: Math.ceil((until.getTime() - now.getTime()) / 1000),
});

/**
 * Throws `IssueCapError` when two certificates of the set were issued in the last 24 h: before an order is placed, since what CAs
 * count is certificates. Not at a test CA, and not with the explicit override.
 *
 * @param issues times (RFC 3339) by order URL
 */
export function assertIssueCap(spec: CertificateSpec, issues: Readonly<Record<string, string>>, now: Date): void {
  if (spec.issuer.staging || spec.ignoreIssueCap) return;
  const until = freeAt(Object.values(issues), issuesADay, day, now);
  if (!until) return;
  throw new IssueCapError({
    what: `No certificate is ordered before ${until.toISOString()}.`,
    why: `${spec.issuer.name} issued ${issuesADay} certificates for ${named(spec.identifiers)} in the last 24 hours.`,
    remedy: 'If it has to be now, set ignoreIssueCap on the certificate and deploy.',
    certificate: spec.name,
    issuer: spec.issuer.name,
    problem: pause(until, now),
  });
}

/**
 * Throws `ValidationLimitError` when our account at this directory failed to prove one of these identifiers four times in the last
 * hour, for whichever certificate.
 *
 * @param failures times (RFC 3339) by identifier
 */
export function assertValidationLimit(
  spec: CertificateSpec,
  failures: ReadonlyMap<string, readonly string[]>,
  now: Date,
): void {
  const limited = spec.identifiers.flatMap((identifier) => {
    const until = freeAt(failures.get(identifier) ?? [], failuresAnHour, hour, now);
    return until ? [{ identifier, until }] : [];
  });
  const last = limited.toSorted((a, b) => b.until.getTime() - a.until.getTime())[0];
  if (!last) return;
  throw new ValidationLimitError({
    what: `No certificate is ordered before ${last.until.toISOString()}.`,
    why: `${spec.issuer.name} could not validate ${named(limited.map(({ identifier }) => identifier))} ${failuresAnHour} times in the last hour, and one more failure would use up its limit for this account.`,
    remedy: 'The earlier failures say what to fix.',
    certificate: spec.name,
    identifier: last.identifier,
    issuer: spec.issuer.name,
    problem: { ...pause(last.until, now), identifier: last.identifier },
  });
}

function named(identifiers: readonly string[]): string {
  const shown = identifiers.slice(0, 3).join(', ');
  return identifiers.length > 3 ? `${shown} and ${identifiers.length - 3} more` : shown;
}
