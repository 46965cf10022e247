import { z } from 'zod';
import type { HostedZone } from '../../lambdas/domain/contract/config.ts';
import {
  challengeRecordName,
  identifierProblem,
  longestSuffix,
  normalizeIdentifier,
  withoutWildcard,
} from '../../lambdas/domain/rules/proof/names.ts';
import { readList, show } from './fields.ts';
import type { CheckedHostedZones } from './hosted-zones.ts';
import type { Report, Warn } from './mistakes.ts';

const allowedIdentifier = 'a DNS name such as "www.example.com" or "*.example.com"';
const identifierText = z.string({ error: allowedIdentifier });

/** Where the names of a certificate can be proven. */
interface ProofPlaces {
  /** `undefined` where no zone is needed, or not all zones could be read. */
  readonly zones: CheckedHostedZones | undefined;
  /** Whether control of the names is proven with TXT records. */
  readonly needsRecords: boolean;
  /** Targets of the CNAME records, by name without `*.`. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly report: Report;
  readonly warn: Warn;
}

export interface CheckedIdentifiers {
  /** Normalised and sorted. */
  readonly names: readonly string[];
  /** Whether every identifier is a valid name. */
  readonly complete: boolean;
  /** Indices of the hosted zones that the names are in, in ascending order. */
  readonly hostedZones: readonly number[];
}

/** Checks that the identifiers are names that a CA can issue for, and that each is in a hosted zone. Repeated names are a warning. */
export function checkIdentifiers(values: readonly unknown[], path: string, places: ProofPlaces): CheckedIdentifiers {
  const { report, warn } = places;
  /** Normalised names with the index of their first appearance. */
  const first = new Map<string, number>();
  const hostedZones = new Set<number>();
  let complete = values.length > 0;
  for (const [index, raw] of readList(identifierText, values, path, report).entries()) {
    const at = `${path}[${index}]`;
    const name = raw === undefined ? undefined : readName(raw, at, places);
    if (name === undefined) {
      complete = false;
      continue;
    }
    const same = first.get(name);
    if (same !== undefined) {
      warn('repeatedIdentifier', at, `${show(raw)} repeats identifiers[${same}] and is ordered once`);
      continue;
    }
    first.set(name, index);
    const zone = findZone(name, show(raw), at, places);
    if (zone !== undefined) hostedZones.add(zone);
  }
  reportCovered(first, values, path, report);
  return { complete, names: [...first.keys()].sort(), hostedZones: [...hostedZones].sort((a, b) => a - b) };
}

function readName(
  raw: string,
  path: string,
  { needsRecords, report }: Pick<ProofPlaces, 'needsRecords' | 'report'>,
): string | undefined {
  const name = normalizeIdentifier(raw);
  const problem = urlProblem(raw) ?? identifierProblem(name) ?? (needsRecords ? recordProblem(name) : null);
  if (problem === null) return name;
  report(path, `${show(raw)} ${problem}`, `expected ${allowedIdentifier}`);
  return undefined;
}

/** Returns why a name has no challenge record, as the end of a sentence, or `null`. A name in DNS has at most 253 characters. RFC 1035 §2.3.4 */
function recordProblem(name: string): string | null {
  const most = 253 - '_acme-challenge.'.length;
  const { length } = withoutWildcard(name);
  return length > most ? `has ${length} characters, and with _acme-challenge. a name may have ${most}` : null;
}

/** Returns the problem of a URL, as the end of a sentence, and the name in it. Returns `null` for a text that is not a URL. */
export function urlProblem(text: string): string | null {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return null;
  const { hostname } = URL.canParse(text) ? new URL(text) : { hostname: '' };
  return `is a URL${hostname && ` (did you mean ${show(hostname)}?)`}`;
}

/** Returns the index of the zone that the challenge record is in. A name without a zone is reported, unless a CNAME can lead into one. */
function findZone(name: string, shown: string, path: string, { zones, aliases, report }: ProofPlaces) {
  if (!zones) return undefined;
  const zone = longestSuffix(challengeRecordName(name), zones.byName);
  // The target of a CNAME is configured, or it is looked up before each order and leads into a zone that takes challenges for any name.
  const delegated = aliases[withoutWildcard(name)] !== undefined || zones.hostedZones.some(isForChallenges);
  if (zone === undefined && !delegated) report(path, `${shown} is in no hosted zone`, zoneNames(zones));
  return zone;
}

const isForChallenges = ({ challengesOnly }: HostedZone): boolean => challengesOnly === true;

/** Reports names that a wildcard covers. Let's Encrypt rejects such an order as `malformed`, because the name is redundant. */
function reportCovered(first: ReadonlyMap<string, number>, values: readonly unknown[], path: string, report: Report) {
  for (const [name, index] of first) {
    const wildcard = `*${name.slice(name.indexOf('.'))}`;
    const at = first.get(wildcard);
    if (name.startsWith('*.') || at === undefined) continue;
    const problem = `${show(values[index])} is covered by ${show(wildcard)} (identifiers[${at}])`;
    report(`${path}[${index}]`, problem, 'remove one of the two, because CAs reject an order with both');
  }
}

function zoneNames({ byName }: CheckedHostedZones): string {
  const names = [...byName.keys()];
  if (names.length === 0) return 'add its zone to hostedZones, which is empty';
  const rest = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return `use a name in ${names.slice(0, 5).join(', ')}${rest}, or add its zone to hostedZones`;
}
