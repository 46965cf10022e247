import type { FleetRun, ReleaseFleetLeaseOutput } from '../domain/contract/steps.ts';
import type { FleetLedger } from '../domain/ports/fleet-ledger.ts';

/**
 * Releases the lease of the fleet, unless another run began in the meantime and asked for one more selection.
 *
 * A second run finds the lease released, so it is safe to run twice. If the first run took the request, the second one releases the lease, and the
 * next fleet run selects what the request was for.
 */
export async function releaseFleetLease(
  { execution }: FleetRun,
  { fleetLedger }: { readonly fleetLedger: Pick<FleetLedger, 'release'> },
): Promise<ReleaseFleetLeaseOutput> {
  return { released: await fleetLedger.release(execution) };
}
