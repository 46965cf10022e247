import type { FleetRun, TakeFleetLeaseOutput } from '../domain/contract/steps.ts';
import type { Executions } from '../domain/ports/executions.ts';
import type { FleetLedger } from '../domain/ports/fleet-ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { isLeaseFree } from '../domain/rules/renewal/lease.ts';

export interface TakeFleetLeasePorts {
  readonly fleetLedger: Pick<FleetLedger, 'takeLease' | 'requestSelection' | 'cursor'>;
  readonly executions: Pick<Executions, 'status'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Takes the lease of the fleet, so that one fleet run works at a time. The lease is valid while its execution runs. If another execution runs, this
 * one asks it to select again before it ends, because it may have begun with an older configuration.
 *
 * A second run finds its own lease, or asks again, so it is safe to run twice.
 */
export async function takeFleetLease(
  { execution }: FleetRun,
  { fleetLedger, executions, clock }: TakeFleetLeasePorts,
): Promise<TakeFleetLeaseOutput> {
  const now = clock.now();
  let holder = await fleetLedger.takeLease(execution, now);
  if (holder && !(await fleetLedger.requestSelection(holder.execution, now))) {
    // The other execution has released the lease in the meantime.
    holder = await fleetLedger.takeLease(execution, now);
  }
  if (holder && isLeaseFree(await executions.status(holder.execution), holder.since, now)) {
    holder = await fleetLedger.takeLease(execution, now, holder.execution);
  }
  return { holder: holder?.execution ?? null, after: holder ? null : await fleetLedger.cursor() };
}
