import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type { CertificateSpec } from '../../contract/config.ts';
import type { RenewalAction } from '../../contract/steps.ts';
import type { LedgerCertificate } from '../../ports/ledger.ts';
import { endpointCheckReason } from '../certificate/endpoints.ts';
import { isSharingOutdated } from '../certificate/secret-sharing.ts';
import { issuerOf } from './issuer-choice.ts';
import { ariRenewalTime, isBeforeNextCheck, renewalInfoOf } from './renewal-info.ts';
import { isEmergency, renewalTime } from './renewal-time.ts';
import { unusableOrderReason } from './saved-order.ts';

export interface Decision {
  readonly action: RenewalAction;
  /** In words. */
  readonly reason: string;
  /** Seconds; 0 unless the action is `wait`. */
  readonly wait: number;
}

/** Seconds. Where checks are days apart, the CA is asked in between all the same: RFC 9773 §4.3.2. */
const longestWait = 86_400;

/** Why a certificate has to be issued; `null`: it has not. The first reason that holds, most telling first. */
export function dueReason(spec: CertificateSpec, record: LedgerCertificate, now: Date): string | null {
  const { current } = record;
  if (!current) return 'never issued';
  if (record.revokedVersion === current.versionId) return `${current.serialNumber} was revoked`;
  if (current.identifiers.join() !== spec.identifiers.join()) return 'identifiers changed';
  if (current.keyType !== spec.keyType) return `key type changed from ${current.keyType} to ${spec.keyType}`;
  if (!issuerOf(spec, current)) return `issuer changed to ${spec.issuer.name}`;
  if (current.profile !== spec.profile) return `profile changed to ${spec.profile ?? "the issuer's default"}`;
  if (isEmergency(current, now)) return `expires ${current.notAfter}, too soon to wait any longer`;
  const second = ariRenewalTime(record);
  const due = second ?? renewalTime(current);
  if (now < due) return null;
  return `due since ${due.toISOString()}${second ? window(record) : ''}, expires ${current.notAfter}`;
}

/** The CA's own window, and its link for people, RFC 9773 §4.2. */
function window(record: LedgerCertificate): string {
  const { start, end, explanationUrl } = renewalInfoOf(record) ?? {};
  return ` in the window that its CA suggests, ${start} to ${end}${explanationUrl ? ` (${explanationUrl})` : ''}`;
}

/** Regions where ACM does not hold the current version. */
export function regionsBehind(spec: CertificateSpec, record: LedgerCertificate): string[] {
  return spec.regions.filter((region) => record.deliveries[region]?.versionId !== record.current?.versionId);
}

export interface RenewalSituation {
  /** With the issuer whose turn it is. */
  readonly spec: CertificateSpec;
  readonly record: LedgerCertificate;
  /** The secret's version labelled AWSCURRENT; `null`: never stored. */
  readonly storedVersion: string | null;
  /** Asked for by a person, and not spent yet. */
  readonly force: boolean;
  /** What a dead run left has been cleaned up, or tried to, by this execution. */
  readonly cleaned: boolean;
  /** This execution goes on with what it, or the dead one that it restarts, has begun: a later rung of the ladder. */
  readonly retrying: boolean;
  /** When the execution began that a deployment waits for; `null`: none does. What failed before it is tried again, what failed since is not. */
  readonly deployedAt: Date | null;
  /** Seconds between two fleet runs, at most. */
  readonly checkInterval: number;
}

/** Not mended by another configuration. */
const limits: ReadonlySet<string> = new Set([
  'RateLimitedError',
  'CaUnavailableError',
  'AccountPausedError',
  'IssueCapError',
  'ValidationLimitError',
]);

/** Between two tries in an emergency: the last rung of the ladder, 100 minutes in milliseconds, 15 tries a day at most. */
const emergencySpacing = 6_000_000;

const lastTry = (failure: LedgerCertificate['failure']): number => (failure ? Date.parse(failure.last) : 0);

/** Why nothing is tried now, in words: after failures the ledger names the time. `null`: it may be. */
export function retryNotBeforeReason(
  { spec, record, force, retrying, deployedAt }: RenewalSituation,
  now: Date,
): string | null {
  const { notBefore, failure, current } = record;
  if (!notBefore || now.getTime() >= Date.parse(notBefore)) return null;
  if (force || retrying) return null;
  // Somebody has mended the configuration since: no reason to wait for tomorrow. A CA's own limit stands, whatever is asked of it.
  const reconfigured = failure?.specHash !== undefined && failure.specHash !== spec.specHash;
  const redeployed = deployedAt !== null && lastTry(failure) < deployedAt.getTime();
  if (failure && (reconfigured || redeployed) && !limits.has(failure.error)) return null;
  // An emergency overrides what a CA or the ladder asked for, but a CA in trouble is not asked with every fleet run.
  if (isEmergency(current, now) && now.getTime() >= lastTry(failure) + emergencySpacing) return null;
  return `nothing is tried before ${notBefore}${failure ? `, after ${failure.count} failures, the last by ${failure.error}` : ''}`;
}

