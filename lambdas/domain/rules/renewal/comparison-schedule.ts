import { createHash } from 'node:crypto';

const day = 86_400_000;

/** The comparison of a certificate, and the time from which it is due. */
export interface DueComparison {
  readonly name: string;
  readonly at: Date;
}

/**
 * Returns the comparisons that became due after `since`, up to and including `now`, in the order of their times. The comparison of each certificate is
 * due once a day. A hash of its name gives the time of day, so that the runs of a day share the work. If `since` is more than a day ago, every
 * certificate is returned once.
 */
export function dueComparisons(names: readonly string[], since: Date, now: Date): readonly DueComparison[] {
  const begin = since.getTime();
  return names
    .flatMap((name): DueComparison[] => {
      const at = begin + ((((timeOfDay(name) - begin) % day) + day) % day || day);
      return at <= now.getTime() ? [{ name, at: new Date(at) }] : [];
    })
    .sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** Milliseconds since midnight, UTC. */
const timeOfDay = (name: string): number => createHash('sha256').update(name).digest().readUIntBE(0, 6) % day;
