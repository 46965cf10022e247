import { createHash } from 'node:crypto';
import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type { CertificateSpec } from '../../contract/config.ts';
import type { LedgerCertificate, SavedRenewalInfo } from '../../ports/ledger-certificate.ts';
import type { RenewalInfo, RenewalInfos } from '../../ports/renewal-info.ts';
import { renewalTime } from './renewal-time.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Retry time for long-term failures and for a missing Retry-After. RFC 9773 §4.3.3 */
const longTermRetry = 6 * hour;

/** Limits of Retry-After. RFC 9773 §4.3.2 */
const shortestRetry = minute;
const longestRetry = day;

type FetchResult = Awaited<ReturnType<RenewalInfos['fetch']>>;

interface Window {
  readonly start: Date;
  readonly end: Date;
}

/** The saved window of the current certificate. It is bound to the id, so that the window of another certificate is never used. */
export function renewalInfoOf({
  current,
  renewalInfo,
}: Pick<LedgerCertificate, 'current' | 'renewalInfo'>): SavedRenewalInfo | null {
  return renewalInfo && current && renewalInfo.certificateId === current.certificateId ? renewalInfo : null;
}

/**
 * The renewal time, which is one second of the window. RFC 9773 §4.2 asks for a uniformly random time. A hash of id and window is uniform and
 * gives every caller the same time without storing it.
 */
export function chosenRenewalTime(certificateId: string, { start, end }: Window): Date {
  const hash = createHash('sha256').update(`${certificateId} ${start.toISOString()} ${end.toISOString()}`).digest();
  const fraction = hash.readUIntBE(0, 6) / 2 ** 48;
  const seconds = Math.floor((fraction * (end.getTime() - start.getTime())) / 1000);
  return new Date(start.getTime() + seconds * 1000);
}

/** The renewal time inside the CA's window. `null` if no window is known. */
export function ariRenewalTime(record: LedgerCertificate): Date | null {
  const info = renewalInfoOf(record);
  if (!info?.start || !info.end) return null;
  return chosenRenewalTime(info.certificateId, { start: new Date(info.start), end: new Date(info.end) });
}

/** The renewal time of the current certificate, by the window of the CA or else by its dates. `null` if there is no certificate. */
export function nextRenewal(record: LedgerCertificate): Date | null {
  return ariRenewalTime(record) ?? (record.current && renewalTime(record.current));
}

/**
 * The schedule's flexible window: a fleet run may start this much later than planned. A quarter of the interval between two runs, from one
 * minute to one hour. EventBridge Scheduler takes whole minutes. Both are in seconds.
 */
export function flexibleWindow(checkInterval: number): number {
  return Math.min(Math.max(Math.floor(checkInterval / 4 / minute), 1) * minute, hour);
}

/** Tells whether a renewal time is before the next fleet run, so that the execution waits for it. `checkInterval` is in seconds. */
export function isBeforeNextCheck(time: Date, checkInterval: number, now: Date): boolean {
  return time.getTime() < now.getTime() + 1000 * (checkInterval + flexibleWindow(checkInterval));
}

/** Tells whether to ask the CA for the window: it is not known yet, or its Retry-After has passed. */
export function isFetchDue(record: LedgerCertificate, now: Date): boolean {
  if (!record.current?.certificateId) return false;
  const info = renewalInfoOf(record);
  return !info || now.getTime() >= Date.parse(info.nextFetch);
}

/**
 * Tells whether a fleet run asks the CA for the window: it is not known, or it becomes stale before the middle of the interval that begins now.
 * A CA often asks for the interval of the runs as Retry-After. Without the half interval every second run would come a moment too early.
 */
export function isRefreshDue(record: LedgerCertificate, checkInterval: number, now: Date): boolean {
  return isFetchDue(record, new Date(now.getTime() + (checkInterval * 1000) / 2));
}

/**
 * Tells whether a fleet run writes an answer to the ledger. It does not if the window is the same and the next run asks again anyway. A write costs
 * more than the whole check of a certificate.
 */
export function isWorthSaving(
  info: SavedRenewalInfo,
  before: SavedRenewalInfo | null,
  checkInterval: number,
  now: Date,
): boolean {
  const { nextFetch, ...window } = info;
  const { nextFetch: _, ...windowBefore } = before ?? { ...info, start: null, end: null, explanationUrl: null };
  const isSame = (Object.keys(window) as (keyof typeof window)[]).every((key) => window[key] === windowBefore[key]);
  return !isSame || Date.parse(nextFetch) >= now.getTime() + 1.5 * checkInterval * 1000;
}

/**
 * The window to save after a fetch. After a failed fetch the earlier window is kept only if its renewal time is before the time that the dates
 * of the certificate give. So a window that the CA moved into the past stays in force during an outage of the CA.
 */
export function renewalInfoFrom(
  result: FetchResult,
  record: LedgerCertificate & { readonly current: CertificateFacts & { readonly certificateId: string } },
  now: Date,
): SavedRenewalInfo {
  const { certificateId } = record.current;
  const nextFetch = new Date(now.getTime() + 1000 * fetchAgainIn(result)).toISOString();
  const none = { certificateId, start: null, end: null, explanationUrl: null, nextFetch };
  if (result === 'unsupported') return none;
  if ('failed' in result) {
    const before = ariRenewalTime(record);
    const info = renewalInfoOf(record);
    return info && before && before < renewalTime(record.current) ? { ...info, nextFetch } : none;
  }
  const { start, end, explanationUrl } = result;
  return { certificateId, start: start.toISOString(), end: end.toISOString(), explanationUrl, nextFetch };
}

/**
 * Seconds until the next fetch. After a temporary failure it is one minute, so that the next run asks again but retries of this run do not. A
 * Retry-After of a failure only makes it longer.
 */
function fetchAgainIn(result: FetchResult): number {
  if (result === 'unsupported') return longestRetry;
  if ('failed' in result)
    return Math.min(Math.max(result.temporary ? shortestRetry : longTermRetry, result.retryAfter ?? 0), longestRetry);
  return clamped(result);
}

function clamped({ retryAfter }: Pick<RenewalInfo, 'retryAfter'>): number {
  if (retryAfter === null) return longTermRetry;
  return Math.min(Math.max(retryAfter, shortestRetry), longestRetry);
}

/**
 * The id of the certificate that a new order replaces (RFC 9773 §5). `null` if another CA issued it or if no name is in common, because Boulder
 * requires a common name.
 */
export function replacedCertificate(spec: CertificateSpec, current: CertificateFacts | null): string | null {
  if (!current || current.directoryUrl !== spec.issuer.directoryUrl) return null;
  return current.identifiers.some((each) => spec.identifiers.includes(each)) ? current.certificateId : null;
}
