import type { Executions } from '../domain/ports/executions.ts';
import type { LeaseKey, Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';

/**
 * A lease of an execution that DescribeExecution does not know is free only ten minutes after it was taken: the answer is eventually
 * consistent for an execution that has just begun.
 */
const unknownFor = 600_000;

export interface LeasePorts {
  readonly ledger: Ledger;
  readonly executions: Executions;
  readonly clock: Clock;
}

/**
 * Takes the lease, also from an execution that has ended without giving it back. `null`: it is ours. Otherwise the ARN of the
 * execution that holds it. The end of the one that this
 * run restarts was told by an event, which may be ahead of what DescribeExecution says.
 */
export async function acquireLease(
  key: LeaseKey,
  run: { readonly certificate: string; readonly execution: string; readonly restartOf: string | null },
  { ledger, executions, clock }: LeasePorts,
): Promise<string | null> {
  const now = clock.now();
  const holder = await ledger.takeLease(key, run, now);
  if (!holder) return null;
  const status = holder.execution === run.restartOf ? 'ended' : await executions.status(holder.execution);
  const dead = status === 'ended' || (status === 'unknown' && now.getTime() - Date.parse(holder.since) > unknownFor);
  if (!dead) return holder.execution;
  const other = await ledger.takeLease(key, run, now, holder.execution);
  return other ? other.execution : null;
}
