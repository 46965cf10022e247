import type { OrderReference } from '../domain/contract/certificate-facts.ts';
import type { CertificateSpec, DeployedConfig } from '../domain/contract/config.ts';
import { IssueCapError } from '../domain/contract/errors.ts';
import {
  interruptedExecution,
  parseRequest,
  parseRestart,
  type RenewalRequest,
} from '../domain/contract/renewal-request.ts';
import type { CheckRenewalInput, CheckRenewalOutput } from '../domain/contract/steps.ts';
import type { LedgerCertificate } from '../domain/ports/ledger-certificate.ts';
import { specOf } from '../domain/rules/certificate/certificate-spec.ts';
import { zonesForState } from '../domain/rules/proof/challenge-zones.ts';
import { assertCaNotBusy } from '../domain/rules/renewal/busy-ca.ts';
import { assertSameWorkflow, interruptionOf, throwUnknownExecution } from '../domain/rules/renewal/interruption.ts';
import { assertIssueCap, assertValidationLimit } from '../domain/rules/renewal/issue-cap.ts';
import { isCountedOrder } from '../domain/rules/renewal/order-bucket.ts';
import { postponedReason } from '../domain/rules/renewal/postponement.ts';
import {
  cleanUpOnly,
  type Decision,
  decideRenewal,
  type RenewalSituation,
} from '../domain/rules/renewal/renewal-decision.ts';
import { nextRenewal, replacedCertificate } from '../domain/rules/renewal/renewal-info.ts';
import {
  assertWaitLeft,
  type BoundedDecision,
  whileCertificateLeaseIsTaken,
  whileInterruptedExecutionRuns,
  whileRenewalTimeIsAhead,
  whileSetLeaseIsTaken,
} from '../domain/rules/renewal/renewal-waits.ts';
import { checkUnconfigured, leftoversFor, recordCleanUp } from './check-leftovers.ts';
import { acquireLease, type LeasePorts } from './leases.ts';
import { renewalSituation, type SituationPorts } from './renewal-situation.ts';

export interface CheckRenewalPorts extends LeasePorts, SituationPorts {
  readonly ledger: SituationPorts['ledger'];
  readonly config: DeployedConfig;
}

type CheckRun = CheckRenewalInput & RenewalRequest;

/**
 * Decides what to do for a certificate, and whether this execution may do it. It takes the certificate's lease first, so that it sees what another
 * execution has just done, and releases it if there is nothing to do now. Before an order it also takes the set lease, checks that the CA
 * has not asked to wait and that the limits allow the order, and takes a token from the bucket of the CA. An empty bucket stops no order here,
 * because *Select due certificates* has respected it.
 *
 * After an error the lease is kept. *Record failure* needs it to count the failure and to save the time of the next attempt, and releases it.
 *
 * For a certificate that is not configured it decides about leftover TXT values only.
 *
 * The first run of a restart only returns the certificate that the interrupted execution names, so that a failure of the next run is recorded for it.
 *
 * A second run finds its own leases and returns the same decision, so it is safe to run twice.
 */
export async function checkRenewal(input: CheckRenewalInput, ports: CheckRenewalPorts): Promise<CheckRenewalOutput> {
  const { stillRuns, ...request } = await requestOf(input, ports);
  const run = { ...input, ...request };
  const { certificate, restartOf } = run;
  const configured = specOf(ports.config, certificate) ?? null;

  const waiting = (decision: BoundedDecision) => ({
    ...emptyOutput,
    waitStarts: run.waitStarts,
    ...decision,
    certificate,
    spec: null,
  });
  if (restartOf && stillRuns)
    return waiting(whileInterruptedExecutionRuns(restartOf, run.waitStarts, ports.clock.now()));
  if (restartOf && configured && input.certificate !== certificate)
    return waiting({ action: 'wait', wait: 1, reason: 'the interrupted execution has named its certificate' });
  if (!configured) return waiting(await checkUnconfigured(run, ports));
  const holder = await acquireLease({ certificate }, run, ports);
  if (holder) return waiting(whileCertificateLeaseIsTaken(holder, run, ports.clock.now()));
  const situation = await situationOf(configured, run, ports);
  const decision = await decide(situation, run, ports);
  await applyDecision(decision, situation, run, ports);
  return {
    ...emptyOutput,
    waitStarts: run.waitStarts,
    ...decision,
    announced: situation.record.announcedVersion ?? null,
    certificate,
    ...(await outputFor(decision, situation, ports)),
  };
}

/**
 * Reads the request from the input of this execution, or for a restart from that of the interrupted execution. `stillRuns` is true while
 * DescribeExecution does not show the end of the interrupted execution.
 *
 * @throws InvalidInputError if the input is invalid, or if it names an execution that was not interrupted
 */
async function requestOf(
  { request, execution }: Pick<CheckRenewalInput, 'request' | 'execution'>,
  { executions }: Pick<LeasePorts, 'executions'>,
): Promise<RenewalRequest & { readonly stillRuns: boolean }> {
  const interrupted = interruptedExecution(request);
  if (interrupted === null) return { ...parseRequest(request), stillRuns: false };
  assertSameWorkflow(interrupted, execution);
  const description = (await executions.describe(interrupted)) ?? throwUnknownExecution(interrupted);
  const { input } = description;
  return { ...parseRestart(interrupted, input), stillRuns: interruptionOf(interrupted, description) === 'running' };
}

