import type { CertificateSpec } from '../../contract/config.ts';
import type { ExpiringCertificate, PostponedCertificate } from '../../contract/steps.ts';
import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';
import type { DueCertificate } from './fleet.ts';
import { isNeverIssued, validities } from './fleet-gauges.ts';
import { lifetimeLeft } from './renewal-time.ts';

/**
 * Percentage of the lifetime below which operators are notified, and the event `Certificate Expiring` is published. Renewals begin with a third or
 * half of it left.
 */
const expiringBelow = 20;

/** Time between two events of one type about a certificate, and time for which a renewal is postponed before the first event, in ms. */
const day = 86_400_000;

/** Events of each type that one selection causes. All of them have 40 KB at most, and the next fleet runs publish the others. */
export const reportedPerSelection = 50;

const isReportDue = (reportedAt: string | undefined, now: Date): boolean =>
  reportedAt === undefined || now.getTime() >= Date.parse(reportedAt) + day;

/** Returns what the event `Certificate Expiring` says about a certificate, or `null` if the event is not due. */
export function expiringCertificate(
  spec: CertificateSpec,
  record: LedgerCertificate,
  now: Date,
): ExpiringCertificate | null {
  if (!isReportDue(record.expiringReportedAt, now)) return null;
  const error = record.failure?.error ?? null;
  const reported = { kind: 'expiring', certificate: spec.name, error } as const;
  if (isNeverIssued(record, now)) return { ...reported, resource: null, notAfter: null, lifetimeLeft: 0 };
  const first = firstExpiring(spec, record, now);
  if (!first) return null;
  const { resource, notAfter, left } = first;
  return { ...reported, resource, notAfter, lifetimeLeft: Math.floor(100 * left) / 100 };
}

/** Returns a sentence about the secret or the import that expires first, if less than 20 % of its lifetime is left, or `null`. */
export function expirySentence(spec: CertificateSpec, record: LedgerCertificate, now: Date): string | null {
  const first = firstExpiring(spec, record, now);
  if (!first) return null;
  const { resource, notAfter } = first;
  const isSecret = resource === record.current?.secretArn;
  if (Date.parse(notAfter) <= now.getTime()) return `${isSecret ? 'It' : resource} expired at ${notAfter}.`;
  const lifetime = isSecret ? 'its lifetime' : `the lifetime of ${resource}`;
  return `Less than ${expiringBelow} % of ${lifetime} is left. It expires at ${notAfter}.`;
}

/** Returns what expires first, with the percentage of its lifetime that is left, or `null` if that is 20 or more. */
function firstExpiring(spec: CertificateSpec, record: LedgerCertificate, now: Date) {
  const [first] = validities(spec, record)
    .map((each) => ({ ...each, left: Math.max(0, 100 * lifetimeLeft(each, now)) }))
    .toSorted((a, b) => a.left - b.left);
  return first && first.left < expiringBelow ? first : null;
}

/** The events about a renewal that fleet runs postpone, as the ledger has them. */
export type Postponement = Pick<LedgerCertificate, 'postponedSince' | 'postponedReportedAt'>;

/**
 * Returns what the events `Certificate Renewal Postponed` say. They are due for renewals that fleet runs have postponed for a day, the longest first.
 *
 * @param postponed the due certificates that this run leaves to the next one
 * @param before the postponements that the ledger has, by certificate
 */
export function postponedCertificates(
  postponed: readonly DueCertificate[],
  before: ReadonlyMap<string, Postponement>,
  now: Date,
): readonly PostponedCertificate[] {
  return postponed
    .flatMap(({ certificate, ordersAt, notAfter }): readonly PostponedCertificate[] => {
      const { postponedSince: since, postponedReportedAt } = before.get(certificate) ?? {};
      if (!since || !ordersAt || now.getTime() < Date.parse(since) + day) return [];
      if (!isReportDue(postponedReportedAt, now)) return [];
      return [{ kind: 'postponed', certificate, since, directoryUrl: ordersAt, notAfter }];
    })
    .toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since))
    .slice(0, reportedPerSelection);
}
