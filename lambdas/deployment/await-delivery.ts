import { AccessDeniedError, ThrottledError } from '../domain/contract/errors.ts';
import { readErrorOutput } from '../domain/contract/failure.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { LedgerCertificate } from '../domain/ports/ledger-certificate.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import type { ExecutionEnd, StateMachines } from '../domain/ports/state-machines.ts';
import { specHash } from '../domain/rules/certificate/certificate-spec.ts';
import type { CertificateRequestEvent, RequestedRenewal } from './request-renewal.ts';

export type AwaitDeliveryEvent = CertificateRequestEvent & RequestedRenewal;

export interface AwaitDeliveryPorts {
  readonly stateMachines: Pick<StateMachines, 'end'>;
  readonly ledger: Pick<Ledger, 'certificate'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** The reply that CDK's Provider framework expects. */
export interface Completion {
  readonly IsComplete: boolean;
  readonly Data?: { readonly Arn: string };
}

/** Fails the deployment. CloudFormation shows the reason, with the ARN of the execution if there is one. */
export class NotDeliveredError extends Error {
  override readonly name = 'NotDeliveredError';
  /** ARN of the execution, or `null` if none was started. */
  readonly execution: string | null;

  constructor(reason: string, execution: string | null) {
    super(reason);
    this.execution = execution;
  }
}

/** Time in milliseconds in which IAM may not yet have propagated a permission of this deployment. A renewal waits equally long for its own. */
const permissionPropagation = 180_000;

/** Longest wait in milliseconds. The Provider framework stops one minute later, after 30 minutes, with "Operation timed out". */
const longestWait = 29 * 60_000;

/**
 * Tells whether ACM in this region has the certificate as it is configured, and returns its ARN. It does not wait for the rest of the execution,
 * which delivers to other regions and checks endpoints. If no execution was started, any earlier delivery is enough, because the fleet updates it.
 *
 * Read-only, so it is safe to run twice.
 *
 * @throws NotDeliveredError with the error of the renewal, if the execution has ended without a delivery or takes more than 29 minutes
 */
export async function awaitDelivery(event: AwaitDeliveryEvent, ports: AwaitDeliveryPorts): Promise<Completion> {
  if (event.RequestType === 'Delete') return { IsComplete: true };
  const { stateMachines, ledger, clock } = ports;
  const waited = clock.now().getTime() - Date.parse(event.RequestedAt);
  try {
    const { Certificate: certificate, Region: region } = event.ResourceProperties;
    if (event.ExecutionArn === null) {
      const delivery = (await ledger.certificate(certificate)).deliveries[region];
      if (delivery) return { IsComplete: true, Data: { Arn: delivery.arn } };
      throw new NotDeliveredError(
        `Certificate ${certificate} has no ARN in ${region} yet. The ledger has no delivery to this region. Start its renewal (output StartRenewal), then deploy again.`,
        null,
      );
    }
    // The end is read before the ledger, so that a delivery between the two reads is noticed.
    const end = await stateMachines.end(event.ExecutionArn);
    const record = await ledger.certificate(certificate);
    const arn = deliveredArn(event, record, clock.now());
    if (arn) return { IsComplete: true, Data: { Arn: arn } };
    if (end) throw new NotDeliveredError(reasonOf(event, end, record), event.ExecutionArn);
  } catch (error) {
    const temporary =
      error instanceof ThrottledError || (error instanceof AccessDeniedError && waited < permissionPropagation);
    if (!temporary) throw error;
  }
  if (waited > longestWait) throw new NotDeliveredError(stillRunning(event), event.ExecutionArn);
  return { IsComplete: false };
}

/** Returns the ARN of the delivery in this region, if the delivered certificate is current, as configured and not expired. */
function deliveredArn(
  { ResourceProperties: { Region: region, SpecHashes: configured } }: AwaitDeliveryEvent,
  { current, deliveries }: LedgerCertificate,
  now: Date,
): string | null {
  const delivery = deliveries[region];
  if (!current || !delivery || delivery.versionId !== current.versionId) return null;
  return configured.includes(specHash(current)) && Date.parse(current.notAfter) > now.getTime() ? delivery.arn : null;
}

/** Returns why the execution has ended without a delivery. This is its own error, or the failure that an earlier execution recorded. */
function reasonOf(
  { ResourceProperties: { Certificate: certificate, Region: region } }: AwaitDeliveryEvent,
  { status, error, cause, output }: ExecutionEnd,
  { failure }: LedgerCertificate,
): string {
  const named = `The renewal of certificate ${certificate}`;
  switch (status) {
    case 'FAILED': {
      const report = readErrorOutput({ Error: error, Cause: cause });
      return `${report.error}: ${report.sentence}`;
    }
    case 'ABORTED':
      return `${named} was stopped before the certificate was delivered to ${region}. It restarts automatically. Deploy again when it has ended.`;
    case 'TIMED_OUT':
      return `${named} timed out before the certificate was delivered to ${region}. It restarts automatically. Deploy again when it has ended.`;
    default: {
      const ended = `${named} ended without a delivery to ${region}: ${reasonIn(output)}.`;
      return failure ? `${failure.error}: ${failure.cause} ${ended}` : ended;
    }
  }
}

/** Returns the reason in the output of *Nothing to do*. */
function reasonIn(output: unknown): string {
  const { reason } = (output ?? {}) as { readonly reason?: unknown };
  return typeof reason === 'string' ? reason : 'it gave no reason';
}

const stillRunning = ({ ResourceProperties: { Certificate: certificate } }: AwaitDeliveryEvent) =>
  `The renewal of certificate ${certificate} has not ended after ${longestWait / 60_000} minutes. CloudFormation does not wait longer. Deploy again when it has ended.`;
