import type { CheckFleetInput, CheckFleetOutput, DeployedConfig } from '../rules/contract.ts';
import { minimumDaysToExpiry, selectDue } from '../rules/fleet.ts';
import { emptyRecord } from '../rules/ledger-record.ts';
import type { Clock, FleetMetrics, Ledger } from '../rules/ports.ts';
import { batchNames, specOf } from '../rules/spec.ts';

export interface CheckFleetPorts {
  readonly config: DeployedConfig;
  readonly ledger: Ledger;
  readonly metrics: FleetMetrics;
  readonly clock: Clock;
}

/**
 * Which of up to a hundred certificates are due. One BatchGetItem; no secret and no CA is asked, so looking costs next to nothing
 * and what a renewal finds out it finds out itself.
 *
 * Only reads, so running it twice is running it once.
 */
export async function checkFleet(
  { batch, batches, execution }: CheckFleetInput,
  { config, ledger, metrics, clock }: CheckFleetPorts,
): Promise<CheckFleetOutput> {
  const names = batchNames(config, batch);
  const records = await ledger.certificates(names);
  const members = names.flatMap((name) => {
    const spec = specOf(config, name);
    return spec ? [{ spec, record: records.get(name) ?? emptyRecord }] : [];
  });
  const now = clock.now();
  const output = selectDue(members, { batches, execution }, now);
  metrics.fleet({
    Certificates: members.length,
    Due: output.due.length,
    Postponed: output.postponed,
    Failing: members.filter(({ record }) => record.failure !== null).length,
  });
  const days = minimumDaysToExpiry(members, now);
  if (days !== null) metrics.minimumDaysToExpiry(days);
  return output;
}
