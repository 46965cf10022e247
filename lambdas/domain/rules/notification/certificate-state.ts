import type { CertificateSpec } from '../../contract/config.ts';
import type { ReportedFailure } from '../../contract/report.ts';
import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';
import { isNotServed, isUnchecked } from '../certificate/endpoints.ts';
import { isSharingOutdated } from '../certificate/secret-sharing.ts';
import { certificateReport, changesOutside } from '../renewal/certificate-report.ts';
import { expirySentence } from '../renewal/late-certificates.ts';
import { causeOf } from './cause.ts';

/** The state of one certificate, as notifications need it. It is small, because the states of the whole fleet are in memory together. */
export interface CertificateState {
  readonly name: string;
  /** Whether it is still in the configuration. */
  readonly configured: boolean;
  /** The certificate in use. `null` if none was issued. */
  readonly current: { readonly notBefore: string; readonly notAfter: string } | null;
  /** Time at which the renewal is due, in RFC 3339. `null` if no certificate was issued. */
  readonly renewalTime: string | null;
  /** The failures since the last success, with the key of their cause. */
  readonly failure: (ReportedFailure & { readonly key: string }) | null;
  /** No attempt is made before this time, in RFC 3339. */
  readonly notBefore: string | null;
  /** Time until which the operator has paused renewals, in RFC 3339. `null` if there is no pause. */
  readonly pausedUntil: string | null;
  /** What the endpoints present instead, as a sentence. `null` if they present this one, or are not checked yet. */
  readonly notServed: string | null;
  /** Whether the endpoints have not been checked since the delivery. */
  readonly endpointsUnchecked: boolean;
  /** The changes that were made outside Perennial. `null` if there are none. */
  readonly changedOutside: { readonly kinds: string; readonly detail: string; readonly action: string } | null;
  /** Number of TXT values that are or may be in DNS. */
  readonly leftovers: number;
  /** Whether the tags, readers or replicas of the secret are not as configured. */
  readonly sharingOutdated: boolean;
  /** What expires soon, as a sentence. `null` if at least a fifth of the lifetime is left everywhere. */
  readonly expiring: string | null;
}

/** Returns what notifications need of a configured certificate. */
export function certificateState(
  spec: CertificateSpec,
  record: LedgerCertificate,
  checkInterval: number,
  now: Date,
): CertificateState {
  const { name, current, renewalTime, failure, notBefore, pausedUntil, served, leftovers } = certificateReport(
    spec,
    record,
    checkInterval,
    now,
  );
  const others = served.filter(({ status }) => status !== 'served');
  return {
    name,
    configured: true,
    current: current && { notBefore: current.notBefore, notAfter: current.notAfter },
    renewalTime,
    failure: failure && { ...failure, key: causeOf(failure.error, failure.cause, [name, ...spec.identifiers]) },
    notBefore,
    pausedUntil,
    notServed: isNotServed(spec, record)
      ? `${others.map(({ endpoint, detail }) => `${endpoint}: ${detail}`).join('; ')}.`
      : null,
    endpointsUnchecked: isUnchecked(spec, record),
    changedOutside: changesOf(record),
    leftovers,
    sharingOutdated: isSharingOutdated(spec, record),
    expiring: expirySentence(spec, record, now),
  };
}

/** Returns the state of a certificate that is no longer configured. Only its TXT values count. */
export const unconfiguredState = (name: string, { leftovers }: LedgerCertificate): CertificateState => ({
  name,
  configured: false,
  current: null,
  renewalTime: null,
  failure: null,
  notBefore: null,
  pausedUntil: null,
  notServed: null,
  endpointsUnchecked: false,
  changedOutside: null,
  leftovers: leftovers.length,
  sharingOutdated: false,
  expiring: null,
});

function changesOf(record: LedgerCertificate): CertificateState['changedOutside'] {
  const changes = changesOutside(record);
  if (changes.length === 0) return null;
  return {
    kinds: [...new Set(changes.map(({ kind }) => kind))].toSorted().join(' '),
    detail: changes.map(({ resource, detail }) => `${resource}: ${detail}`).join(' '),
    action: [...new Set(changes.map(({ action }) => action))].join(' '),
  };
}
