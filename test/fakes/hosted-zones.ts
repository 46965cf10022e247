import type { ZoneRole } from '../../lambdas/domain/contract/config.ts';
import { RoleNotAssumedError, ZoneNotFoundError } from '../../lambdas/domain/contract/errors.ts';
import type { PendingChange } from '../../lambdas/domain/contract/steps.ts';
import type { HostedZones, RecordSetChange, TxtRecordSet } from '../../lambdas/domain/ports/hosted-zones.ts';
import { deniedError } from './aws-errors.ts';

interface Zone {
  readonly nameServers: readonly string[];
  /** ARN of the role that has access to the zone, or `undefined` for the function's own credentials. */
  readonly role: string | undefined;
  /** TXT record sets by name, with the trailing dot. */
  readonly sets: Map<string, TxtRecordSet>;
}

const dotted = (name: string): string => (name.endsWith('.') ? name : `${name}.`);

/**
 * Route 53 for TXT records. A batch is applied as a whole or not at all. DELETE requires exactly the stored values and TTL, and CREATE
 * requires that the name has no record set.
 */
export class FakeHostedZones implements HostedZones {
  readonly #zones = new Map<string, Zone>();
  readonly #changes = new Map<string, 'PENDING' | 'INSYNC'>();
  /** Whether a change is INSYNC at once, or only after the test calls `settle`. */
  propagation: 'at once' | 'later' = 'at once';
  /** Message that rejects every change, or `null`. */
  rejectAllWith: string | null = null;
  /** Names of zones by id, where the name differs from the configuration. */
  readonly otherNames = new Map<string, string>();
  /** ARNs of roles that cannot be assumed. */
  readonly refusedRoles = new Set<string>();
  /** Every applied change of a record set, in order. */
  readonly applied: RecordSetChange[] = [];

  // ---- for tests

  addZone(id: string, nameServers: readonly string[] = [`ns.${id}.test`], role?: string): void {
    this.#zones.set(id, { nameServers, role, sets: new Map() });
  }

  /** Deletes the zone and its record sets, as another process might. */
  removeZone(id: string): void {
    this.#zones.delete(id);
  }

  /** Writes a record set without compare-and-swap, as another process might. Values include their quotes. An empty list removes the set. */
  put(
    zone: string,
    name: string,
    values: readonly string[],
    { ttl = 300, unsuitable = null as string | null } = {},
  ): void {
    const { sets } = this.#zone(zone);
    if (values.length === 0 && !unsuitable) sets.delete(dotted(name));
    else sets.set(dotted(name), { name: dotted(name), ttl, values, unsuitable });
  }

  get(zone: string, name: string): TxtRecordSet | null {
    return this.#zone(zone).sets.get(dotted(name)) ?? null;
  }

  all(zone: string): TxtRecordSet[] {
    return [...this.#zone(zone).sets.values()];
  }

  /** Returns the values that a name server answers with, without quotes. */
  answers(zone: string, name: string): string[] {
    return (this.get(zone, name)?.values ?? []).map((value) => value.slice(1, -1));
  }

  settle(): void {
    for (const id of this.#changes.keys()) this.#changes.set(id, 'INSYNC');
  }

  // ---- the port

  /** Returns the port with the credentials of a role. Other credentials than those of the zone's role are denied. */
  as(role: ZoneRole | undefined): HostedZones {
    const check = (id: string) => {
      if (role && this.refusedRoles.has(role.arn)) {
        throw new RoleNotAssumedError({
          what: `No access to hosted zone ${id}: role ${role.arn} cannot be assumed.`,
          role: role.arn,
        });
      }
      const zone = this.#zones.get(id);
      if (!zone) throw new ZoneNotFoundError({ what: `Hosted zone ${id} does not exist.`, zone: id });
      if (zone.role !== role?.arn) {
        throw deniedError(`Hosted zone ${id} is denied to ${role?.arn ?? "the function's own role"}.`);
      }
    };
    return {
      readTxt: async (id, name) => {
        check(id);
        return this.readTxt(id, name);
      },
      change: async (id, changes) => {
        check(id);
        return this.change(id, changes);
      },
      pendingChanges: async (changes) => {
        for (const { hostedZoneId } of changes) check(hostedZoneId);
        return this.pendingChanges(changes);
      },
      nameServers: async (id, name) => {
        check(id);
        return this.nameServers(id, name);
      },
    };
  }

  async readTxt(hostedZoneId: string, name: string): Promise<TxtRecordSet | null> {
    return this.get(hostedZoneId, name);
  }

  async change(
    hostedZoneId: string,
    changes: readonly RecordSetChange[],
  ): Promise<{ readonly id: string } | { readonly refused: string }> {
    const { sets } = this.#zone(hostedZoneId);
    if (changes.length === 0) throw new Error('Route 53 rejects a batch without changes.');
    const refused = this.rejectAllWith ?? whyRefused(sets, changes);
    if (refused) return { refused };
    for (const change of changes) {
      this.applied.push(change);
      if (change.before) sets.delete(dotted(change.name));
      if (change.after) sets.set(dotted(change.name), { ...change.after, name: dotted(change.name) });
    }
    const id = `C${this.#changes.size + 1}`;
    this.#changes.set(id, this.propagation === 'at once' ? 'INSYNC' : 'PENDING');
    return { id };
  }

  async pendingChanges(changes: readonly PendingChange[]): Promise<readonly PendingChange[]> {
    return changes.filter(({ id }) => this.#changes.get(id) === 'PENDING');
  }

  async nameServers(hostedZoneId: string, name?: string): Promise<readonly string[]> {
    const other = this.otherNames.get(hostedZoneId);
    if (other && name && other !== name)
      throw new ZoneNotFoundError({
        what: `Hosted zone ${hostedZoneId} is ${other}., not ${name}.`,
        zone: hostedZoneId,
      });
    return this.#zone(hostedZoneId).nameServers;
  }

  #zone(id: string): Zone {
    const zone = this.#zones.get(id);
    if (!zone) throw new ZoneNotFoundError({ what: `Hosted zone ${id} does not exist.`, zone: id });
    return zone;
  }
}

function whyRefused(sets: ReadonlyMap<string, TxtRecordSet>, changes: readonly RecordSetChange[]): string | null {
  const records = changes.flatMap(({ before, after }) => [...(before?.values ?? []), ...(after?.values ?? [])]);
  if (records.length > 1000) return `${records.length} resource records in a batch, over 1000`;
  if (records.join('').length > 32_000) return `${records.join('').length} characters in a batch, over 32000`;
  for (const { name, before, after } of changes) {
    const there = sets.get(dotted(name));
    if (before && !there) return `Tried to delete resource record set ${name} but it was not found`;
    if (before && there && stored(before) !== stored(there)) {
      return `Tried to delete resource record set ${name} but the values provided do not match the current values`;
    }
    if (!before && there) return `Tried to create resource record set ${name} but it already exists`;
    if (!before && !after) return `Nothing to do for ${name}`;
    const values = after?.values ?? [];
    if (values.length > 400) return `${values.length} values at ${name}, over 400`;
    if (after && values.length === 0) return `No resource records for ${name}`;
    if (new Set(values).size < values.length) return `Duplicate resource record at ${name}`;
    const unquoted = values.find((value) => !/^".+"$/.test(value));
    if (unquoted) return `CharacterString ${unquoted} must be enclosed in quotation marks`;
  }
  return null;
}

const stored = ({ ttl, values, unsuitable }: TxtRecordSet): string =>
  JSON.stringify([ttl, [...values].sort(), unsuitable]);
