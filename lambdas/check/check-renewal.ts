import type { OrderReference } from '../domain/contract/certificate-facts.ts';
import type { CertificateSpec, DeployedConfig } from '../domain/contract/config.ts';
import { UnknownCertificateError } from '../domain/contract/errors.ts';
import { parseRequest } from '../domain/contract/renewal-request.ts';
import type { CheckRenewalInput, CheckRenewalOutput } from '../domain/contract/steps.ts';
import type { LedgerCertificate } from '../domain/ports/ledger.ts';
import { specOf } from '../domain/rules/certificate/certificate-spec.ts';
import { withRoles } from '../domain/rules/proof/txt-set.ts';
import { assertIssueCap, assertValidationLimit } from '../domain/rules/renewal/issue-cap.ts';
import {
  type Decision,
  decideRenewal,
  type RenewalSituation,
  replacedCertificate,
  retryNotBeforeReason,
} from '../domain/rules/renewal/renewal-decision.ts';
import { acquireLease, type LeasePorts } from './leases.ts';
import { renewalSituation, type SituationPorts } from './renewal-situation.ts';

export interface CheckRenewalPorts extends LeasePorts, SituationPorts {
  readonly ledger: SituationPorts['ledger'];
  readonly config: DeployedConfig;
}

/** Seconds: a twin that issues the same names is asked for each minute. */
const twinWait = 60;
/** Seconds. A deployment that meets a renewal at work waits for its end: 150 times is 25 minutes, of the 30 that it may take. */
const deployWait = 10;
const mostDeployWaits = 150;
/** For a twin an hour. The CA's second may move each time it is asked for: as often. */
const mostWaits = 60;

/**
 * Is there anything to do for this certificate, and may this execution do it? Takes the certificate's lease first and looks then, so
 * that what another execution has just done is seen; gives it back when there is nothing to do, or nothing yet. Ordering takes the
 * lease of the identifier set as well, and keeps to the limits that the ledger counts.
 *
 * Run twice, it finds its own leases and comes to the same answer.
 */
export async function checkRenewal(input: CheckRenewalInput, ports: CheckRenewalPorts): Promise<CheckRenewalOutput> {
  const { ledger, config, clock } = ports;
  const { certificate, force, restartOf, deploy } = parseRequest(input.request);
  const { execution } = input;
  const configured = specOf(config, certificate) ?? unknown(certificate, config);
  const answer = { ...nothing, certificate };

  const holder = await acquireLease({ certificate }, { certificate, execution, restartOf }, ports);
  if (holder) {
    const waits = deploy && input.waits < mostDeployWaits;
    const next = waits ? { action: 'wait' as const, wait: deployWait } : { action: 'none' as const };
    return { ...answer, ...next, spec: configured, reason: `in progress by ${holder}` };
  }
  const { checkInterval, hostedZones } = config;
  const asked = { ...input, force, restartOf, deploy, checkInterval, hostedZones };
  const { situation, decision } = await lookAndDecide(configured, asked, ports).catch(async (error: unknown) => {
    await ledger.release(certificate, execution);
    throw error;
  });

  const { spec, record } = situation;
  const waitedEnough = input.waits >= mostWaits; // then `none` says nothing about the certificate
  const { action } = decision;
  // Endpoints, readers and replicas come last, and are no part of the renewal.
  const nothingToDo = action === 'checkEndpoints' || action === 'share' || (action === 'none' && !waitedEnough);
  if (nothingToDo && record.failure && !retryNotBeforeReason(situation, clock.now())) {
    await ledger.recordSuccess(certificate, execution); // what failed is of no use any more
  }
  if (action === 'none' || action === 'wait' || action === 'checkEndpoints')
    await ledger.release(certificate, execution);
  // A limit keeps the lease: *Record failure* needs it to write until when nothing is tried, and gives it back.
  if (action === 'issue') await assertWithinLimits(spec, ports);
  const ordering = action === 'issue' || action === 'resume';
  return {
    ...answer,
    ...decision,
    spec,
    current: action === 'deliver' || action === 'checkEndpoints' ? record.current : null,
    leftovers: action === 'clean' || action === 'resume' ? withRoles(record.leftovers, config.hostedZones) : [],
    order: action === 'resume' ? orderOf(record) : null,
    replaces: action === 'issue' ? replacedCertificate(spec, record.current) : null,
    challengeZones: ordering ? config.hostedZones : [],
    account: ordering ? await ledger.account(spec.issuer.directoryUrl) : null,
  };
}

/** An answer that asks for nothing. */
const nothing = {
  wait: 0,
  current: null,
  leftovers: [],
  order: null,
  replaces: null,
  challengeZones: [],
  account: null,
};

/** Two that order for the same names take turns: whoever has not the set's lease waits, holding nothing. */
async function lookAndDecide(
  configured: CertificateSpec,
  asked: Parameters<typeof renewalSituation>[1] & Pick<CheckRenewalInput, 'removed' | 'waits'>,
  ports: CheckRenewalPorts,
): Promise<{ readonly situation: RenewalSituation; readonly decision: Decision }> {
  const { name: certificate } = configured;
  if (asked.removed.length > 0) await ports.ledger.removeLeftovers(certificate, asked.removed);
  const situation = await renewalSituation(configured, asked, ports);
  const decision = decideRenewal(situation, ports.clock.now());
  if (decision.action === 'wait') return { situation, decision: bounded(decision, asked.waits) };
  if (decision.action !== 'issue' && decision.action !== 'resume') return { situation, decision };

  const run = { certificate, execution: asked.execution, restartOf: asked.restartOf };
  const twin = await acquireLease({ set: situation.spec.setHash }, run, ports);
  if (!twin) return { situation, decision };
  const reason = `the same names are being issued by ${twin}`;
  return { situation, decision: bounded({ action: 'wait', wait: twinWait, reason }, asked.waits) };
}

const bounded = (wait: Decision, waits: number): Decision =>
  waits < mostWaits
    ? wait
    : { action: 'none', wait: 0, reason: `${wait.reason}, after ${waits} waits; the next fleet run looks again` };

async function assertWithinLimits(spec: CertificateSpec, { ledger, clock }: CheckRenewalPorts): Promise<void> {
  const now = clock.now();
  const { issuer, identifiers } = spec;
  const [issues, failures] = await Promise.all([
    ledger.issues(spec.setHash, now),
    ledger.identifierFailures(issuer.directoryUrl, identifiers, now),
  ]);
  assertIssueCap(spec, issues, now);
  assertValidationLimit(spec, failures, now);
}

function orderOf({ order }: LedgerCertificate): OrderReference | null {
  return order && { url: order.url, finalize: order.finalize, expires: order.expires };
}

function unknown(certificate: string, { certificates }: DeployedConfig): never {
  const names = certificates.slice(0, 10).map(({ name }) => name);
  throw new UnknownCertificateError({
    what: `The deployed configuration has no certificate of this name, but ${names.join(', ')}${certificates.length > 10 ? ', …' : ''}.`,
    remedy: 'Check the name, or deploy the configuration that has it.',
    certificate,
  });
}
