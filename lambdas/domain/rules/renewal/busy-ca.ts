import type { CertificateSpec } from '../../contract/config.ts';
import { CaBusyError } from '../../contract/errors.ts';
import type { FailureReport } from '../../contract/failure.ts';
import type { BusyReply } from '../../ports/ledger.ts';
import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';
import type { RenewalSituation } from './renewal-decision.ts';
import { isEmergency } from './renewal-time.ts';

/**
 * Longest time for which one reply delays the requests for other certificates, in seconds. A CA that asks to wait for a day gets a few requests an hour
 * from all certificates that have failed for less than `longestHeld`, and they continue within an hour after the CA has become available.
 */
const longestBusy = 3600;

/**
 * Returns what the ledger keeps for all certificates of a directory, or `null` if the failure says nothing about other certificates. HTTP 503 with a
 * Retry-After says how long the service will be unavailable to the client (RFC 9110 §10.2.3). HTTP 429 without a problem document comes from a load
 * balancer. A `rateLimited` problem may be about one name, and another HTTP 5xx about one order.
 */
export function busyReplyOf({ error, problem }: FailureReport, certificate: string, now: Date): BusyReply | null {
  const { status, type, retryAfter } = problem ?? {};
  const isReply = error === 'CaBusyError' || error === 'RateLimitedError';
  const isForAll = status === 503 || (status === 429 && type === 'about:blank');
  if (!isReply || !isForAll || retryAfter === undefined || retryAfter <= 0) return null;
  return { at: now.toISOString(), seconds: Math.min(Math.ceil(retryAfter), longestBusy), certificate };
}

/**
 * Time after the first failure of a certificate from which it asks its CA itself, in ms. If the CA refuses the requests of a few certificates alone,
 * the replies to them follow one another, and a new certificate would never be issued.
 */
const longestHeld = 8 * 3_600_000;

/**
 * Checks before a request to the CA whether the CA has asked to wait in the reply to a request for another certificate. This certificate then waits as
 * long as if the reply had been to its own request, so that the requests after the wait keep the pace of the fleet. The failure counts, so that a
 * fallback issuer is used after three failures. An emergency passes, because a wrong reply must not let a certificate expire. A forced renewal, one
 * that a deployment waits for, and one that has failed for eight hours pass too.
 *
 * @throws CaBusyError if the time for which the CA has asked to wait has not passed
 */
export function assertCaNotBusy(
  { spec, record, force, deployedAt }: RenewalSituation,
  busy: BusyReply | null,
  now: Date,
): void {
  if (busy === null || !isBusyFor(spec.name, busy, now)) return;
  if (force || deployedAt || isEmergency(record, now) || hasFailedFor(longestHeld, record, now)) return;
  throw busyError(spec, busy);
}

const hasFailedFor = (time: number, { failure }: LedgerCertificate, now: Date): boolean =>
  failure !== null && now.getTime() - Date.parse(failure.first ?? failure.last) >= time;

/**
 * Tells whether a CA has asked to wait in the reply to a request for another certificate, and this time has not passed. The certificate whose request
 * the CA answered is not delayed here, because its own ledger item has the time of its next attempt.
 */
export const isBusyFor = (certificate: string, busy: BusyReply | null, now: Date): boolean =>
  busy !== null && busy.certificate !== certificate && now.getTime() < busyUntil(busy);

const busyUntil = ({ at, seconds }: BusyReply): number => Date.parse(at) + 1000 * seconds;

function busyError({ name, issuer }: CertificateSpec, busy: BusyReply): CaBusyError {
  const { at, seconds, certificate } = busy;
  return new CaBusyError({
    what: `No request was sent to ${issuer.name}.`,
    why: `At ${at} the CA did not process a request for certificate ${certificate}, and asked to wait until ${new Date(busyUntil(busy)).toISOString()} or longer.`,
    remedy: 'The next attempt follows after the same length of time. To send a request now, force the renewal.',
    certificate: name,
    issuer: issuer.name,
    problem: { type: 'about:blank', retryAfter: seconds },
  });
}
