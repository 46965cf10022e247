import type { DeployedConfig } from '../domain/contract/config.ts';
import { UnknownCertificateError } from '../domain/contract/errors.ts';
import type { RenewalRequest } from '../domain/contract/renewal-request.ts';
import type { CheckRenewalInput, CheckRenewalOutput } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { LedgerCertificate } from '../domain/ports/ledger-certificate.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { inZones, outsideZones, reportOf, withRoles } from '../domain/rules/proof/txt-set.ts';
import { cleanUpOnly, isReportDue } from '../domain/rules/renewal/renewal-decision.ts';
import { type BoundedDecision, whileCertificateLeaseIsTaken } from '../domain/rules/renewal/renewal-waits.ts';
import { acquireLease, type LeasePorts } from './leases.ts';

interface LeftoverPorts {
  readonly ledger: Pick<Ledger, 'removeLeftovers' | 'recordLeftoversReported'>;
  readonly config: Pick<DeployedConfig, 'hostedZones'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Records in the ledger what the clean-up has done. Values that are no longer in DNS are removed. So are values in hosted zones that are no longer
 * configured, once the operator was notified of them, because this stack can never remove them.
 */
export async function recordCleanUp(
  { certificate, execution, removed, reported }: CheckRenewalInput & Pick<RenewalRequest, 'certificate'>,
  { ledger, config, clock }: LeftoverPorts,
): Promise<void> {
  if (removed.length > 0) await ledger.removeLeftovers(certificate, removed);
  if (reported.length === 0) return;
  const forgotten = outsideZones(reported, config.hostedZones);
  await ledger.recordLeftoversReported(certificate, execution, clock.now(), forgotten);
}

/** Returns what *Clean up leftover challenges* removes, and what it cannot remove. */
export function leftoversFor(
  record: LedgerCertificate,
  { config: { hostedZones }, clock }: Omit<LeftoverPorts, 'ledger'>,
): Pick<CheckRenewalOutput, 'leftovers' | 'unremovable' | 'reportDue'> {
  const { leftovers } = record;
  return {
    leftovers: withRoles(inZones(leftovers, hostedZones), hostedZones),
    unremovable: reportOf(outsideZones(leftovers, hostedZones), 'Its hosted zone is no longer configured.'),
    reportDue: isReportDue(record, clock.now()),
  };
}

/** The result for a certificate that is not configured. */
type LeftoverCheck = BoundedDecision & Partial<CheckRenewalOutput>;

/**
 * Decides for a certificate that is not configured. What its ledger item lists was written by this stack, so its TXT values are removed, and nothing
 * else is done.
 *
 * @throws UnknownCertificateError if it has left no TXT values, unless this execution has removed them or continues another one
 */
export async function checkUnconfigured(
  run: CheckRenewalInput & RenewalRequest,
  ports: LeasePorts & LeftoverPorts & { readonly config: DeployedConfig },
): Promise<LeftoverCheck> {
  const { certificate, execution, cleaned, cleanUp, restartOf, waitStarts } = run;
  const { ledger, config, clock } = ports;
  const before = await ledger.certificate(certificate);
  const isExpected = cleaned || cleanUp || restartOf !== null;
  if (before.leftovers.length === 0 && !isExpected) throwUnknown(certificate, config);
  if (before.leftovers.length > 0) {
    const holder = await acquireLease({ certificate }, run, ports);
    if (holder) return whileCertificateLeaseIsTaken(holder, run, clock.now());
    await recordCleanUp(run, ports);
  }
  const record = await ledger.certificate(certificate);
  const decision = cleanUpOnly({ record, cleaned });
  if (decision.action === 'none') await ledger.release(certificate, execution);
  const reason = `the certificate is not configured, and ${decision.reason}`;
  return { ...decision, reason, waitStarts, ...(decision.action === 'clean' && leftoversFor(record, ports)) };
}

function throwUnknown(certificate: string, { certificates }: DeployedConfig): never {
  const names = certificates.slice(0, 10).map(({ name }) => name);
  throw new UnknownCertificateError({
    what: 'The deployed configuration has no certificate of this name.',
    why: `Its certificates are: ${names.join(', ')}${certificates.length > 10 ? ', …' : '.'}`,
    remedy: 'Check the name, or deploy the configuration that has it.',
    certificate,
  });
}