/** The output without the fields that only some actions have. */
const emptyOutput = {
  wait: 0,
  waitStarts: {},
  current: null,
  announced: null,
  leftovers: [],
  unremovable: [],
  reportDue: false,
  order: null,
  replaces: null,
  challengeZones: [],
  account: null,
};

/** Records what the clean-up has done, then reads the situation. */
async function situationOf(spec: CertificateSpec, run: CheckRun, ports: CheckRenewalPorts): Promise<RenewalSituation> {
  await recordCleanUp(run, ports);
  return renewalSituation(spec, { ...run, checkInterval: ports.config.checkInterval }, ports);
}

/** Decides, and takes the set lease before an order. If another execution orders for the same names, this one waits and holds no lease. */
async function decide(situation: RenewalSituation, run: CheckRun, ports: CheckRenewalPorts): Promise<BoundedDecision> {
  const now = ports.clock.now();
  if (run.cleanUp) return cleanUpOnly(situation);
  const decision = decideRenewal(situation, now);
  if (decision.action === 'wait')
    return whileRenewalTimeIsAhead(decision, run.waitStarts, ports.config.checkInterval, now);
  if (decision.action !== 'issue' && decision.action !== 'resume') return decision;
  const holder = await acquireLease({ set: situation.spec.setHash }, run, ports);
  if (!holder) return decision;
  return whileSetLeaseIsTaken(holder.execution, run.waitStarts, situation.record.current, now);
}

/** Removes a failure and a finding that are resolved, releases leases that are not needed, and checks and counts before an order. */
async function applyDecision(
  decision: Decision,
  situation: RenewalSituation,
  { certificate, execution, cleanUp }: CheckRun,
  ports: CheckRenewalPorts,
): Promise<void> {
  const { ledger, clock } = ports;
  const { action } = decision;
  assertWaitLeft(certificate, decision);
  const { record, storedVersion } = situation;
  // The secret was changed again since the comparison, so what that found must not start another execution.
  if (record.outside && record.outside.storedVersion !== storedVersion)
    await ledger.dropOutsideChanges(certificate, execution);
  // Endpoint checks and sharing come after the renewal and are not part of it.
  const renewed = action === 'none' || action === 'checkEndpoints' || action === 'share';
  if (renewed && record.failure && !cleanUp && !postponedReason(situation, clock.now())) {
    const renewalTime = nextRenewal(record);
    await ledger.recordSuccess(certificate, execution, { renewalTime, announcedVersion: null });
  }
  if (action === 'none' || action === 'wait' || action === 'checkEndpoints')
    await ledger.release(certificate, execution);
  if (action !== 'issue' && action !== 'resume') return;
  const { issuer } = situation.spec;
  assertCaNotBusy(situation, await ledger.busyReply(issuer.directoryUrl), clock.now());
  if (action !== 'issue') return;
  await assertWithinLimits(situation, ports).catch(async (error: unknown) => {
    // Without the lease *Record failure* records nothing. Our own limit is no failure of a certificate that nothing but the operator renews.
    if (error instanceof IssueCapError && isOnlyForced(situation, clock.now()))
      await ledger.release(certificate, execution);
    throw error;
  });
  if (issuer.newOrders && isCountedOrder(situation.spec, situation.record, clock.now()))
    await ledger.debitOrder(issuer.directoryUrl, execution, issuer.newOrders, clock.now());
}

/** Tells whether the certificate would not be ordered now without `force`. */
function isOnlyForced(situation: RenewalSituation, now: Date): boolean {
  return situation.force && decideRenewal({ ...situation, force: false }, now).action !== 'issue';
}

/** Returns the fields that the states after the action need. */
async function outputFor(
  { action }: Decision,
  { spec, record }: RenewalSituation,
  ports: CheckRenewalPorts,
): Promise<Pick<CheckRenewalOutput, 'spec'> & Partial<CheckRenewalOutput>> {
  const { config, ledger } = ports;
  const forZones = async () => ({
    challengeZones: zonesForState(spec, config.hostedZones),
    account: await ledger.account(spec.issuer.directoryUrl),
  });
  switch (action) {
    case 'deliver':
    case 'announce':
    case 'checkEndpoints':
      return { spec, current: record.current };
    case 'clean':
      return { spec, ...leftoversFor(record, ports) };
    case 'resume':
      return { spec, ...(await forZones()), order: orderOf(record), leftovers: leftoversFor(record, ports).leftovers };
    case 'issue':
      return { spec, ...(await forZones()), replaces: replacedCertificate(spec, record.current) };
    default:
      return { spec };
  }
}

async function assertWithinLimits(
  { spec, record }: RenewalSituation,
  { ledger, clock }: CheckRenewalPorts,
): Promise<void> {
  const now = clock.now();
  const { issuer, identifiers } = spec;
  const [issues, failures] = await Promise.all([
    ledger.issues(spec.setHash, now),
    ledger.identifierFailures(issuer.directoryUrl, identifiers, now),
  ]);
  assertIssueCap(spec, issues, record, now);
  assertValidationLimit(spec, failures, now);
}

const orderOf = ({ order }: LedgerCertificate): OrderReference | null =>
  order && { url: order.url, finalize: order.finalize, expires: order.expires };
