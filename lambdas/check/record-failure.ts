import type { DeployedConfig } from '../domain/contract/config.ts';
import { LeaseLostError } from '../domain/contract/errors.ts';
import { readErrorOutput } from '../domain/contract/failure.ts';
import type { RecordFailureInput, RecordFailureOutput } from '../domain/contract/steps.ts';
import type { Ledger, LedgerCertificate } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { failedIdentifiers, isCaaOfCheckZones, judgeFailure } from '../domain/rules/failure/retry-schedule.ts';
import { chosenIssuer } from '../domain/rules/renewal/issuer-choice.ts';

export interface RecordFailurePorts {
  readonly ledger: Ledger;
  readonly config: Pick<DeployedConfig, 'checkInterval'>;
  readonly clock: Clock;
}

/**
 * The end of an attempt that failed: says why under a name of ours, with the CA's problem in the sentence, decides when it is tried
 * again and by whom, counts it, strikes off what is gone from DNS and gives back the leases. An execution without the lease writes
 * nothing.
 *
 * Run twice, the second finds the failure younger than the lease, or the lease given back, and counts nothing. Only a death between the
 * two counts lets the second count identifiers again: one too many keeps us under the CA's limit, one too few would not.
 */
export async function recordFailure(
  { certificate, execution, attempt, spec, errorOutput, removed, deploy, startedAt }: RecordFailureInput,
  { ledger, config, clock }: RecordFailurePorts,
): Promise<RecordFailureOutput> {
  const report = readErrorOutput(errorOutput);
  if (removed.length > 0) await ledger.removeLeftovers(certificate, removed);
  const record = await ledger.certificate(certificate);
  const { current, failure, lease, order } = record;
  const now = clock.now();
  const isNew = lease === execution && !recordedAlready(record);
  const one = isNew ? 1 : 0;
  const failures = (failure?.count ?? 0) + one;
  const nextIssuer = spec && chosenIssuer(spec, { issuerFailures: (failure?.issuerFailures ?? 0) + one });
  const issuerChanges = nextIssuer?.directoryUrl !== spec?.issuer.directoryUrl;
  const deployedFor = deploy ? (now.getTime() - Date.parse(startedAt)) / 1000 : null;
  const situation = { attempt, failures, current, issuerChanges, deployedFor, random: clock.random() };
  const verdict = judgeFailure(report, situation, now);
  const notBefore = verdict.notBefore?.toISOString() ?? null;
  // Where another execution has the lease, it is the one that tries again.
  const retryIn = lease === null || lease === execution ? verdict.retryIn : null;

  if (isNew && verdict.counted) {
    const identifiers = failedIdentifiers(report);
    if (spec && identifiers.length > 0) {
      await ledger.countIdentifierFailures(spec.issuer.directoryUrl, identifiers, now);
    }
    // The CA may go by other names since they were read: the next try orders, which reads them again, and the CA decides.
    if (spec && isCaaOfCheckZones(report)) await ledger.markAccountStale(spec.issuer.directoryUrl);
    const written = {
      error: report.error,
      cause: report.sentence,
      last: now.toISOString(),
      ...(spec ? { specHash: spec.specHash } : {}),
    };
    const { issuersFault } = verdict;
    await unlessLost(ledger.recordFailure(certificate, execution, written, { notBefore, issuersFault }));
  }
  if (lease === execution && order && verdict.dropOrder) {
    await unlessLost(ledger.dropOrder(certificate, execution, order.url));
  }
  await ledger.release(certificate, execution);

  return {
    error: report.error,
    cause: report.sentence,
    problemType: report.problem?.type ?? null,
    identifier: report.problem?.identifier ?? null,
    quiet: verdict.quiet && retryIn !== null,
    action: verdict.action,
    retryIn,
    nextAttempt: notBefore ?? new Date(now.getTime() + config.checkInterval * 1000).toISOString(),
  };
}

/** Each attempt takes the lease anew, so a failure younger than the lease is of this attempt. */
function recordedAlready({ failure, leasedAt }: LedgerCertificate): boolean {
  return failure !== null && leasedAt !== null && Date.parse(failure.last) > Date.parse(leasedAt);
}

async function unlessLost(write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
  }
}
