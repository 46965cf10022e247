import type { ServedCertificate } from '../../contract/certificate-facts.ts';
import type { CertificateSpec } from '../../contract/config.ts';
import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';

/**
 * Seconds until the next check of endpoints that do not serve the certificate yet. Immediately after a delivery this is no fault, because servers
 * reload it within minutes, and CloudFront needs some minutes to reach all edge locations. An event is published after 60 + 300 + 600 + 900 s,
 * which are 31 minutes. The daily check has the same waits, so that a server that restarts during a check causes no event.
 */
const endpointWaits = [60, 300, 600, 900] as const;

/** Returns the seconds until the next check after `tries + 1` checks, or 0 if there is no further check. */
export const endpointWait = (tries: number): number => endpointWaits[tries] ?? 0;

const day = 86_400_000;

/** Normalizes a serial number in hexadecimal. OpenSSL, Node.js and CAs differ in leading zeros and in upper and lower case. */
const numberOf = (serialNumber: string): string => serialNumber.toUpperCase().replace(/^0+(?=.)/, '');

/** Tells whether two serial numbers in hexadecimal are the same number. */
export const isSameSerial = (a: string, b: string): boolean => numberOf(a) === numberOf(b);

/** Returns the last endpoint check of the current version, or `null` if there was none. */
function lastCheck({ current, served }: LedgerCertificate): LedgerCertificate['served'] | null {
  return served && served.versionId === current?.versionId ? served : null;
}

/**
 * Tells whether a fleet run comes a day after a check or an event. Fleet runs begin up to an hour late, and a check takes half an hour. A run
 * therefore counts as a day later if it is at most half an interval early. `checkInterval` is in seconds.
 */
const isDayLater = (since: string, checkInterval: number, now: Date): boolean =>
  now.getTime() - Date.parse(since) >= day - (checkInterval * 1000) / 2;

/** Returns why the endpoints have to be checked, or `null` if they do not. They are checked once a day. `checkInterval` is in seconds. */
export function endpointCheckReason(
  { endpoints = [] }: CertificateSpec,
  record: LedgerCertificate,
  checkInterval: number,
  now: Date,
): string | null {
  if (!record.current || endpoints.length === 0) return null;
  const last = lastCheck(record);
  if (!last) return `certificate ${record.current.serialNumber} has not been checked at ${endpoints.join(', ')} yet`;
  const seen = last.endpoints.map(({ endpoint }) => endpoint);
  const added = endpoints.filter((endpoint) => !seen.includes(endpoint));
  if (added.length > 0) return `the certificate has not been checked at ${added.join(', ')} yet`;
  return isDayLater(last.at, checkInterval, now) ? `the endpoints were last checked at ${last.at}, a day ago` : null;
}

/**
 * Tells whether an execution publishes that the certificate is not served. The event comes once a day for a version. A second run of the same
 * execution publishes what the first one recorded, because that may have been interrupted. `checkInterval` is in seconds.
 */
export function isNotServedReportDue(
  record: LedgerCertificate,
  execution: string,
  checkInterval: number,
  now: Date,
): boolean {
  const { reported } = lastCheck(record) ?? {};
  return !reported || reported.execution === execution || isDayLater(reported.at, checkInterval, now);
}

/** Tells whether the endpoints have not been checked since the current certificate was delivered. */
export const isUnchecked = ({ endpoints = [] }: CertificateSpec, record: LedgerCertificate): boolean =>
  endpoints.length > 0 && record.current !== null && !lastCheck(record);

/** Tells whether the last check found a configured endpoint that does not serve the current certificate. */
export function isNotServed({ endpoints = [] }: CertificateSpec, record: LedgerCertificate): boolean {
  const seen: readonly ServedCertificate[] = lastCheck(record)?.endpoints ?? [];
  return seen.some(({ endpoint, status }) => status !== 'served' && endpoints.includes(endpoint));
}

/** Time after a check in which the execution that made it checks again, in ms. The longest wait between two checks is 15 minutes. */
const checkedAgain = 3_600_000;

/**
 * Tells whether a configured endpoint does not serve the current certificate although its server has had half an hour to load it. If the execution
 * ends before its last check, this is reported an hour after the check that it made.
 */
export function isNotServedForLong(spec: CertificateSpec, record: LedgerCertificate, now: Date): boolean {
  const { again, at } = lastCheck(record) ?? {};
  const isPending = again === true && at !== undefined && now.getTime() - Date.parse(at) < checkedAgain;
  return !isPending && isNotServed(spec, record);
}

/**
 * Returns why the endpoints are checked before a day has passed, or `null` if they are not. An endpoint that does not serve the certificate is checked
 * by each fleet run, so that the alarm does not stay on for a day after the operator has fixed it.
 */
export function endpointRecheckReason(spec: CertificateSpec, record: LedgerCertificate, now: Date): string | null {
  return isNotServedForLong(spec, record, now) ? `an endpoint did not serve it at ${lastCheck(record)?.at}` : null;
}
