import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type { CertificateSpec } from '../../contract/config.ts';
import type { RenewalAction } from '../../contract/steps.ts';
import type { LedgerCertificate } from '../../ports/ledger-certificate.ts';
import { endpointCheckReason, endpointRecheckReason } from '../certificate/endpoints.ts';
import { isSharingOutdated } from '../certificate/secret-sharing.ts';
import { isVersionOfStack } from '../certificate/stack-version.ts';
import { hasConfiguredProfile, issuerOf } from './issuer-choice.ts';
import { pauseReason, retryNotBeforeReason } from './postponement.ts';
import { ariRenewalTime, isBeforeNextCheck, renewalInfoOf } from './renewal-info.ts';
import { emergencyTime, isEmergency, isRevoked, renewalTime } from './renewal-time.ts';
import { unusableOrderReason } from './saved-order.ts';

export interface Decision {
  readonly action: RenewalAction;
  /** A phrase for the log, the console and the event. */
  readonly reason: string;
  /** Seconds; 0 unless the action is `wait`. */
  readonly wait: number;
}

/** Longest wait for the renewal time, in seconds. The CA is asked again after a day even if fleet runs are further apart. RFC 9773 §4.3.2 */
const longestWait = 86_400;

/** The first reason to issue the certificate, the most informative ones first. `null` if there is none. */
export function dueReason(spec: CertificateSpec, record: LedgerCertificate, now: Date): string | null {
  const { current } = record;
  if (!current) return 'never issued';
  if (isRevoked(record)) return `${current.serialNumber} was revoked`;
  if (current.identifiers.join() !== spec.identifiers.join()) return 'identifiers changed';
  if (current.keyType !== spec.keyType) return `key type changed from ${current.keyType} to ${spec.keyType}`;
  if (!issuerOf(spec, current)) return `issuer changed to ${spec.issuer.name}`;
  if (!hasConfiguredProfile(spec, current)) return `profile changed to ${spec.profile ?? "the issuer's default"}`;
  if (isEmergency(record, now)) return `expires ${current.notAfter}, which is an emergency`;
  const ariTime = ariRenewalTime(record);
  const due = ariTime ?? renewalTime(current);
  if (now < due) return null;
  return `due since ${due.toISOString()}${ariTime ? window(record) : ''}, expires ${current.notAfter}`;
}

/** The CA's window and its explanation URL. RFC 9773 §4.2 */
function window(record: LedgerCertificate): string {
  const { start, end, explanationUrl } = renewalInfoOf(record) ?? {};
  return ` in the window that its CA suggests, ${start} to ${end}${explanationUrl ? ` (${explanationUrl})` : ''}`;
}

/** Regions where ACM does not have the current version, or where the import was deleted. */
export function regionsBehind(spec: CertificateSpec, record: LedgerCertificate): string[] {
  return spec.regions.filter((region) => {
    const delivery = record.deliveries[region];
    return delivery?.versionId !== record.current?.versionId || delivery?.found === null;
  });
}

/** Tells whether the event `Certificate Renewed` was not published for the current version. An interrupted execution may have lost it. */
const isUnannounced = ({ current, announcedVersion }: LedgerCertificate): boolean =>
  current !== null && current.versionId !== announcedVersion;

/** Regions where the import of the current version has other tags than the operator's. */
function regionsWithOtherTags(spec: CertificateSpec, { deliveries }: LedgerCertificate): string[] {
  return spec.regions.filter((region) => deliveries[region]?.tagsHash !== spec.tagsHash);
}

export interface RenewalSituation {
  /** The certificate with the issuer that is used now. */
  readonly spec: CertificateSpec;
  readonly record: LedgerCertificate;
  /** The version of the secret with the label AWSCURRENT. `null` if no certificate was stored. Another writer may have stored it. */
  readonly storedVersion: string | null;
  /** The operator forced the renewal, and this execution has not issued yet. */
  readonly force: boolean;
  /** This execution has already run *Clean up leftover challenges*, with or without success. */
  readonly cleaned: boolean;
  /**
   * A later attempt of this execution, or the restart of an interrupted one. It continues work that was begun. A deployment ends after its first
   * counted failure, so a later attempt of it has only the rights of the first.
   */
  readonly retrying: boolean;
  /**
   * Start of this execution if a deployment waits for it, else `null`. Failures before that time do not delay the execution. Later ones do.
   */
  readonly deployedAt: Date | null;
  /** Longest time between two fleet runs, in seconds. */
  readonly checkInterval: number;
}

