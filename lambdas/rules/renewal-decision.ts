import type { CertificateFacts, CertificateSpec, RenewalAction } from './contract.ts';
import type { LedgerCertificate } from './ports.ts';
import { renewalTime } from './renewal-time.ts';

export interface Decision {
  readonly action: Exclude<RenewalAction, 'wait'>;
  /** In words. */
  readonly reason: string;
}

/** Why a certificate has to be issued; `null`: it has not. The first reason that holds, most telling first. */
export function dueReason(spec: CertificateSpec, current: CertificateFacts | null, now: Date): string | null {
  if (!current) return 'never issued';
  if (current.identifiers.join() !== spec.identifiers.join()) return 'identifiers changed';
  if (current.keyType !== spec.keyType) return `key type changed from ${current.keyType} to ${spec.keyType}`;
  if (current.directoryUrl !== spec.issuer.directoryUrl) return `issuer changed to ${spec.issuer.name}`;
  if (current.profile !== spec.profile) return `profile changed to ${spec.profile ?? "the issuer's default"}`;
  const due = renewalTime(current);
  return now >= due ? `due since ${due.toISOString()}, expires ${current.notAfter}` : null;
}

/** Regions where ACM does not hold the current version. */
export function regionsBehind(spec: CertificateSpec, record: LedgerCertificate): string[] {
  return spec.regions.filter((region) => record.deliveries[region]?.versionId !== record.current?.versionId);
}

export interface RenewalSituation {
  readonly spec: CertificateSpec;
  readonly record: LedgerCertificate;
  /** The secret's version labelled AWSCURRENT; `null`: never stored. */
  readonly storedVersion: string | null;
  /** Asked for by a person, and not spent yet. */
  readonly force: boolean;
  /** What a dead run left has been cleaned up, or tried to, by this execution. */
  readonly cleaned: boolean;
}

/**
 * What to do about one certificate. Read as an ordered list: tidy up first; a person's wish; then what was issued but is not
 * where it belongs, since that costs no order; only then a new one.
 */
export function decideRenewal({ spec, record, storedVersion, force, cleaned }: RenewalSituation, now: Date): Decision {
  if (record.leftovers.length > 0 && !cleaned) {
    return { action: 'clean', reason: `${record.leftovers.length} TXT values were left by an earlier run` };
  }
  if (force) return { action: 'issue', reason: 'forced' };
  if (storedVersion && storedVersion !== record.current?.versionId) {
    return { action: 'repair', reason: 'the secret holds a certificate that the ledger does not know' };
  }
  // A secret deleted by hand takes the certificate with it, whatever the ledger remembers.
  const due = dueReason(spec, storedVersion ? record.current : null, now);
  if (due) return { action: 'issue', reason: due };
  const behind = regionsBehind(spec, record);
  if (behind.length > 0) return { action: 'deliver', reason: `not delivered yet: ${behind.join(', ')}` };
  return {
    action: 'none',
    reason: `nothing to do, renewal is due ${record.current ? renewalTime(record.current).toISOString() : 'never'}`,
  };
}

/** Whether a fleet run starts the renewal: what the ledger alone can tell, at no cost of other calls. `null`: not due. */
export function fleetReason(spec: CertificateSpec, record: LedgerCertificate, now: Date): string | null {
  if (record.notBefore && now.getTime() < Date.parse(record.notBefore)) return null;
  const { action, reason } = decideRenewal(
    { spec, record, storedVersion: record.current?.versionId ?? null, force: false, cleaned: false },
    now,
  );
  if (action !== 'none') return reason;
  return record.order ? 'an order was left unfinished' : null;
}
