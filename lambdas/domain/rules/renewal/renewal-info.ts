import { createHash } from 'node:crypto';
import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type { LedgerCertificate, SavedRenewalInfo } from '../../ports/ledger.ts';
import type { RenewalInfo, RenewalInfos } from '../../ports/renewal-info.ts';
import { renewalTime } from './renewal-time.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** RFC 9773 §4.3.3: what it says of failures that are not over soon, and of a missing Retry-After. */
const longTermRetry = 6 * hour;

/** The clamp of RFC 9773 §4.3.2: no CA asks for more than this usefully, nor for less. */
const shortestRetry = minute;
const longestRetry = day;

type FetchResult = Awaited<ReturnType<RenewalInfos['fetch']>>;

interface Window {
  readonly start: Date;
  readonly end: Date;
}

/** What the ledger has of the current certificate's window: bound to its id, so that no other certificate's is ever taken for it. */
export function renewalInfoOf({ current, renewalInfo }: LedgerCertificate): SavedRenewalInfo | null {
  return renewalInfo && current && renewalInfo.certificateId === current.certificateId ? renewalInfo : null;
}

/**
 * The second of the window at which this certificate is renewed. RFC 9773 §4.2 wants a uniformly random one; as a hash of id and window
 * it is, and yet the same for whoever asks, without being kept anywhere.
 */
export function chosenRenewalTime(certificateId: string, { start, end }: Window): Date {
  const hash = createHash('sha256').update(`${certificateId} ${start.toISOString()} ${end.toISOString()}`).digest();
  const fraction = hash.readUIntBE(0, 6) / 2 ** 48;
  const seconds = Math.floor((fraction * (end.getTime() - start.getTime())) / 1000);
  return new Date(start.getTime() + seconds * 1000);
}

/** By the CA's window; `null`: none is known. */
export function ariRenewalTime(record: LedgerCertificate): Date | null {
  const info = renewalInfoOf(record);
  if (!info?.start || !info.end) return null;
  return chosenRenewalTime(info.certificateId, { start: new Date(info.start), end: new Date(info.end) });
}

/**
 * The schedule's flexible window: a fleet run may start this much later than planned. A quarter of the interval between two runs, from one
 * minute to one hour. EventBridge Scheduler takes whole minutes. Both are in seconds.
 */
export function flexibleWindow(checkInterval: number): number {
  return Math.min(Math.max(Math.floor(checkInterval / 4 / minute), 1) * minute, hour);
}

/** Nobody looks again before this second: it is waited for. `checkInterval` in seconds. */
export function isBeforeNextCheck(second: Date, checkInterval: number, now: Date): boolean {
  return second.getTime() < now.getTime() + 1000 * (checkInterval + flexibleWindow(checkInterval));
}

/** Whether it is worth asking the CA: never asked for this certificate, or the time that it gave is over. */
export function isFetchDue(record: LedgerCertificate, now: Date): boolean {
  if (!record.current?.certificateId) return false;
  const info = renewalInfoOf(record);
  return !info || now.getTime() >= Date.parse(info.nextFetch);
}

/**
 * What to keep of an answer. After a failure the dates take over: what the CA said before stays only where its second comes before
 * a third is left, so that a window moved into the past survives the CA's own trouble.
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

/** Seconds. After a passing failure the next run asks again: a minute keeps retries of one run from asking each time. */
function fetchAgainIn(result: FetchResult): number {
  if (result === 'unsupported') return longestRetry;
  if ('failed' in result) return result.temporary ? shortestRetry : longTermRetry;
  return clamped(result);
}

function clamped({ retryAfter }: Pick<RenewalInfo, 'retryAfter'>): number {
  if (retryAfter === null) return longTermRetry;
  return Math.min(Math.max(retryAfter, shortestRetry), longestRetry);
}
