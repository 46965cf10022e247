import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type { CertificateSpec } from '../../contract/config.ts';
import { IssueCapError, ValidationLimitError } from '../../contract/errors.ts';
import { counted } from '../wording.ts';
import { emergencySpacing, emergencyTime, type InUse, isRevoked, quarterUpToADay } from './renewal-time.ts';

const hour = 3_600_000;
const day = 24 * hour;

/**
 * Certificates for one set of names in 24 h, or in a quarter of the lifetime below four days. A certificate is renewed after half of its lifetime, so a
 * third one is a mistake in every case. Let's Encrypt refuses the sixth in a week.
 */
const mostIssues = 2;

/**
 * Certificates in the same period after which replacements of a revoked certificate are spaced. They are then a quarter of the period apart, which is
 * six hours if the period is a day. A revocation leaves one certificate in the count, so three replacements follow the retry schedule. If none can be
 * stored, a day has seven orders at most, and not fifteen.
 */
const promptIssues = 4;

/** Failed validations of one identifier in an hour. Let's Encrypt allows an account five, and one is kept for the operator. */
const failuresAnHour = 4;

/** The time at which fewer than `limit` of these times are within the last `period` milliseconds. `null` if that is already so. */
function freeAt(times: readonly string[], limit: number, period: number, now: Date): Date | null {
  const recent = times.map((at) => Date.parse(at) + period).filter((end) => end > now.getTime());
  const end = recent.sort((a, b) => b - a)[limit - 1];
  return end === undefined ? null : new Date(end);
}

/** The problem document of a refusal, with the time after which *Record failure* allows a retry. */
const pause = (until: Date, now: Date) => ({
  type: 'about:blank',
  retryAfter: Math.ceil((until.getTime() - now.getTime()) / 1000),
});

type Current = Pick<CertificateFacts, 'versionId' | 'notBefore' | 'notAfter' | 'directoryUrl' | 'orderUrl'>;

/**
 * Checks the issue cap before an order is created. Test CAs and certificates with `ignoreIssueCap` are exempt. A certificate that is about to
 * expire passes, because it is more important than the number of certificates. Only if it is so new that the next one would be no better, the cap still
 * applies for the time between two attempts in an emergency. A revoked certificate may be replaced more often, and later replacements are spaced.
 *
 * @param issues times (RFC 3339) by order URL
 * @param inUse the certificate in use. Its lifetime sets the period if this CA issued it
 * @throws IssueCapError when two certificates of the set, or four after a revocation, were issued in the period
 */
export function assertIssueCap(
  spec: CertificateSpec,
  issues: Readonly<Record<string, string>>,
  inUse: InUse & { readonly current: Current | null },
  now: Date,
): void {
  if (spec.issuer.staging || spec.ignoreIssueCap) return;
  const { current } = inUse;
  const period = current?.directoryUrl === spec.issuer.directoryUrl ? quarterUpToADay(current) : day;
  const expires = current !== null && now >= emergencyTime(current) && !isJustIssued(current, issues, now);
  const times = Object.values(issues).filter((at) => now.getTime() - Date.parse(at) < period);
  const capped = freeAt(times, mostIssues, period, now);
  const until = isRevoked(inUse) ? earlier(capped, spacedAt(times, period, now)) : capped;
  if (!until || expires) return;
  throw new IssueCapError({
    what: `No certificate is ordered before ${until.toISOString()}.`,
    why: `${spec.issuer.name} issued ${times.length} certificates for ${named(spec.identifiers)} in the last ${counted(Math.round((10 * period) / hour) / 10, 'hour')}.`,
    remedy: 'To issue now, set ignoreIssueCap on the certificate and deploy.',
    certificate: spec.name,
    issuer: spec.issuer.name,
    problem: pause(until, now),
  });
}

/** The time of the next replacement of a revoked certificate. `null` if one may be issued now. */
function spacedAt(times: readonly string[], period: number, now: Date): Date | null {
  if (times.length < promptIssues) return null;
  const next = Math.max(...times.map((at) => Date.parse(at))) + period / 4;
  return next > now.getTime() ? new Date(next) : null;
}

/** The earlier of two times, of which `null` is now. */
const earlier = (a: Date | null, b: Date | null): Date | null => (a && b ? (a < b ? a : b) : null);

function isJustIssued(current: Current | null, issues: Readonly<Record<string, string>>, now: Date): boolean {
  const at = issues[current?.orderUrl ?? ''];
  return current !== null && at !== undefined && now.getTime() < Date.parse(at) + emergencySpacing(current);
}

/**
 * Checks the limit on failed validations before an order is created. Failures of an identifier count for all certificates of the account.
 *
 * @param failures times (RFC 3339) by identifier
 * @throws ValidationLimitError when validation of one of the identifiers failed four times in the last hour
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
    remedy: 'Fix the cause that the earlier failures name.',
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
