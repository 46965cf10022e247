import type { CleanUpChallengesInput, CleanUpChallengesOutput, TxtValue } from '../rules/contract.ts';
import { RecordSetContentionError, ThrottledError, ZoneNotFoundError } from '../rules/errors.ts';
import type { Clock, HostedZones, StepLog } from '../rules/ports.ts';
import { byZoneAndName, withoutValues } from '../rules/txt-set.ts';
import { swapRecordSets } from './swap-record-sets.ts';

/**
 * Takes our values out of the TXT record sets, whatever happened before: the proof succeeded, failed, or never began. Foreign values
 * stay. One zone that cannot be cleaned does not stop the others; the ledger keeps what is left, and the next run tries again.
 * A zone that no longer exists took its values with it.
 *
 * A value that is gone counts as removed, so running it twice is running it once.
 */
export async function cleanUpChallenges(
  { records }: CleanUpChallengesInput,
  { hostedZones, clock, log }: { readonly hostedZones: HostedZones; readonly clock: Clock; readonly log: StepLog },
): Promise<CleanUpChallengesOutput> {
  const removed: TxtValue[] = [];
  let contended: RecordSetContentionError | undefined;
  for (const [hostedZoneId, names] of byZoneAndName(records)) {
    const gone = () => removed.push(...records.filter((each) => each.hostedZoneId === hostedZoneId));
    try {
      await swapRecordSets(
        hostedZoneId,
        [...names.keys()],
        (before, name) => withoutValues(before, names.get(name) ?? []),
        { hostedZones, clock },
      );
      gone();
    } catch (error) {
      if (error instanceof ThrottledError) throw error; // the workflow retries, and what is done stays done
      if (error instanceof RecordSetContentionError) contended = error;
      else if (error instanceof ZoneNotFoundError) gone();
      else log.error(`TXT values stay in hosted zone ${hostedZoneId} until the next run`, { error });
    }
  }
  if (contended) throw contended; // retried as well, once the other zones are clean
  return { removed };
}
