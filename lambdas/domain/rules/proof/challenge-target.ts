import { createHash } from 'node:crypto';
import type { HostedZone } from '../../contract/config.ts';
import { challengeRecordName, zoneOf } from './names.ts';
import { recordList } from './record-list.ts';

/** Largest number of CNAMEs that are followed. */
export const maximumLinks = 8;

/** The chain of CNAMEs at `_acme-challenge.<name>`. */
export interface Alias {
  /** Target of each CNAME, in order. Empty if there is none. The TXT record belongs at the last target. */
  readonly links: readonly string[];
  /**
   * Why the last target is not the end of the chain. `loop` if the chain returns to an earlier name, `long` if it has more links than are
   * followed, and `null` if the last target is the end.
   */
  readonly endless: 'loop' | 'long' | null;
}

/** The name and the zone of a challenge record, or why there is none. */
export type ChallengeTarget =
  | { readonly zone: HostedZone; readonly name: string }
  /** `why` and `remedy` are sentences. `record` is the record to create, in zone file format, if there is one that helps. */
  | { readonly missing: 'alias' | 'zone'; readonly why: string; readonly remedy: string; readonly record?: string };

/**
 * Returns where the TXT record of an identifier is written. It is the end of the CNAMEs, in the configured zone whose name is the longest suffix.
 * The target of a CNAME must be a name that the deployed policy allows to write. This is any name in a zone marked `challengesOnly`, and a name
 * that begins with `_acme-challenge.` in other zones.
 */
export function challengeTarget(
  identifier: string,
  { links, endless }: Alias,
  zones: readonly HostedZone[],
): ChallengeTarget {
  const record = challengeRecordName(identifier);
  const name = links.at(-1) ?? record;
  const zone = zoneOf(name, zones);
  const challengesZone = zones.find(({ challengesOnly }) => challengesOnly);
  const chain = [record, ...links].join(' -> ');
  const aliasProblem = (why: string): ChallengeTarget => {
    const remedy =
      !challengesZone && zoneOf(record, zones)
        ? { remedy: `Remove the CNAME, because the TXT record can be created at ${record} itself.` }
        : createAlias(record, challengesZone ?? zone ?? zones[0]);
    return { missing: 'alias', why, ...remedy };
  };

  if (endless === 'loop') return aliasProblem(`The CNAMEs ${chain} form a loop.`);
  if (endless === 'long') return aliasProblem(`The CNAMEs ${chain} have more than ${maximumLinks} links.`);
  if (!zone && links.length === 0) {
    if (challengesZone)
      return aliasProblem(`${record} is in none of the configured hosted zones, and no CNAME points from it into one.`);
    return {
      missing: 'zone',
      why: `${record} is in none of the configured hosted zones.`,
      remedy: 'Add the zone to the configuration and deploy.',
    };
  }
  if (!zone) return aliasProblem(`The CNAME ${chain} points into none of the configured hosted zones.`);
  if (links.length === 0 || zone.challengesOnly || name.startsWith('_acme-challenge.')) return { zone, name };
  return aliasProblem(
    `The CNAME ${chain} points to a name that this stack may not write. Hosted zone ${zone.name} is not marked challengesOnly, and the name does not begin with "_acme-challenge.".`,
  );
}

function createAlias(
  record: string,
  zone: HostedZone | undefined,
): { readonly remedy: string; readonly record?: string } {
  if (!zone) return { remedy: 'Add a hosted zone for the target of the CNAME to the configuration and deploy.' };
  const plain = `${record}.${zone.name}`;
  // A name has at most 253 characters. RFC 1035 §2.3.4
  const target = plain.length <= 253 ? plain : `_acme-challenge.${shortened(record)}.${zone.name}`;
  const alias = `${record}. 300 IN CNAME ${target}.`;
  return { remedy: `Create this record: ${recordList([alias])}.`, record: alias };
}

/** Returns 32 hexadecimal characters that are the same for the same name. A label may have 63. */
const shortened = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 32);
