import type { TxtValue } from '../domain/contract/certificate-facts.ts';
import { RecordSetContentionError, ThrottledError, ZoneNotFoundError } from '../domain/contract/errors.ts';
import type { CleanUpChallengesInput, CleanUpChallengesOutput } from '../domain/contract/steps.ts';
import type { HostedZonesAs } from '../domain/ports/hosted-zones.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { byZone, withoutValues } from '../domain/rules/proof/txt-set.ts';
import { swapRecordSets } from './swap-record-sets.ts';

/**
 * Removes the TXT values of this stack from their record sets. It runs after the proof of control has succeeded or failed, and also if the proof
 * never began. Values of other writers stay.
 *
 * A zone that cannot be cleaned, for example because its role cannot be assumed, does not stop the others. The ledger keeps its values, and the
 * next run tries again. If a zone no longer exists, its values count as removed.
 *
 * A missing value also counts as removed, so the step is safe to run twice.
 */
export async function cleanUpChallenges(
  { records }: CleanUpChallengesInput,
  {
    hostedZonesAs,
    clock,
    log,
  }: { readonly hostedZonesAs: HostedZonesAs; readonly clock: Clock; readonly log: StepLog },
): Promise<CleanUpChallengesOutput> {
  const removed: TxtValue[] = [];
  let retryable: RecordSetContentionError | ThrottledError | undefined;
  for (const { hostedZoneId, role, names } of byZone(records)) {
    const countAsRemoved = () => removed.push(...records.filter((each) => each.hostedZoneId === hostedZoneId));
    try {
      await swapRecordSets(
        hostedZoneId,
        [...names.keys()],
        (before, name) => withoutValues(before, names.get(name) ?? []),
        { hostedZones: hostedZonesAs(role), clock },
      );
      countAsRemoved();
    } catch (error) {
      if (error instanceof RecordSetContentionError || error instanceof ThrottledError) retryable = error;
      else if (error instanceof ZoneNotFoundError) countAsRemoved();
      else
        log.error(`TXT values could not be removed from hosted zone ${hostedZoneId}. The next run tries again.`, {
          error,
        });
    }
  }
  if (retryable) throw retryable; // Thrown after the other zones are clean. The workflow retries the step.
  return { removed };
}
