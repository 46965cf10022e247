import type { Executions } from '../domain/ports/executions.ts';
import type { LeaseHolder, LeaseKey, Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { isLeaseFree } from '../domain/rules/renewal/lease.ts';

export interface LeasePorts {
  readonly ledger: Ledger;
  readonly executions: Executions;
  readonly clock: Clock;
}

/**
 * Takes a lease. The lease of an execution that has ended without releasing it is free. Returns `null` on success, otherwise the holder. The
 * execution that this run restarts counts as ended, because *Check renewal* has seen its end.
 */
export async function acquireLease(
  key: LeaseKey,
  run: { readonly certificate: string; readonly execution: string; readonly restartOf: string | null },
  { ledger, executions, clock }: LeasePorts,
): Promise<LeaseHolder | null> {
  const now = clock.now();
  const holder = await ledger.takeLease(key, run, now);
  if (!holder) return null;
  const status = holder.execution === run.restartOf ? 'ended' : await executions.status(holder.execution);
  return isLeaseFree(status, holder.since, now) ? ledger.takeLease(key, run, now, holder.execution) : holder;
}
