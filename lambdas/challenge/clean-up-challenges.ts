import type { TxtValue } from '../domain/contract/certificate-facts.ts';
import { RecordSetContentionError, ThrottledError, ZoneNotFoundError } from '../domain/contract/errors.ts';
import type { CleanUpChallengesInput, CleanUpChallengesOutput } from '../domain/contract/steps.ts';
import type { HostedZonesAs } from '../domain/ports/hosted-zones.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { byZone, withoutValues } from '../domain/rules/proof/txt-set.ts';
import { swapRecordSets } from './swap-record-sets.ts';

/**
 * Takes our values out of the TXT record sets, whatever happened before: the proof succeeded, failed, or never began. Foreign values
 * stay. One zone that cannot be cleaned, because its role cannot be assumed any more say, does not stop the others; the ledger keeps what
 * is left, and the next run tries again.
 * A zone that no longer exists took its values with it.
 *
 * A value that is gone counts as removed, so running it twice is running it once.
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
  let later: RecordSetContentionError | ThrottledError | undefined;
  for (const { hostedZoneId, role, names } of byZone(records)) {
    const gone = () => removed.push(...records.filter((each) => each.hostedZoneId === hostedZoneId));
    try {
      await swapRecordSets(
        hostedZoneId,
        [...names.keys()],
        (before, name) => withoutValues(before, names.get(name) ?? []),
        { hostedZones: hostedZonesAs(role), clock },
      );
      gone();
    } catch (error) {
      if (error instanceof RecordSetContentionError || error instanceof ThrottledError) later = error;
      else if (error instanceof ZoneNotFoundError) gone();
      else log.error(`TXT values stay in hosted zone ${hostedZoneId} until the next run`, { error });
    }
  }
  if (later) throw later; // the workflow retries, once the other zones are clean
  return { removed };
}
