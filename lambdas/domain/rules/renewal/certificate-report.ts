import type { CertificateSpec } from '../../contract/config.ts';
import type { CertificateReport, ReportedDelivery } from '../../contract/report.ts';
import type { LedgerCertificate } from '../../ports/ledger.ts';
import { isNotServed } from '../certificate/endpoints.ts';
import { type ErrorName, treatments } from '../failure/failure-treatments.ts';
import { isNeverIssued } from './fleet-gauges.ts';
import { withChosenIssuer } from './issuer-choice.ts';
import { decideRenewal, ledgerSituation } from './renewal-decision.ts';
import { nextRenewal, renewalInfoOf } from './renewal-info.ts';
import { daysLeft, isRevoked, lifetimeLeft } from './renewal-time.ts';

/** Failures in a row from which an operator has to look at a certificate, although it is still retried. */
const attentionAfter = 3;

/** Part of the lifetime that is left when an operator has to look at a certificate. Renewals begin with a third or half of it left. */
const attentionLeft = 0.2;

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
  const { action, reason } = decideRenewal(
    ledgerSituation(withChosenIssuer(spec, failure), record, checkInterval),
    now,
  );
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
    renewalTime: nextRenewal(record)?.toISOString() ?? null,
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
const changesOutside = ({ outside, current }: LedgerCertificate) =>
  outside && outside.versionId === current?.versionId ? outside.changes : [];

/** Returns what an operator has to look at, most urgent first. */
function attention(spec: CertificateSpec, record: LedgerCertificate, now: Date): string[] {
  const { current, failure } = record;
  const sentences: string[] = [];
  if (current && daysLeft(current, now) <= 0) sentences.push(`It expired at ${current.notAfter}.`);
  else if (current && lifetimeLeft(current, now) < attentionLeft)
    sentences.push(`Less than ${attentionLeft * 100} % of its lifetime is left. It expires at ${current.notAfter}.`);
  if (isRevoked(record)) sentences.push('It was revoked, and its replacement has not been issued yet.');
  if (failure && treatments[failure.error as ErrorName]?.action)
    sentences.push(`An operator has to fix ${failure.error}.`);
  else if (failure && failure.count >= attentionAfter)
    sentences.push(`${failure.count} attempts in a row have failed, the last one with ${failure.error}.`);
  if (isNeverIssued(record, now))
    sentences.push(`It was never issued, although the first attempt was at ${record.firstLeasedAt}.`);
  if (isNotServed(spec, record)) sentences.push('An endpoint presents another certificate.');
  if (record.leftoversReportedAt && record.leftovers.length > 0)
    sentences.push(`${record.leftovers.length} TXT values could not be removed.`);
  for (const { detail, action } of changesOutside(record)) sentences.push(`${detail} ${action}`);
  return sentences;
}
