import { createHash } from 'node:crypto';

const day = 86_400_000;

/** A certificate and the time of its turn. */
export interface Turn {
  readonly name: string;
  readonly at: Date;
}

/**
 * Returns the certificates whose turn came after `since`, up to and including `now`, in the order of their turns. Each certificate has one turn a
 * day. A hash of its name gives the time of day, so that the runs of a day share the work. If `since` is more than a day ago, every certificate
 * is returned once.
 */
export function turnsBetween(names: readonly string[], since: Date, now: Date): readonly Turn[] {
  const begin = since.getTime();
  return names
    .flatMap((name): Turn[] => {
      const at = begin + ((((timeOfDay(name) - begin) % day) + day) % day || day);
      return at <= now.getTime() ? [{ name, at: new Date(at) }] : [];
    })
    .sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** Milliseconds since midnight, UTC. */
const timeOfDay = (name: string): number => createHash('sha256').update(name).digest().readUIntBE(0, 6) % day;
