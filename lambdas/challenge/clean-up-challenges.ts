import type { LeftoverValue, TxtValue } from '../domain/contract/certificate-facts.ts';
import { RecordSetContentionError, ThrottledError, ZoneNotFoundError } from '../domain/contract/errors.ts';
import type { CleanUpChallengesInput, CleanUpChallengesOutput } from '../domain/contract/steps.ts';
import type { HostedZonesAs } from '../domain/ports/hosted-zones.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { byZone, challengeValues, mostReported, reportOf, withoutValues } from '../domain/rules/proof/txt-set.ts';
import { swapRecordSets } from './swap-record-sets.ts';

/**
 * Removes the TXT values of this stack from their record sets. It runs after the proof of control has succeeded or failed, and also if the proof
 * never began. Values of other writers stay. Those that are values of a dns-01 challenge are logged, because they may be leftovers that a lost
 * ledger no longer lists.
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
  const failed: LeftoverValue[] = [];
  let retryable: RecordSetContentionError | ThrottledError | undefined;
  for (const { hostedZoneId, role, names } of byZone(records)) {
    const inZone = records.filter((each) => each.hostedZoneId === hostedZoneId);
    const others = new Map<string, readonly string[]>();
    try {
      await swapRecordSets(
        hostedZoneId,
        [...names.keys()],
        (before, name) => {
          const own = names.get(name) ?? [];
          others.set(name, challengeValues(before, own));
          return withoutValues(before, own);
        },
        { hostedZones: hostedZonesAs(role), clock },
      );
      removed.push(...inZone);
      logOthers(hostedZoneId, others, log);
    } catch (error) {
      if (error instanceof RecordSetContentionError || error instanceof ThrottledError) retryable = error;
      else if (error instanceof ZoneNotFoundError) removed.push(...inZone);
      else {
        failed.push(...reportOf(inZone, error instanceof Error ? error.message : String(error)));
        log.error(`TXT values could not be removed from hosted zone ${hostedZoneId}. The next run tries again.`, {
          error,
        });
      }
    }
  }
  if (retryable) throw retryable; // Thrown after the other zones are clean. The workflow retries the step.
  return { removed, failed: failed.slice(0, mostReported) };
}

/** Logs values of other writers. The log has ten values of each record set at most, because a record set may have 400. */
function logOthers(hostedZoneId: string, others: ReadonlyMap<string, readonly string[]>, log: StepLog): void {
  for (const [name, values] of others) {
    if (values.length === 0) continue;
    log.warn(
      `The ledger item does not list ${values.length} TXT values at ${name} in hosted zone ${hostedZoneId}: ${values.slice(0, 10).join(', ')}. They were not removed, because another certificate or program may use them. If this repeats, remove them by hand.`,
    );
  }
}
