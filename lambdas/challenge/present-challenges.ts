import type { PendingChange, PresentChallengesInput, PresentChallengesOutput } from '../domain/contract/steps.ts';
import type { HostedZonesAs } from '../domain/ports/hosted-zones.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { pollings } from '../domain/rules/proof/poll-wait.ts';
import { byZone, withValues } from '../domain/rules/proof/txt-set.ts';
import { swapRecordSets } from './swap-record-sets.ts';

/**
 * Adds the TXT values of an order to their record sets, with one change batch per zone. RFC 8555 §8.4. An apex and its wildcard share a name, so
 * their record set gets two values. Values of other writers stay.
 *
 * If a zone fails, the step ends with its error. Values that were already written to other zones are in the ledger, and *Clean up challenges*
 * removes them.
 *
 * Safe to run twice. A record set that already has the values is written again without any difference, in order to get the id of a change. The
 * change of an earlier run may still be propagating, and its id may be lost with its reply. Without an id, nothing can be polled until INSYNC.
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
  return { changes, wait: pollings.propagation.schedule[0] };
}
