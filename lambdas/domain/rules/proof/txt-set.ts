import type { TxtValue } from '../../contract/certificate-facts.ts';
import type { HostedZone, ZoneRole } from '../../contract/config.ts';
import type { RecordSetChange, TxtRecordSet } from '../../ports/hosted-zones.ts';

/**
 * Arithmetic on TXT record sets. A set is read whole, and swapped for one that differs in our values alone: foreign values
 * keep their bytes, a set that was there keeps its TTL.
 */

/** A new set lives for seconds only, and no resolver shall remember it much longer. */
export const challengeTtl = 10;

/** Route 53 stores TXT strings in quotes; a dns-01 value is base64url, so nothing in it needs escaping. */
const quoted = (value: string): string => `"${value}"`;

/** The set with these values added, equal ones once; `null` when all are there already. */
export function withValues(name: string, before: TxtRecordSet | null, values: readonly string[]): TxtRecordSet | null {
  const missing = [...new Set(values.map(quoted))].filter((value) => !before?.values.includes(value));
  if (missing.length === 0) return null;
  return before
    ? { ...before, values: [...before.values, ...missing] }
    : { name, ttl: challengeTtl, values: missing, unsuitable: null };
}

/** The change that takes these values away; `null` when none of them is there. A set left empty is removed. */
export function withoutValues(before: TxtRecordSet | null, values: readonly string[]): RecordSetChange | null {
  const ours = new Set(values.map(quoted));
  if (!before?.values.some((value) => ours.has(value))) return null;
  const rest = before.values.filter((value) => !ours.has(value));
  return { name: before.name, before, after: rest.length > 0 ? { ...before, values: rest } : null };
}

/** Equal to the byte: name, TTL and values in any order, since Route 53 keeps no order. */
export function sameSet(a: TxtRecordSet | null, b: TxtRecordSet | null): boolean {
  if (!a || !b) return a === b;
  const sorted = (set: TxtRecordSet) => [...set.values].sort().join('\n');
  return a.name === b.name && a.ttl === b.ttl && a.unsuitable === b.unsuitable && sorted(a) === sorted(b);
}

/** As messages name them: without the dot, and five of many, so that there is room for what happened to them. */
export function namesOf(changes: readonly RecordSetChange[]): string {
  const names = changes.map(({ name }) => name.replace(/\.$/, ''));
  return names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
}

/** Our values in one hosted zone: by record name, equal ones once. */
export interface ZoneValues {
  readonly hostedZoneId: string;
  readonly role: ZoneRole | undefined;
  readonly names: ReadonlyMap<string, readonly string[]>;
}

/** In the order of their first value. */
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
 * Values with the roles of their zones as they are configured now: the ledger keeps none, since a role that is configured no more cannot be
 * assumed either.
 */
export function withRoles(records: readonly TxtValue[], zones: readonly HostedZone[]): TxtValue[] {
  const roles = new Map(zones.map(({ id, role }) => [id, role]));
  return records.map(({ hostedZoneId, name, value }) => {
    const role = roles.get(hostedZoneId);
    return { hostedZoneId, ...(role && { role }), name, value };
  });
}

/** Those that we may remove. A zone that was taken out of the configuration has taken the permission with it. */
export function inZones(records: readonly TxtValue[], zones: readonly HostedZone[]): readonly TxtValue[] {
  const ids = new Set(zones.map(({ id }) => id));
  return records.filter(({ hostedZoneId }) => ids.has(hostedZoneId));
}

/** Quota of one ChangeResourceRecordSets: 1,000 ResourceRecord elements and 32,000 characters of values (Route 53 quotas). */
const batchLimits = { values: 1000, characters: 32_000 } as const;

/** Batches within the quota; one in all but the largest cases. */
export function batches(changes: readonly RecordSetChange[]): RecordSetChange[][] {
  const result: RecordSetChange[][] = [];
  let room = { values: 0, characters: 0 };
  for (const change of changes) {
    const values = [...(change.before?.values ?? []), ...(change.after?.values ?? [])];
    const characters = values.reduce((sum, value) => sum + value.length, 0);
    if (result.length === 0 || values.length > room.values || characters > room.characters) {
      result.push([]);
      room = { ...batchLimits };
    }
    result.at(-1)?.push(change);
    room = { values: room.values - values.length, characters: room.characters - characters };
  }
  return result;
}
