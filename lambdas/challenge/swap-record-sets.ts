import { RecordSetContentionError, RecordSetRefusedError } from '../domain/contract/errors.ts';
import type { HostedZones, RecordSetChange, TxtRecordSet } from '../domain/ports/hosted-zones.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { batches, namesOf, sameSet } from '../domain/rules/proof/txt-set.ts';

/** A compare-and-swap may retry in place for 5 s in all; longer waits belong to the workflow. */
const longestContention = 5000;

/** 50 to 150 ms apart: a zone takes one change at a time, and two writers that lost together must not meet again. */
const pause = (random: number): number => 50 + random * 100;

export type DesiredChange = (before: TxtRecordSet | null, name: string) => RecordSetChange | null;

/**
 * Compare-and-swap on TXT record sets of one hosted zone. Route 53 cannot append, so each set is read and swapped whole: DELETE of
 * exactly what was read, CREATE of what shall be. Whoever changed a set in between makes Route 53 refuse the batch, and
 * the sets are read again. Refused twice running although nothing has changed is a fault for a person, `RecordSetRefusedError`;
 * once may be somebody whose value came before our change and went before our second look.
 *
 * Returns the ids of the changes made; none when no change is desired. A change into what is there already is made like any other, for its
 * id, but not of a set that was changed before in the same call.
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
        remedy: 'It is tried again.',
        ...whereOf(hostedZoneId, changes),
      });
    }
    // First the pause, then the look: the shorter the time from look to change, the fewer get in between.
    await clock.sleep(pause(clock.random()));
    const again = await read();
    const same = changes.every(({ name, before }) => sameSet(again.get(key(name)) ?? null, before));
    unchanged = same ? unchanged + 1 : 0;
    if (unchanged === 2) {
      throw new RecordSetRefusedError({
        what: `Route 53 refuses the change of ${namesOf(changes)} in hosted zone ${hostedZoneId}.`,
        why: refused,
        remedy: 'Remove what is in the way, or use another name.',
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

/** Names as we write them: no trailing dot. */
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

/** Nothing is written into a set of another kind. What is ours in one is taken out all the same, as far as Route 53 lets us. */
function refuseUnsuitable(hostedZoneId: string, changes: readonly RecordSetChange[]): void {
  const unsuitable = changes.find(
    ({ before, after }) => before?.unsuitable && after && after.values.length >= before.values.length,
  );
  if (!unsuitable) return;
  throw new RecordSetRefusedError({
    what: `${key(unsuitable.name)} in hosted zone ${hostedZoneId} cannot take a TXT value.`,
    why: `Found: ${unsuitable.before?.unsuitable}.`,
    remedy: 'Remove it, or use another name.',
    ...whereOf(hostedZoneId, [unsuitable]),
  });
}

/** Sends the batches, one as a rule; Route 53's words when one is refused. What went through before stays. */
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
