import { createHash } from 'node:crypto';
import type { HostedZone } from '../../contract/config.ts';
import { challengeRecordName, zoneOf } from './names.ts';
import { recordList } from './record-list.ts';

/** So many CNAMEs are followed, and no more. */
export const mostLinks = 8;

/** What was found at `_acme-challenge.<name>`. */
export interface Alias {
  /** Where each CNAME leads, in order; empty: there is none. The last is where the TXT record belongs. */
  readonly links: readonly string[];
  /** Why the last is not the end: it is a name of before, or there are more of them than are followed; `null`: it is. */
  readonly endless: 'loop' | 'long' | null;
}

export type ChallengeTarget =
  | { readonly zone: HostedZone; readonly name: string }
  /** What is missing; why, and what to do, in sentences; the record to create, in zone file format, where one would help. */
  | { readonly missing: 'alias' | 'zone'; readonly why: string; readonly remedy: string; readonly record?: string };

/**
 * Where the TXT record of an identifier is written: at the end of its CNAMEs, in the configured zone whose name is the longest suffix.
 * Behind a CNAME only a name that the deployed policy lets us write will do.
 */
export function challengeTarget(
  identifier: string,
  { links, endless }: Alias,
  zones: readonly HostedZone[],
): ChallengeTarget {
  const record = challengeRecordName(identifier);
  const name = links.at(-1) ?? record;
  const zone = zoneOf(name, zones);
  const spare = zones.find(({ challengesOnly }) => challengesOnly);
  const chain = [record, ...links].join(' -> ');
  const aliasProblem = (why: string): ChallengeTarget => {
    const remedy =
      !spare && zoneOf(record, zones)
        ? { remedy: `Remove the CNAME: the record can stand at ${record} itself.` }
        : createAlias(record, spare ?? zone ?? zones[0]);
    return { missing: 'alias', why, ...remedy };
  };

  if (endless === 'loop') return aliasProblem(`The CNAMEs ${chain} go round in a circle.`);
  if (endless === 'long') return aliasProblem(`The CNAMEs ${chain} are more than ${mostLinks} links.`);
  if (!zone && links.length === 0) {
    if (spare) return aliasProblem(`${record} lies in none of the hosted zones, and no CNAME leads from it into one.`);
    return {
      missing: 'zone',
      why: `${record} lies in none of the hosted zones.`,
      remedy: 'Add the zone to the configuration and deploy.',
    };
  }
  if (!zone) return aliasProblem(`The CNAME ${chain} leads into none of the hosted zones.`);
  if (links.length === 0 || zone.challengesOnly || name.startsWith('_acme-challenge.')) return { zone, name };
  return aliasProblem(
    `The CNAME ${chain} leads to a name that may not be written: ${zone.name} is not marked challengesOnly, and the name does not begin with _acme-challenge.`,
  );
}

function createAlias(
  record: string,
  zone: HostedZone | undefined,
): { readonly remedy: string; readonly record?: string } {
  if (!zone) return { remedy: 'Add a hosted zone that it may lead into to the configuration and deploy.' };
  const plain = `${record}.${zone.name}`;
  // A name has 253 characters at most. RFC 1035 §2.3.4
  const target = plain.length <= 253 ? plain : `_acme-challenge.${shortened(record)}.${zone.name}`;
  const alias = `${record}. 300 IN CNAME ${target}.`;
  return { remedy: `Create this record: ${recordList([alias])}.`, record: alias };
}

/** The same for the same name, in half the characters that a label may have. */
const shortened = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 32);
