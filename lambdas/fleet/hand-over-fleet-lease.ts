import { createHash } from 'node:crypto';
import type { FleetRun, HandOverFleetLeaseOutput } from '../domain/contract/steps.ts';
import type { FleetLedger } from '../domain/ports/fleet-ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';

export interface HandOverFleetLeasePorts {
  readonly fleetLedger: Pick<FleetLedger, 'handOver'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Passes the lease of the fleet to the execution that continues this one, before that execution is started. Step Functions allows 25,000 events in
 * the history of an execution. If the next execution is not started, its lease is free after ten minutes, as that of any unknown execution.
 *
 * The name of the next execution follows from the ARN of this one, and only the holder passes the lease on, so it is safe to run twice.
 */
export async function handOverFleetLease(
  { execution }: FleetRun,
  { fleetLedger, clock }: HandOverFleetLeasePorts,
): Promise<HandOverFleetLeaseOutput> {
  const executionName = `continued-${createHash('sha256').update(execution).digest('hex').slice(0, 32)}`;
  const stateMachine = execution.slice(0, execution.lastIndexOf(':'));
  await fleetLedger.handOver(execution, `${stateMachine}:${executionName}`, clock.now());
  return { executionName };
}
