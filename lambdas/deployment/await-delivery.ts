import { AccessDeniedError, ThrottledError } from '../domain/contract/errors.ts';
import { readErrorOutput } from '../domain/contract/failure.ts';
import type { Ledger, LedgerCertificate } from '../domain/ports/ledger.ts';
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

/** What the Provider framework asks for. */
export interface Completion {
  readonly IsComplete: boolean;
  readonly Data?: { readonly Arn: string };
}

/** The deployment fails for this reason, which CloudFormation shows with the execution, where there was one. */
export class NotDeliveredError extends Error {
  override readonly name = 'NotDeliveredError';
  /** ARN. */
  readonly execution: string | null;

  constructor(reason: string, execution: string | null) {
    super(reason);
    this.execution = execution;
  }
}

/** Milliseconds in which a permission of this deployment may still be on its way: as long as the renewal waits for its own. */
const settling = 180_000;

/** Milliseconds: a minute before the framework gives up after thirty with "Operation timed out". */
const longestWait = 29 * 60_000;

/**
 * Whether ACM in this region has the certificate that is configured, and its ARN. True as soon as it is there, whatever the execution
 * does besides: other regions, a look at the servers. Once the execution has ended without it, the renewal's own error is thrown. Where
 * none was started, what was delivered last will do: the fleet makes it as configured.
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
        `The ledger knows no delivery of certificate ${certificate} to ${region}, so there is no ARN to give. Start its renewal (output StartRenewal), then deploy again.`,
        null,
      );
    }
    // The end first: what is delivered in between is then seen.
    const end = await stateMachines.end(event.ExecutionArn);
    const record = await ledger.certificate(certificate);
    const arn = deliveredArn(event, record, clock.now());
    if (arn) return { IsComplete: true, Data: { Arn: arn } };
    if (end) throw new NotDeliveredError(reasonOf(event, end, record), event.ExecutionArn);
  } catch (error) {
    const passes = error instanceof ThrottledError || (error instanceof AccessDeniedError && waited < settling);
    if (!passes) throw error;
  }
  if (waited > longestWait) throw new NotDeliveredError(stillRunning(event), event.ExecutionArn);
  return { IsComplete: false };
}

/** Of the delivery in this region, where it is the current certificate, as configured and not expired. */
function deliveredArn(
  { ResourceProperties: { Region: region, SpecHashes: configured } }: AwaitDeliveryEvent,
  { current, deliveries }: LedgerCertificate,
  now: Date,
): string | null {
  const delivery = deliveries[region];
  if (!current || !delivery || delivery.versionId !== current.versionId) return null;
  return configured.includes(specHash(current)) && Date.parse(current.notAfter) > now.getTime() ? delivery.arn : null;
}

/** Why there is no delivery though the execution has ended: its own error, or what an execution before it has recorded. */
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
      return `${named} was stopped before it was delivered to ${region}. It is started again by itself: deploy again when it has ended.`;
    case 'TIMED_OUT':
      return `${named} ran out of time before it was delivered to ${region}. It is started again by itself: deploy again when it has ended.`;
    default: {
      const ended = `${named} ended without a delivery to ${region}: ${reasonIn(output)}.`;
      return failure ? `${failure.error}: ${failure.cause} ${ended}` : ended;
    }
  }
}

/** *Nothing to do* says why. */
function reasonIn(output: unknown): string {
  const { reason } = (output ?? {}) as { readonly reason?: unknown };
  return typeof reason === 'string' ? reason : 'it gave no reason';
}

const stillRunning = ({ ResourceProperties: { Certificate: certificate } }: AwaitDeliveryEvent) =>
  `The renewal of certificate ${certificate} has not ended after ${longestWait / 60_000} minutes, and CloudFormation does not wait longer. Deploy again when it has ended.`;
