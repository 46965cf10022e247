import type { CertificateSpec } from '../../contract/config.ts';
import type { CertificateReport, ReportedDelivery } from '../../contract/report.ts';
import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';
import { isNotServedForLong } from '../certificate/endpoints.ts';
import { type ErrorName, treatments } from '../failure/failure-treatments.ts';
import { counted } from '../wording.ts';
import { ledgerSituation } from './fleet-decision.ts';
import { isNeverIssued } from './fleet-gauges.ts';
import { withChosenIssuer } from './issuer-choice.ts';
import { expirySentence } from './late-certificates.ts';
import { decideRenewal, dueReason } from './renewal-decision.ts';
import { nextRenewal, renewalInfoOf } from './renewal-info.ts';
import { isRevoked } from './renewal-time.ts';

/** Failures in a row from which an operator has to look at a certificate, although it is still retried. */
const attentionAfter = 3;

/** Times in ms after which an operator has to look at a lease and at a postponed renewal. They are the defaults of the alarms. */
const longLease = 3 * 3_600_000;
const longPostponement = 24 * 3_600_000;

/**
 * Returns what an operator has to know about a certificate. The decision is that of the renewal workflow, by the ledger alone. The workflow decides
 * again, with the description of the secret.
 */
export function certificateReport(
  spec: CertificateSpec,
  record: LedgerCertificate,
  checkInterval: number,
  now: Date,
): CertificateReport {
  const { current, failure, notBefore, lease, leasedAt, leftovers, pausedUntil } = record;
  const chosen = withChosenIssuer(spec, failure);
  const { action, reason } = decideRenewal(ledgerSituation(chosen, record, checkInterval), now);
  const { start, end, explanationUrl = null } = renewalInfoOf(record) ?? {};
  return {
    name: spec.name,
    identifiers: spec.identifiers,
    ...(spec.challengeAliases && { challengeAliases: spec.challengeAliases }),
    keyType: spec.keyType,
    issuer: spec.issuer.name,
    profile: spec.profile,
    current,
    action,
    reason,
    renewalTime: renewalTimeOf(chosen, record, now)?.toISOString() ?? null,
    window: start && end ? { start, end, explanationUrl } : null,
    failure: failure && { error: failure.error, cause: failure.cause, count: failure.count, last: failure.last },
    notBefore,
    pausedUntil: pausedUntil !== undefined && now.getTime() < Date.parse(pausedUntil) ? pausedUntil : null,
    lease: lease === null ? null : { execution: lease, since: leasedAt },
    deliveries: deliveriesOf(spec, record),
    served: record.served && record.served.versionId === current?.versionId ? record.served.endpoints : [],
    leftovers: leftovers.length,
    attention: attention(spec, record, now),
  };
}

/** Returns when the renewal is due. It is due before its time after a revocation or a change of the configuration. */
function renewalTimeOf(spec: CertificateSpec, record: LedgerCertificate, now: Date): Date | null {
  const time = nextRenewal(record);
  return time && time > now && dueReason(spec, record, now) !== null ? now : time;
}

function deliveriesOf({ regions }: CertificateSpec, { deliveries, current }: LedgerCertificate): ReportedDelivery[] {
  return regions.map((region) => {
    const delivery = deliveries[region];
    return {
      region,
      arn: delivery?.arn ?? null,
      current: delivery !== undefined && delivery.versionId === current?.versionId,
    };
  });
}

/** Returns the changes that the daily comparison found. They say nothing about a version that became current since. */
export const changesOutside = ({ outside, current }: LedgerCertificate) =>
  outside && outside.versionId === current?.versionId ? outside.changes : [];

/** Returns what an operator has to look at, most urgent first. */
function attention(spec: CertificateSpec, record: LedgerCertificate, now: Date): string[] {
  const { failure, leasedAt, postponedSince } = record;
  const isOlder = (time: string, age: number) => now.getTime() - Date.parse(time) >= age;
  const sentences: string[] = [];
  const expiry = expirySentence(spec, record, now);
  if (expiry) sentences.push(expiry);
  if (isRevoked(record)) sentences.push('It was revoked, and its replacement has not been issued yet.');
  if (failure && treatments[failure.error as ErrorName]?.action)
    sentences.push(`An operator has to fix ${failure.error}.`);
  else if (failure && failure.count >= attentionAfter)
    sentences.push(`${failure.count} attempts in a row have failed, the last one with ${failure.error}.`);
  if (isNeverIssued(record, now))
    sentences.push(`It was never issued, although the first attempt was at ${record.firstLeasedAt}.`);
  if (record.lease && leasedAt && isOlder(leasedAt, longLease))
    sentences.push(`One execution has worked on it since ${leasedAt}.`);
  if (postponedSince && isOlder(postponedSince, longPostponement))
    sentences.push(`Its renewal has been postponed since ${postponedSince}, because its CA allows no more orders.`);
  if (isNotServedForLong(spec, record, now))
    sentences.push('An endpoint presents another certificate, or cannot be reached.');
  if (record.leftoversReportedAt && record.leftovers.length > 0)
    sentences.push(`${counted(record.leftovers.length, 'TXT value')} could not be removed.`);
  for (const { detail, action } of changesOutside(record)) sentences.push(`${detail} ${action}`);
  return sentences;
}
