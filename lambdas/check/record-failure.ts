import type { CertificateSpec, DeployedConfig } from '../domain/contract/config.ts';
import { LeaseLostError } from '../domain/contract/errors.ts';
import { type FailureReport, readErrorOutput } from '../domain/contract/failure.ts';
import type { RecordFailureInput, RecordFailureOutput } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { LedgerCertificate } from '../domain/ports/ledger-certificate.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { specOf } from '../domain/rules/certificate/certificate-spec.ts';
import {
  type FailureVerdict,
  failedIdentifiers,
  isCaaOfCheckZones,
  judgeFailure,
} from '../domain/rules/failure/retry-schedule.ts';
import { busyReplyOf } from '../domain/rules/renewal/busy-ca.ts';
import { chosenIssuer, withChosenIssuer } from '../domain/rules/renewal/issuer-choice.ts';
import { isEmergency } from '../domain/rules/renewal/renewal-time.ts';

export interface RecordFailurePorts {
  readonly ledger: Ledger;
  readonly config: DeployedConfig;
  readonly clock: Clock;
}

/**
 * Records a failed attempt. It translates the error into one of the error classes, decides when the next attempt is made and whether this execution
 * makes it, saves the announced version, counts the failure, and releases the leases. A reply in which the CA asks to wait is saved for all
 * certificates of its directory. The step also removes the TXT values from the ledger that are no longer in DNS. An execution that does not hold the
 * lease only does the latter.
 *
 * A second run finds that the failure is newer than the lease or that the lease is released, and counts nothing. If the first run is interrupted
 * between the two counts, the second run counts the identifiers again. A count that is too high keeps the account below the limit of the CA. A count
 * that is too low would not.
 */
export async function recordFailure(
  {
    certificate,
    execution,
    attempt,
    spec: checked,
    errorOutput,
    announced,
    removed,
    deploy,
    startedAt,
  }: RecordFailureInput,
  { ledger, config, clock }: RecordFailurePorts,
): Promise<RecordFailureOutput> {
  const report = readErrorOutput(errorOutput);
  if (removed.length > 0) await ledger.removeLeftovers(certificate, removed);
  const record = await ledger.certificate(certificate);
  const { current, failure, lease, order } = record;
  const spec = checked ?? specOfFailedCheck(certificate, failure, config);
  const now = clock.now();
  const isNew = lease === execution && !isAlreadyRecorded(record);
  const one = isNew ? 1 : 0;
  const failures = (failure?.count ?? 0) + one;
  const nextIssuer = spec && chosenIssuer(spec, { issuerFailures: (failure?.issuerFailures ?? 0) + one });
  const issuerChanges = nextIssuer?.directoryUrl !== spec?.issuer.directoryUrl;
  const deployedFor = deploy ? (now.getTime() - Date.parse(startedAt)) / 1000 : null;
  const emergency = isEmergency(record, now);
  const situation = { attempt, failures, current, emergency, issuerChanges, deployedFor, random: clock.random() };
  const verdict = judgeFailure(report, situation, now);
  const notBefore = verdict.notBefore?.toISOString() ?? null;
  // If another execution holds the lease, that execution makes the next attempt.
  const retryIn = lease === null || lease === execution ? verdict.retryIn : null;

  // This write comes first. Otherwise a second run, which counts nothing, would publish the event for a partial delivery again.
  if (lease === execution && announced !== null && announced !== record.announcedVersion) {
    await ignoringLostLease(ledger.recordAnnounced(certificate, execution, announced));
  }
  if (isNew && verdict.counted) await countFailure({ certificate, execution, spec, report, verdict, now }, ledger);
  if (lease === execution && order && verdict.dropOrder) {
    await ignoringLostLease(ledger.dropOrder(certificate, execution, order.url));
  }
  await ledger.release(certificate, execution);

  return {
    error: report.error,
    cause: report.sentence,
    problemType: report.problem?.type ?? null,
    identifier: report.problem?.identifier ?? null,
    // A quiet attempt that another execution has to make is announced.
    quiet: verdict.quiet && retryIn === verdict.retryIn,
    action: verdict.action,
    retryIn,
    // An attempt that is not recorded does not change when the next one is made.
    nextAttempt:
      (isNew ? notBefore : record.notBefore) ?? new Date(now.getTime() + config.checkInterval * 1000).toISOString(),
  };
}

interface CountedFailure extends Pick<RecordFailureInput, 'certificate' | 'execution'> {
  /** `undefined` if the certificate is not configured. */
  readonly spec: CertificateSpec | undefined;
  readonly report: FailureReport;
  readonly verdict: FailureVerdict;
  readonly now: Date;
}

/** Counts a failure for the certificate and for its identifiers. If the CA asked to wait, its reply is saved for the directory. */
async function countFailure(
  { certificate, execution, spec, report, verdict, now }: CountedFailure,
  ledger: Ledger,
): Promise<void> {
  const identifiers = failedIdentifiers(report);
  if (spec && identifiers.length > 0) await ledger.countIdentifierFailures(spec.issuer.directoryUrl, identifiers, now);
  // The CAA identities of the CA may have changed since they were read. The next attempt places an order, which reads them again. The CA decides.
  if (spec && isCaaOfCheckZones(report)) await ledger.markAccountStale(spec.issuer.directoryUrl);
  const written = {
    error: report.error,
    cause: report.sentence,
    last: now.toISOString(),
    ...(verdict.limit && { limit: true as const }),
    ...(spec ? { specHash: spec.specHash } : {}),
  };
  const busy = busyReplyOf(report, certificate, now);
  if (spec && busy) await ledger.recordBusyReply(spec.issuer.directoryUrl, busy);
  const { issuersFault } = verdict;
  const notBefore = verdict.notBefore?.toISOString() ?? null;
  await ignoringLostLease(ledger.recordFailure(certificate, execution, written, { notBefore, issuersFault }));
}

/** The spec after *Check renewal* itself failed. Its hash is recorded, so that a changed configuration ends the delay. */
function specOfFailedCheck(certificate: string, failure: LedgerCertificate['failure'], config: DeployedConfig) {
  const configured = specOf(config, certificate);
  return configured && withChosenIssuer(configured, failure);
}

/** Tells whether this attempt is recorded already. Each attempt takes the lease again, so a failure that is newer than the lease belongs to it. */
function isAlreadyRecorded({ failure, leasedAt }: LedgerCertificate): boolean {
  return failure !== null && leasedAt !== null && Date.parse(failure.last) > Date.parse(leasedAt);
}

/** Waits for a write. If the lease was lost in the meantime, the write is skipped, because another execution works on the certificate. */
async function ignoringLostLease(write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
  }
}
