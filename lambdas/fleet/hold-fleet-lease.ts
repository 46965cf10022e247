import type { DeployedConfig } from '../domain/contract/config.ts';
import { RenewalsInProgressError } from '../domain/contract/errors.ts';
import type { HoldFleetLeaseInput } from '../domain/contract/steps.ts';
import type { Executions } from '../domain/ports/executions.ts';
import type { FleetLedger } from '../domain/ports/fleet-ledger.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { specOf } from '../domain/rules/certificate/certificate-spec.ts';
import { isLeaseFree } from '../domain/rules/renewal/lease.ts';

export interface HoldFleetLeasePorts {
  readonly config: DeployedConfig;
  readonly fleetLedger: Pick<FleetLedger, 'takeLease'>;
  readonly ledger: Pick<Ledger, 'certificates'>;
  readonly executions: Pick<Executions, 'status'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Takes the lease of the fleet for a change of an account key, so that no fleet run starts a renewal that signs with the key. Then it checks that no
 * renewal at the CA is in progress. The lease is kept if one is, so that no other begins while the workflow waits for it.
 *
 * A second run finds its own lease, so it is safe to run twice.
 *
 * @throws RenewalsInProgressError while a fleet run or a renewal at the CA is in progress
 */
export async function holdFleetLease(
  { execution, issuer }: HoldFleetLeaseInput,
  ports: HoldFleetLeasePorts,
): Promise<void> {
  const { config, fleetLedger, executions, clock } = ports;
  const now = clock.now();
  let holder = await fleetLedger.takeLease(execution, now);
  if (holder && isLeaseFree(await executions.status(holder.execution), holder.since, now))
    holder = await fleetLedger.takeLease(execution, now, holder.execution);
  if (holder) throw inProgress(`A fleet run works (${holder.execution}).`);
  const names = config.certificates.flatMap(({ name }) =>
    specOf(config, name)?.issuers.some(({ directoryUrl }) => directoryUrl === issuer.directoryUrl) ? [name] : [],
  );
  // BatchGetItem accepts 100 keys.
  for (let start = 0; start < names.length; start += 100) {
    const working = await inProgressOf(names.slice(start, start + 100), ports);
    if (working.length === 0) continue;
    const more = working.length > 10 ? ` and ${working.length - 10} more` : '';
    throw inProgress(`These are in progress: ${working.slice(0, 10).join(', ')}${more}.`);
  }
}

async function inProgressOf(
  names: readonly string[],
  { ledger, executions }: Pick<HoldFleetLeasePorts, 'ledger' | 'executions'>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [name, { lease }] of await ledger.certificates(names))
    if (lease && (await executions.status(lease)) === 'live') found.push(`${name} (${lease})`);
  return found;
}

const inProgress = (why: string) =>
  new RenewalsInProgressError({
    what: 'Nothing was changed, because renewals are in progress.',
    why,
    remedy: 'Start this request again after they have ended, or stop them.',
  });
