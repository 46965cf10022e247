import type { CertificateReport } from '../lambdas/domain/contract/report.ts';
import { withMinutes } from '../lambdas/domain/rules/wording.ts';

const day = 86_400_000;
const hour = 3_600_000;
const minute = 60_000;

/** Returns a duration in the largest fitting unit, such as `61 d`, `5 h`, `12 min` or `40 s`. */
export function duration(milliseconds: number): string {
  const size = Math.abs(milliseconds);
  if (size >= 2 * day) return `${Math.floor(size / day)} d`;
  if (size >= 2 * hour) return `${Math.floor(size / hour)} h`;
  if (size >= 2 * minute) return `${Math.floor(size / minute)} min`;
  return `${Math.floor(size / 1000)} s`;
}

/** Returns a time in UTC to the minute, such as `2027-01-28 14:05`. */
export const minuteOf = (time: string): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ');

/** Returns the day of a time in UTC. */
export const dayOf = (time: string): string => new Date(time).toISOString().slice(0, 10);

const barLength = 10;

/** Returns the part of the lifetime that is left as a bar of ten characters. */
export function lifetimeBar({ current }: Pick<CertificateReport, 'current'>, now: Date): string {
  const left = current ? lifetimeLeft(current, now) : 0;
  const filled = Math.min(barLength, Math.max(0, Math.round(left * barLength)));
  return '█'.repeat(filled) + '░'.repeat(barLength - filled);
}

function lifetimeLeft({ notBefore, notAfter }: NonNullable<CertificateReport['current']>, now: Date): number {
  return (Date.parse(notAfter) - now.getTime()) / (Date.parse(notAfter) - Date.parse(notBefore));
}

/** Returns how long the certificate is still valid, such as `61 d left`. */
export function timeLeft({ current }: Pick<CertificateReport, 'current'>, now: Date): string {
  if (!current) return 'not issued';
  const left = Date.parse(current.notAfter) - now.getTime();
  return left > 0 ? `${duration(left)} left` : `expired ${duration(left)} ago`;
}

/** Returns when the renewal is due, and what sets that time. */
export function renewalDue({ renewalTime, window, current }: CertificateReport, now: Date): string {
  if (!current || renewalTime === null) return 'now';
  if (Date.parse(renewalTime) <= now.getTime()) return 'now';
  return `${dayOf(renewalTime)}, by ${window ? 'the CA' : 'its dates'}`;
}

/** Returns what happens to the certificate now, as a phrase. */
export function stateOf(
  { lease, failure, notBefore, pausedUntil, action, reason }: CertificateReport,
  now: Date,
): string {
  if (lease) return `in progress since ${lease.since ? `${minuteOf(lease.since)} UTC` : 'an unknown time'}`;
  if (pausedUntil) return `paused until ${minuteOf(pausedUntil)} UTC`;
  if (failure) {
    const next =
      notBefore && Date.parse(notBefore) > now.getTime() ? `${minuteOf(notBefore)} UTC` : 'the next fleet run';
    return `failing: ${failure.error}, next attempt ${next}`;
  }
  const what = action === 'checkEndpoints' ? 'check endpoints' : action;
  return action === 'none' ? 'ok' : `${what}: ${withMinutes(reason)}`;
}

/** Compares certificates for a list. Those that need attention come first, then those that expire first. */
export const byUrgency = (a: CertificateReport, b: CertificateReport): number => urgency(a) - urgency(b);

const urgency = ({ attention, current }: CertificateReport): number =>
  (attention.length > 0 ? 0 : 1e15) + (current ? Date.parse(current.notAfter) : 0);

/** Returns a key that is equal for certificates with the same problem, whose descriptions may differ in times and ARNs. */
export const problemKey = ({ attention: sentences, failure }: CertificateReport): string =>
  [...sentences, failure?.error].join(' ').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|arn:\S+/g, '…');

/** Names that are listed. A certificate may have 100. */
const mostNames = 3;

/** Returns the first names, and how many more there are. */
export const listed = (all: readonly string[]): string =>
  all.length <= mostNames ? all.join(', ') : `${all.slice(0, mostNames).join(', ')} and ${all.length - mostNames} more`;
