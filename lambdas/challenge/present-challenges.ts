import type { PendingChange, PresentChallengesInput, PresentChallengesOutput } from '../domain/contract/steps.ts';
import type { HostedZonesAs } from '../domain/ports/hosted-zones.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { byZone, withValues } from '../domain/rules/proof/txt-set.ts';
import { swapRecordSets } from './swap-record-sets.ts';

/**
 * Adds our values to the TXT record sets, one change batch a zone. RFC 8555 §8.4. An apex and its wildcard share a name and
 * become one set of two values; what others have there stays.
 *
 * A zone that fails ends the step with its error. What went into the others before is in the ledger and is removed by *Clean up*.
 *
 * Safe to run twice: a set that has our values already is written once more, the same to the byte. What a run before this one wrote may not
 * be everywhere yet, and the id of its change may be lost with its reply; only a change with an id can be waited for until it is INSYNC.
 */
export async function presentChallenges(
  { records }: PresentChallengesInput,
  { hostedZonesAs, clock }: { readonly hostedZonesAs: HostedZonesAs; readonly clock: Clock },
): Promise<PresentChallengesOutput> {
  const changes: PendingChange[] = [];
  for (const { hostedZoneId, role, names } of byZone(records)) {
    const ids = await swapRecordSets(
      hostedZoneId,
      [...names.keys()],
      (before, name) => {
        const after = withValues(name, before, names.get(name) ?? []) ?? before;
        return after && { name: after.name, before, after };
      },
      { hostedZones: hostedZonesAs(role), clock },
    );
    changes.push(...ids.map((id) => ({ hostedZoneId, ...(role && { role }), id })));
  }
  return { changes };
}
