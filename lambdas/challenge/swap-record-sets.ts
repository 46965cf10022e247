import { RecordSetContentionError, RecordSetRefusedError } from '../domain/contract/errors.ts';
import type { HostedZones, RecordSetChange, TxtRecordSet } from '../domain/ports/hosted-zones.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { batches, namesOf, sameSet } from '../domain/rules/proof/txt-set.ts';

/** Longest time for the retries of a compare-and-swap, in milliseconds. After that the workflow retries. */
const longestContention = 5000;

/**
 * Returns the pause before a retry, from 50 to 150 ms. A zone accepts one change at a time. The pause is random, so that two writers that were
 * rejected together do not collide again.
 */
const pause = (random: number): number => 50 + random * 100;

/** Returns the change to make to a record set as it was read, or `null` for no change. */
export type DesiredChange = (before: TxtRecordSet | null, name: string) => RecordSetChange | null;

/**
 * Changes TXT record sets of one hosted zone by compare-and-swap. Route 53 cannot append a value, so each set is read and replaced as a whole, by
 * a DELETE of exactly what was read and a CREATE of the new set. If another writer has changed a set in between, Route 53 rejects the batch, and
 * the sets are read again.
 *
 * After one rejection the sets can look unchanged, because another writer added a value before the change and removed it before the next read.
 * After two rejections in a row with unchanged sets, the operator has to act.
 *
 * Returns the ids of the changes, which are none if no change is desired. A change that makes no difference is also submitted, for its id. It is
 * left out if this call has already changed the set.
 *
 * @throws RecordSetRefusedError if Route 53 rejects the change twice in a row although the sets are unchanged, or if a set is unsuitable
 * @throws RecordSetContentionError if other writers keep changing the sets for 5 s
 */
export async function swapRecordSets(
  hostedZoneId: string,
  names: readonly string[],
  desired: DesiredChange,
  { hostedZones, clock }: { readonly hostedZones: HostedZones; readonly clock: Clock },
): Promise<string[]> {
  const read = () => readSets(hostedZoneId, names, hostedZones);
  const deadline = clock.now().getTime() + longestContention;
  const ids: string[] = [];
  const written = new Set<string>();
  const isDone = ({ name, before, after }: RecordSetChange) => written.has(key(name)) && sameSet(before, after);
  let unchanged = 0;
  for (let sets = await read(); ; ) {
    const wanted = names.flatMap((name) => desired(sets.get(name) ?? null, name) ?? []);
    const changes = wanted.filter((change) => !isDone(change));
    refuseUnsuitable(hostedZoneId, changes);
    const refused = await submit(hostedZoneId, changes, { ids, written }, hostedZones);
    if (refused === null) return ids;

    if (clock.now().getTime() >= deadline) {
      throw new RecordSetContentionError({
        what: `Other writers kept changing ${namesOf(changes)} in hosted zone ${hostedZoneId} for 5 s.`,
        remedy: 'The change is retried.',
        ...whereOf(hostedZoneId, changes),
      });
    }
    // The pause comes before the read, because fewer writers interfere if the time between read and change is short.
    await clock.sleep(pause(clock.random()));
    const again = await read();
    const same = changes.every(({ name, before }) => sameSet(again.get(key(name)) ?? null, before));
    unchanged = same ? unchanged + 1 : 0;
    if (unchanged === 2) {
      throw new RecordSetRefusedError({
        what: `Route 53 rejected the change of ${namesOf(changes)} in hosted zone ${hostedZoneId}.`,
        why: refused,
        remedy: 'Remove the record that prevents the change, or use another name.',
        ...whereOf(hostedZoneId, changes),
      });
    }
    sets = again;
  }
}

const whereOf = (zone: string, changes: readonly RecordSetChange[]) => ({
  zone,
  recordNames: changes.map(({ name }) => key(name)),
});

/** Returns the name without a trailing dot, as the steps write it. */
const key = (name: string): string => name.replace(/\.$/, '');

async function readSets(
  hostedZoneId: string,
  names: readonly string[],
  hostedZones: HostedZones,
): Promise<Map<string, TxtRecordSet>> {
  const sets = new Map<string, TxtRecordSet>();
  for (const name of names) {
    const set = await hostedZones.readTxt(hostedZoneId, name);
    if (set) sets.set(name, set);
  }
  return sets;
}

/** Rejects a new value in a set of another kind, such as a CNAME. A removal from such a set is submitted, and Route 53 decides. */
function refuseUnsuitable(hostedZoneId: string, changes: readonly RecordSetChange[]): void {
  const unsuitable = changes.find(
    ({ before, after }) => before?.unsuitable && after && after.values.length >= before.values.length,
  );
  if (!unsuitable) return;
  throw new RecordSetRefusedError({
    what: `No TXT value can be added at ${key(unsuitable.name)} in hosted zone ${hostedZoneId}.`,
    why: `Route 53 shows that ${unsuitable.before?.unsuitable}.`,
    remedy: 'Remove the record that prevents the change, or use another name.',
    ...whereOf(hostedZoneId, [unsuitable]),
  });
}

/** Submits the batches, of which there is usually one. Returns the words of Route 53 if one is rejected. Earlier batches stay in effect. */
async function submit(
  hostedZoneId: string,
  changes: readonly RecordSetChange[],
  { ids, written }: { readonly ids: string[]; readonly written: Set<string> },
  hostedZones: HostedZones,
): Promise<string | null> {
  for (const batch of batches(changes)) {
    const result = await hostedZones.change(hostedZoneId, batch);
    if ('refused' in result) return result.refused;
    ids.push(result.id);
    for (const { name } of batch) written.add(key(name));
  }
  return null;
}
