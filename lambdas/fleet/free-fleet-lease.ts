import type { FleetRun, FreeFleetLeaseOutput } from '../domain/contract/steps.ts';
import type { FleetLedger } from '../domain/ports/fleet-ledger.ts';

/** Requests for a selection that are removed before the lease is released. Each needs a fleet run that began in the meantime. */
const mostRequests = 5;

/**
 * Releases the lease of the fleet after a change of an account key. A fleet run that began in the meantime has ended as "already running" and asked
 * for a selection, so the workflow starts another one.
 *
 * A second run finds the lease released, so it is safe to run twice. If the first run removed the request, the next fleet run selects what the
 * request was for.
 */
export async function freeFleetLease(
  { execution }: FleetRun,
  { fleetLedger }: { readonly fleetLedger: Pick<FleetLedger, 'release'> },
): Promise<FreeFleetLeaseOutput> {
  for (let requests = 0; requests < mostRequests; requests += 1)
    if (await fleetLedger.release(execution)) return { selectionRequested: requests > 0 };
  // The execution ends soon, and then its lease is free.
  return { selectionRequested: true };
}
