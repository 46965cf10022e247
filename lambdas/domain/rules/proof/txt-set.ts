import type { LeftoverValue, TxtValue } from '../../contract/certificate-facts.ts';
import type { HostedZone, ZoneRole } from '../../contract/config.ts';
import { printable } from '../../contract/printable-text.ts';
import type { RecordSetChange, TxtRecordSet } from '../../ports/hosted-zones.ts';

/**
 * Changes of TXT record sets. A set is read as a whole and replaced by one that differs in the values of this stack only. Values of other writers
 * keep their bytes, and an existing set keeps its TTL.
 */

/** TTL of a new set in seconds. It is short because the set is removed soon, and resolvers should not cache it for longer. */
export const challengeTtl = 10;

/** Returns a value as Route 53 stores it, in quotes. A dns-01 value is base64url, so it needs no escapes. */
const quoted = (value: string): string => `"${value}"`;

/** Returns the set with these values added, without duplicates. Returns `null` if it already has all of them. */
export function withValues(name: string, before: TxtRecordSet | null, values: readonly string[]): TxtRecordSet | null {
  const missing = [...new Set(values.map(quoted))].filter((value) => !before?.values.includes(value));
  if (missing.length === 0) return null;
  return before
    ? { ...before, values: [...before.values, ...missing] }
    : { name, ttl: challengeTtl, values: missing, unsuitable: null };
}

/** Returns the change that removes these values, or `null` if the set has none of them. A set without any value left is removed. */
export function withoutValues(before: TxtRecordSet | null, values: readonly string[]): RecordSetChange | null {
  const removed = new Set(values.map(quoted));
  if (!before?.values.some((value) => removed.has(value))) return null;
  const rest = before.values.filter((value) => !removed.has(value));
  return { name: before.name, before, after: rest.length > 0 ? { ...before, values: rest } : null };
}

/** Returns the values in the set that have the form of a dns-01 value and are none of these. RFC 8555 §8.4 */
export function challengeValues(set: TxtRecordSet | null, own: readonly string[]): readonly string[] {
  const values = set?.values.flatMap((value) => /^"([\w-]{43})"$/.exec(value)?.[1] ?? []) ?? [];
  return values.filter((value) => !own.includes(value));
}

/** Tells whether two sets have the same name, TTL and values, byte by byte. The order of values does not matter, because Route 53 keeps none. */
export function sameSet(a: TxtRecordSet | null, b: TxtRecordSet | null): boolean {
  if (!a || !b) return a === b;
  const sorted = (set: TxtRecordSet) => [...set.values].sort().join('\n');
  return a.name === b.name && a.ttl === b.ttl && a.unsuitable === b.unsuitable && sorted(a) === sorted(b);
}

/** Lists the names of at most five changes, without trailing dots, so that the reason fits into the message. */
export function namesOf(changes: readonly RecordSetChange[]): string {
  const names = changes.map(({ name }) => name.replace(/\.$/, ''));
  return names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
}

/** The values of this stack in one hosted zone, by record name and without duplicates. */
export interface ZoneValues {
  readonly hostedZoneId: string;
  readonly role: ZoneRole | undefined;
  readonly names: ReadonlyMap<string, readonly string[]>;
}

/** Groups values by hosted zone, in the order of the first value of each zone. */
export function byZone(records: readonly TxtValue[]): ZoneValues[] {
  const zones = new Map<string, ZoneValues & { readonly names: Map<string, readonly string[]> }>();
  for (const { hostedZoneId, role, name, value } of records) {
    const zone = zones.get(hostedZoneId) ?? { hostedZoneId, role, names: new Map() };
    zones.set(hostedZoneId, zone);
    zone.names.set(name, [...new Set([...(zone.names.get(name) ?? []), value])]);
  }
  return [...zones.values()];
}

/**
 * Returns the values with the roles that the configuration has for their zones now. The ledger keeps no roles, because a role that is no longer
 * configured cannot be assumed either.
 */
export function withRoles(records: readonly TxtValue[], zones: readonly HostedZone[]): TxtValue[] {
  const roles = new Map(zones.map(({ id, role }) => [id, role]));
  return records.map(({ hostedZoneId, name, value }) => {
    const role = roles.get(hostedZoneId);
    return { hostedZoneId, ...(role && { role }), name, value };
  });
}

/** Returns the values that this stack may remove. It has no permission for zones that are no longer configured. */
export function inZones(records: readonly TxtValue[], zones: readonly HostedZone[]): readonly TxtValue[] {
  const ids = new Set(zones.map(({ id }) => id));
  return records.filter(({ hostedZoneId }) => ids.has(hostedZoneId));
}

/** Values in one event, of each of two kinds. An event may have 256 KB, and a value takes up to 700 bytes. */
export const mostReported = 25;
/** Longest reason in characters. */
const longestReason = 300;

/** Returns these values as they are reported to the operator. Values above the limit are reported another day. */
export const reportOf = (records: readonly TxtValue[], reason: string): readonly LeftoverValue[] =>
  records
    .slice(0, mostReported)
    .map(({ hostedZoneId, name, value }) => ({ hostedZoneId, name, value, reason: printable(reason, longestReason) }));

/** Returns the values in hosted zones that are no longer configured. */
export function outsideZones(records: readonly TxtValue[], zones: readonly HostedZone[]): readonly TxtValue[] {
  const inside = inZones(records, zones);
  return records.filter((each) => !inside.includes(each));
}

/** Quotas of Route 53 for one ChangeResourceRecordSets request: 1,000 ResourceRecord elements and 32,000 characters of values. */
const batchLimits = { values: 1000, characters: 32_000 } as const;

/** Splits changes into batches within the quotas. One batch is enough in all but the largest cases. */
export function batches(changes: readonly RecordSetChange[]): RecordSetChange[][] {
  const result: RecordSetChange[][] = [];
  let remaining = { values: 0, characters: 0 };
  for (const change of changes) {
    const values = [...(change.before?.values ?? []), ...(change.after?.values ?? [])];
    const characters = values.reduce((sum, value) => sum + value.length, 0);
    if (result.length === 0 || values.length > remaining.values || characters > remaining.characters) {
      result.push([]);
      remaining = { ...batchLimits };
    }
    result.at(-1)?.push(change);
    remaining = { values: remaining.values - values.length, characters: remaining.characters - characters };
  }
  return result;
}
