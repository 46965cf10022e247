import type { ZoneRole } from '../contract/config.ts';
import type { PendingChange } from '../contract/steps.ts';

/** A TXT record set as read: kept to the byte, so that a DELETE of exactly this matches. */
export interface TxtRecordSet {
  /** As Route 53 writes it: trailing dot, escapes. */
  readonly name: string;
  readonly ttl: number;
  /** Quoted, as stored. */
  readonly values: readonly string[];
  /** A CNAME, an alias, a routing policy or a delegation stands here, with or without a TXT set: in words; `null` for a plain TXT set. */
  readonly unsuitable: string | null;
}

export interface RecordSetChange {
  readonly name: string;
  /** What was read; `null`: nothing was there. Deleted to the byte. */
  readonly before: TxtRecordSet | null;
  /** What shall be there; `null`: nothing. */
  readonly after: TxtRecordSet | null;
}

export interface HostedZones {
  /** The set at this name; `null`: none. */
  readTxt(hostedZoneId: string, name: string): Promise<TxtRecordSet | null>;
  /**
   * One atomic batch (DELETE of before, CREATE of after). Returns the change's id, or `refused` with Route 53's words
   * when it is InvalidChangeBatch: the caller looks whether the set has changed.
   */
  change(
    hostedZoneId: string,
    changes: readonly RecordSetChange[],
  ): Promise<{ readonly id: string } | { readonly refused: string }>;
  /** GetChange for each; those that are not INSYNC yet. */
  pendingChanges(changes: readonly PendingChange[]): Promise<readonly PendingChange[]>;
  /** The zone's name servers, GetHostedZone. Throws `ZoneNotFoundError` where the zone is private, or not of this name when one is given. */
  nameServers(hostedZoneId: string, name?: string): Promise<readonly string[]>;
}

/** With the credentials of a zone's role; absent: our own. Throws `RoleNotAssumedError` from any call. */
export type HostedZonesAs = (role?: ZoneRole) => HostedZones;
