import type { PendingChange, PresentChallengesInput, PresentChallengesOutput } from '../rules/contract.ts';
import type { Clock, HostedZones } from '../rules/ports.ts';
import { byZoneAndName, withValues } from '../rules/txt-set.ts';
import { swapRecordSets } from './swap-record-sets.ts';

/**
 * Adds our values to the TXT record sets, one change batch a zone. RFC 8555 §8.4. An apex and its wildcard share a name and
 * become one set of two values; what others have there stays.
 *
 * A value that is there already needs no change, so running it twice is running it once.
 */
export async function presentChallenges(
  { records }: PresentChallengesInput,
  ports: { readonly hostedZones: HostedZones; readonly clock: Clock },
): Promise<PresentChallengesOutput> {
  const changes: PendingChange[] = [];
  for (const [hostedZoneId, names] of byZoneAndName(records)) {
    const ids = await swapRecordSets(
      hostedZoneId,
      [...names.keys()],
      (before, name) => {
        const after = withValues(name, before, names.get(name) ?? []);
        return after && { name: after.name, before, after };
      },
      ports,
    );
    changes.push(...ids.map((id) => ({ hostedZoneId, id })));
  }
  return { changes };
}