/**
 * What to do about one certificate. Read as an ordered list: tidy up first; nothing while failures hold it back; carry on an order
 * that was begun; a person's wish; then what was issued but is not where it belongs, since that costs no order; only then a new one. With
 * all that in order, its servers are looked at; and then who may read it.
 */
export function decideRenewal(situation: RenewalSituation, now: Date): Decision {
  const { spec, storedVersion, force, cleaned, checkInterval } = situation;
  const { order, leftovers, current, ...rest } = situation.record;
  // A secret deleted by hand takes the certificate with it, whatever the ledger remembers.
  const record = { order, leftovers, ...rest, current: storedVersion ? current : null };
  const held = retryNotBeforeReason(situation, now);
  const ahead = storedVersion !== null && storedVersion !== current?.versionId;
  const resumable = !held && order && !unusableOrderReason(order, spec, record.current, now) && (force || !ahead);

  // The values of an order that goes on are used, or removed, by what follows.
  if (leftovers.length > 0 && !cleaned && !resumable) {
    return to('clean', `${leftovers.length} TXT values were left by an earlier run`);
  }
  if (held) return to('none', held);
  if (resumable) return to('resume', `order ${order.url} was left unfinished`);
  if (force) return to('issue', 'forced');
  if (ahead) return to('repair', 'the secret holds a certificate that the ledger does not know');
  const due = dueReason(spec, record, now);
  if (due) return to('issue', due);
  const behind = regionsBehind(spec, record);
  if (behind.length > 0) return to('deliver', `not delivered yet: ${behind.join(', ')}`);
  const second = ariRenewalTime(record);
  if (second && isBeforeNextCheck(second, checkInterval, now)) {
    const reason = `its second ${second.toISOString()}${window(record)} comes before the next check`;
    return {
      action: 'wait',
      reason,
      wait: Math.min(longestWait, Math.ceil((second.getTime() - now.getTime()) / 1000)),
    };
  }
  // A deployment waits for the certificate, and the server that is to have it may come after it.
  const look = situation.deployedAt ? null : endpointCheckReason(spec, record, checkInterval, now);
  if (look) return to('checkEndpoints', look);
  // Last: what is refused here is asked for with every fleet run, and keeps nothing else from being done.
  if (isSharingOutdated(spec, record)) return to('share', 'the readers or replicas of its secret have changed');
  return to('none', `nothing to do, renewal is due ${dueAt(record.current, second)}`);
}

const to = (action: RenewalAction, reason: string): Decision => ({ action, reason, wait: 0 });

const dueAt = (current: CertificateFacts | null, second: Date | null): string =>
  current ? (second ?? renewalTime(current)).toISOString() : 'never';

/**
 * What a fleet run starts the renewal for: what the ledger alone can tell, at no cost of other calls. `null`: not due. An order that
 * cannot be carried on and a failure that nothing is left of are due too, to be forgotten.
 */
export function fleetDecision(
  spec: CertificateSpec,
  record: LedgerCertificate,
  checkInterval: number,
  now: Date,
): Pick<Decision, 'action' | 'reason'> | null {
  const situation: RenewalSituation = {
    spec,
    record,
    storedVersion: record.current?.versionId ?? null,
    force: false,
    cleaned: false,
    retrying: false,
    deployedAt: null,
    checkInterval,
  };
  if (retryNotBeforeReason(situation, now)) return null;
  const decision = decideRenewal(situation, now);
  if (decision.action !== 'none') return decision;
  if (record.order) return { ...decision, reason: 'an order was left unfinished' };
  return record.failure ? { ...decision, reason: 'nothing is left to do after a failure' } : null;
}

/**
 * RFC 9773 §5: the id of the certificate that a new order replaces, for the CA that issued it, which wants a name in common (Boulder).
 * `null`: none.
 */
export function replacedCertificate(spec: CertificateSpec, current: CertificateFacts | null): string | null {
  if (!current || current.directoryUrl !== spec.issuer.directoryUrl) return null;
  return current.identifiers.some((each) => spec.identifiers.includes(each)) ? current.certificateId : null;
}
