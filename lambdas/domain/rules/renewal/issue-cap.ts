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
  problem: { type: 'about:blank', retryAfter: Math.ceil((until.getTime() - now.getTime()) / 1000) },
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
  throw new IssueCapError(
    `${issuesADay} certificates for ${named(spec.identifiers)} were issued by ${spec.issuer.name} in the last 24 hours, so no third is ordered for certificate ${spec.name} before ${until.toISOString()}. If it has to be now, set ignoreIssueCap on it and deploy.`,
    pause(until, now),
  );
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
  const { problem } = pause(last.until, now);
  throw new ValidationLimitError(
    `${spec.issuer.name} could not validate ${named(limited.map(({ identifier }) => identifier))} ${failuresAnHour} times in the last hour, and one more would use up its limit for this account: certificate ${spec.name} is tried again after ${last.until.toISOString()}. See the failures before for what to mend.`,
    { problem: { ...problem, identifier: last.identifier } },
  );
}

function named(identifiers: readonly string[]): string {
  const shown = identifiers.slice(0, 3).join(', ');
  return identifiers.length > 3 ? `${shown} and ${identifiers.length - 3} more` : shown;
}
