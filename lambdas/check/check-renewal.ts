import type { OrderReference } from '../domain/contract/certificate-facts.ts';
import type { CertificateSpec, DeployedConfig } from '../domain/contract/config.ts';
import { UnknownCertificateError } from '../domain/contract/errors.ts';
import { parseRequest, type RenewalRequest } from '../domain/contract/renewal-request.ts';
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
import {
  boundedWait,
  hasReachedWaitLimit,
  whileCertificateLeaseIsTaken,
  whileSetLeaseIsTaken,
} from '../domain/rules/renewal/renewal-waits.ts';
import { acquireLease, type LeasePorts } from './leases.ts';
import { renewalSituation, type SituationPorts } from './renewal-situation.ts';

export interface CheckRenewalPorts extends LeasePorts, SituationPorts {
  readonly ledger: SituationPorts['ledger'];
  readonly config: DeployedConfig;
}

type Asked = CheckRenewalInput & RenewalRequest;

/**
 * Decides what to do for this certificate, and whether this execution may do it. The certificate's lease comes first, so that the
 * situation includes what another execution has just done. It is released when there is nothing to do, or nothing yet. Ordering takes the
 * lease of the identifier set too, and keeps to the limits that the ledger counts.
 *
 * Run twice, it finds its own leases and comes to the same answer.
 */
export async function checkRenewal(input: CheckRenewalInput, ports: CheckRenewalPorts): Promise<CheckRenewalOutput> {
  const asked = { ...input, ...parseRequest(input.request) };
  const { certificate, execution } = asked;
  const configured = specOf(ports.config, certificate) ?? unknown(certificate, ports.config);
  const releasing = async (error: unknown): Promise<never> => {
    await ports.ledger.release(certificate, execution);
    throw error;
  };

  const holder = await acquireLease({ certificate }, asked, ports);
  if (holder) return { ...nothing, ...whileCertificateLeaseIsTaken(holder, asked), certificate, spec: configured };
  const situation = await lookAt(configured, asked, ports).catch(releasing);
  const decision = await decide(situation, asked, ports).catch(releasing);
  await takeConsequences(decision, situation, asked, ports);
  return { ...nothing, ...decision, certificate, ...(await handedOver(decision, situation, ports)) };
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

/** The situation once what *Clean up* removed is out of the ledger. */
async function lookAt(spec: CertificateSpec, asked: Asked, ports: CheckRenewalPorts): Promise<RenewalSituation> {
  const { checkInterval, hostedZones } = ports.config;
  if (asked.removed.length > 0) await ports.ledger.removeLeftovers(asked.certificate, asked.removed);
  return renewalSituation(spec, { ...asked, checkInterval, hostedZones }, ports);
}

/** Two executions that order for the same names take turns: the one without the set lease waits, and holds nothing. */
async function decide(situation: RenewalSituation, asked: Asked, ports: CheckRenewalPorts): Promise<Decision> {
  const decision = decideRenewal(situation, ports.clock.now());
  if (decision.action === 'wait') return boundedWait(decision, asked.waits);
  if (decision.action !== 'issue' && decision.action !== 'resume') return decision;
  const holder = await acquireLease({ set: situation.spec.setHash }, asked, ports);
  return holder ? whileSetLeaseIsTaken(holder, asked.waits) : decision;
}

/** A failure that nothing is left of is forgotten, leases that are not needed are released, and an order keeps to the limits. */
async function takeConsequences(
  { action }: Decision,
  situation: RenewalSituation,
  { certificate, execution, waits }: Asked,
  ports: CheckRenewalPorts,
): Promise<void> {
  const { ledger, clock } = ports;
  // Endpoints, readers and replicas come last, and are no part of the renewal. After enough waits `none` says nothing about it.
  const renewed =
    action === 'checkEndpoints' || action === 'share' || (action === 'none' && !hasReachedWaitLimit(waits));
  if (renewed && situation.record.failure && !retryNotBeforeReason(situation, clock.now())) {
    await ledger.recordSuccess(certificate, execution);
  }
  if (action === 'none' || action === 'wait' || action === 'checkEndpoints')
    await ledger.release(certificate, execution);
  // A limit keeps the lease: *Record failure* needs it to write until when nothing is tried, and releases it.
  if (action === 'issue') await assertWithinLimits(situation.spec, ports);
}

/** What the states that follow the action need. */
async function handedOver(
  { action }: Decision,
  { spec, record }: RenewalSituation,
  { config: { hostedZones }, ledger }: CheckRenewalPorts,
): Promise<Pick<CheckRenewalOutput, 'spec'> & Partial<CheckRenewalOutput>> {
  const leftovers = () => withRoles(record.leftovers, hostedZones);
  const forZones = async () => ({
    challengeZones: hostedZones,
    account: await ledger.account(spec.issuer.directoryUrl),
  });
  switch (action) {
    case 'deliver':
    case 'checkEndpoints':
      return { spec, current: record.current };
    case 'clean':
      return { spec, leftovers: leftovers() };
    case 'resume':
      return { spec, ...(await forZones()), order: orderOf(record), leftovers: leftovers() };
    case 'issue':
      return { spec, ...(await forZones()), replaces: replacedCertificate(spec, record.current) };
    default:
      return { spec };
  }
}

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
