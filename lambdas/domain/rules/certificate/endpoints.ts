import type { ServedCertificate } from '../../contract/certificate-facts.ts';
import type { CertificateSpec } from '../../contract/config.ts';
import type { LedgerCertificate } from '../../ports/ledger.ts';

/**
 * Seconds until the next look at endpoints that do not serve the certificate yet. Right after a delivery that is no fault: servers are
 * reloaded within minutes, and CloudFront needs some to reach all of its edges. 60 + 300 + 600 + 900 s are 31 minutes, then it is told.
 * The daily look takes the same time: a server that is restarted at that second is not worth an event.
 */
const endpointWaits = [60, 300, 600, 900] as const;

/** The wait before look number `tries + 2`, after `tries + 1` of them; 0: that was the last. */
export const endpointWait = (tries: number): number => endpointWaits[tries] ?? 0;

const day = 86_400_000;

/** Hex as OpenSSL, Node.js or a CA write it: leading zeros and lower case make no other number. */
const numberOf = (serialNumber: string): string => serialNumber.toUpperCase().replace(/^0+(?=.)/, '');

export const isSameSerial = (a: string, b: string): boolean => numberOf(a) === numberOf(b);

/** The last look at the current version; `null`: there was none, or it was at another one. */
function lastLook({ current, served }: LedgerCertificate): LedgerCertificate['served'] | null {
  return served && served.versionId === current?.versionId ? served : null;
}

/**
 * Why the endpoints have to be looked at; `null`: they have not. Once a day: fleet runs begin up to an hour late and a look takes half
 * an hour, so of the runs that come about a day later the first counts, half an interval before or after. `checkInterval` in seconds.
 */
export function endpointCheckReason(
  { endpoints = [] }: CertificateSpec,
  record: LedgerCertificate,
  checkInterval: number,
  now: Date,
): string | null {
  if (!record.current || endpoints.length === 0) return null;
  const last = lastLook(record);
  if (!last) return `nobody has looked yet whether ${endpoints.join(', ')} serve ${record.current.serialNumber}`;
  const seen = last.endpoints.map(({ endpoint }) => endpoint);
  const added = endpoints.filter((endpoint) => !seen.includes(endpoint));
  if (added.length > 0) return `nobody has looked yet at ${added.join(', ')}`;
  const since = now.getTime() - Date.parse(last.at);
  return since >= day - (checkInterval * 1000) / 2 ? `its endpoints were looked at ${last.at}, a day ago` : null;
}

/** Stored and delivered, but the last look found an endpoint that is still configured and does not serve it. */
export function isNotServed({ endpoints = [] }: CertificateSpec, record: LedgerCertificate): boolean {
  const seen: readonly ServedCertificate[] = lastLook(record)?.endpoints ?? [];
  return seen.some(({ endpoint, status }) => status !== 'served' && endpoints.includes(endpoint));
}