/**
 * Decides what to do about one certificate. The first rule that applies wins:
 *
 * 1. `clean`: remove leftover TXT values.
 * 2. `none`: no attempt before the `notBefore` time that a failure set, or during a pause.
 * 3. `resume`: continue a saved order.
 * 4. `issue`: the operator forced it.
 * 5. `repair`: the ledger does not know the certificate in the secret, which this stack stored.
 * 6. `issue`: the certificate is due.
 * 7. `deliver`: an ACM region does not have the current version, which costs no order.
 * 8. `announce`: the event for the current version was not published.
 * 9. `wait`: the renewal time comes before the next fleet run.
 * 10. `checkEndpoints`: an endpoint check is due.
 * 11. `deliver`: the operator's tags have changed. Nothing is imported.
 * 12. `share`: tags, readers or replicas have changed.
 * 13. `checkEndpoints`: an endpoint did not serve the certificate at the last check.
 *
 * A value that another writer stored in the secret is not delivered and not announced. It stays until the certificate is due.
 */
export function decideRenewal(situation: RenewalSituation, now: Date): Decision {
  const { spec, storedVersion, force, cleaned, checkInterval } = situation;
  const { order, leftovers, current, ...rest } = situation.record;
  // If the secret was deleted by hand, the certificate in the ledger no longer exists.
  const record = { order, leftovers, ...rest, current: storedVersion ? current : null };
  const notYet = retryNotBeforeReason(situation, now);
  const otherVersion = storedVersion !== current?.versionId ? storedVersion : null;
  const foreign = otherVersion !== null && !isVersionOfStack(otherVersion);
  const unknownToLedger = otherVersion !== null && !foreign;
  const resumable =
    !notYet && order && !unusableOrderReason(order, spec, record.current, now) && (force || !unknownToLedger);

  // The values of an order that is resumed are used and then removed by the steps that follow.
  if (leftovers.length > 0 && !cleaned && !resumable) {
    return to('clean', `${leftovers.length} TXT values were left by an earlier run`);
  }
  if (notYet) return to('none', notYet);
  const paused = pauseReason(situation, now);
  if (paused) return to('none', paused);
  if (resumable) return to('resume', `order ${order.url} is unfinished`);
  if (force) return to('issue', 'forced');
  if (unknownToLedger) return to('repair', 'the secret holds a certificate that the ledger does not know');
  const due = dueReason(spec, record, now);
  if (due) return to('issue', due);
  const behind = foreign ? [] : regionsBehind(spec, record);
  if (behind.length > 0) return to('deliver', `not delivered to ${behind.join(', ')}`);
  if (!foreign && isUnannounced(record)) return to('announce', 'the event for the current version was not published');
  const ariTime = ariRenewalTime(record);
  if (ariTime && isBeforeNextCheck(ariTime, checkInterval, now)) {
    // In an emergency the window of the CA no longer counts.
    const end = Math.min(ariTime.getTime(), record.current ? emergencyTime(record.current).getTime() : Infinity);
    const reason = `renewal time ${ariTime.toISOString()}${window(record)} is before the next check`;
    return {
      action: 'wait',
      reason,
      wait: Math.min(longestWait, Math.ceil((end - now.getTime()) / 1000)),
    };
  }
  // A deployment that waits for the certificate may create the server only afterwards.
  const checkReason = situation.deployedAt ? null : endpointCheckReason(spec, record, checkInterval, now);
  if (checkReason) return to('checkEndpoints', checkReason);
  // The last three repeat at each run while a change is refused or an endpoint has a fault, and must not keep other actions from running.
  const toTag = regionsWithOtherTags(spec, record);
  if (toTag.length > 0) return to('deliver', `tags have changed in ${toTag.join(', ')}`);
  if (isSharingOutdated(spec, record)) return to('share', 'the tags, readers or replicas of its secret have changed');
  const recheckReason = situation.deployedAt ? null : endpointRecheckReason(spec, record, now);
  if (recheckReason) return to('checkEndpoints', recheckReason);
  const kept = foreign ? `the secret holds version ${otherVersion}, which this stack did not store` : 'nothing to do';
  return to('none', `${kept}, renewal is due ${dueAt(record.current, ariTime)}`);
}

/** Time between two events about TXT values that cannot be removed, in ms. */
const reportInterval = 86_400_000;

/** Tells whether the values that cannot be removed are reported now. */
export const isReportDue = ({ leftoversReportedAt }: LedgerCertificate, now: Date): boolean =>
  leftoversReportedAt === undefined || now.getTime() >= Date.parse(leftoversReportedAt) + reportInterval;

/** Decides for an execution that only removes leftover TXT values. */
export function cleanUpOnly({
  record: { leftovers },
  cleaned,
}: {
  readonly record: Pick<LedgerCertificate, 'leftovers'>;
  readonly cleaned: boolean;
}): Decision {
  if (leftovers.length > 0 && !cleaned)
    return to('clean', `${leftovers.length} TXT values were left by an earlier run`);
  return to('none', leftovers.length > 0 ? 'TXT values could not be removed' : 'no TXT values are left');
}

const to = (action: RenewalAction, reason: string): Decision => ({ action, reason, wait: 0 });

const dueAt = (current: CertificateFacts | null, ariTime: Date | null): string =>
  current ? (ariTime ?? renewalTime(current)).toISOString() : 'never';
