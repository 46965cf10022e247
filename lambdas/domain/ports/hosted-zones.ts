import type { ZoneRole } from '../contract/config.ts';
import type { PendingChange } from '../contract/steps.ts';

/** A TXT record set exactly as Route 53 returned it, so that a DELETE matches it. */
export interface TxtRecordSet {
  /** Name as Route 53 writes it, with trailing dot and escapes. */
  readonly name: string;
  readonly ttl: number;
  /** Values with quotes, as stored. */
  readonly values: readonly string[];
  /** Why no TXT set can be written here, as a phrase: a CNAME, an alias, a routing policy or a delegation. `null` for a plain TXT set. */
  readonly unsuitable: string | null;
}

/** A compare-and-swap of one record set. */
export interface RecordSetChange {
  readonly name: string;
  /** The set that was read, which the batch deletes exactly. `null` if there was none. */
  readonly before: TxtRecordSet | null;
  /** The set to create. `null` for none. */
  readonly after: TxtRecordSet | null;
}

/** Hosted zones of one account. */
export interface HostedZones {
  /** Returns the TXT set at this name, or `null`. */
  readTxt(hostedZoneId: string, name: string): Promise<TxtRecordSet | null>;
  /**
   * Submits one atomic batch with DELETE of `before` and CREATE of `after`. Returns the id of the change, or `refused` with the words of Route 53
   * for InvalidChangeBatch. The caller then checks whether the set has changed.
   */
  change(
    hostedZoneId: string,
    changes: readonly RecordSetChange[],
  ): Promise<{ readonly id: string } | { readonly refused: string }>;
  /** Returns the changes that are not INSYNC yet. */
  pendingChanges(changes: readonly PendingChange[]): Promise<readonly PendingChange[]>;
  /** Returns the name servers of the zone. Throws `ZoneNotFoundError` if the zone is private or does not have the given name. */
  nameServers(hostedZoneId: string, name?: string): Promise<readonly string[]>;
}

/** Returns the hosted zones with the credentials of a role, or of the function without one. Any call can throw `RoleNotAssumedError`. */
export type HostedZonesAs = (role?: ZoneRole) => HostedZones;
