import type { LeaseHolder, OrderBucket } from './ledger.ts';
import type { LedgerCertificate, SavedRenewalInfo } from './ledger-certificate.ts';

/** A certificate in a page of the ledger. It may no longer be configured. */
export interface LedgerEntry {
  readonly name: string;
  readonly record: LedgerCertificate;
  /** The position of this entry. The next page can begin after it. */
  readonly position: string;
}

/** Some certificates of the ledger, in an order that does not change. */
export interface LedgerPage {
  readonly entries: readonly LedgerEntry[];
  /** Where the next page begins. `null` after the last page. */
  readonly next: string | null;
}

/** The ledger as the fleet workflow uses it: all certificates, and the item `fleet` with the lease of the fleet. */
export interface FleetLedger {
  /** Reads the page after this position with eventual consistency. `null` means the first page. */
  page(after: string | null): Promise<LedgerPage>;
  /** Saves a window, and the renewal time that follows from it, if the current certificate has its id. It needs no lease. */
  saveRenewalInfo(certificate: string, renewalInfo: SavedRenewalInfo, renewalTime: Date): Promise<void>;
  /** The bucket of new orders at this directory, as `Ledger.orderBucket` returns it. */
  orderBucket(directoryUrl: string): Promise<OrderBucket | null>;
  /** Takes the lease of the fleet, as `Ledger.takeLease` does. Requests for a selection are removed with it. */
  takeLease(execution: string, now: Date, instead?: string): Promise<Omit<LeaseHolder, 'orders'> | null>;
  /** Asks the execution that holds the lease to select again. Returns `false` if it no longer holds the lease. */
  requestSelection(holder: string, now: Date): Promise<boolean>;
  /** Passes the lease to another execution. Nothing happens if the first one does not hold it. */
  handOver(execution: string, next: string, now: Date): Promise<void>;
  /** Releases the lease. If a selection was requested, it removes the request instead, keeps the lease, and returns `false`. */
  release(execution: string): Promise<boolean>;
  /** The position in the ledger where *Refresh renewal information* stopped when its time was over. `null` if it had enough time. */
  cursor(): Promise<string | null>;
  saveCursor(position: string | null): Promise<void>;
  /** Returns the time of the last selection. `null` before the first one. */
  lastSelection(): Promise<Date | null>;
  /** Saves the time of a selection, for operators. */
  recordSelection(time: Date): Promise<void>;
  /** Saves since when fleet runs postpone the renewal of a certificate. `null` removes it with the time of its last event. It needs no lease. */
  recordPostponed(certificate: string, since: Date | null): Promise<void>;
  /** Saves the time of an event about a certificate that is late. It needs no lease. */
  recordReported(certificate: string, kind: 'expiring' | 'postponed', at: Date): Promise<void>;
  /** The time up to which *Compare with what is there* has made the comparisons that were due. `null` before the first one. */
  comparedUntil(): Promise<Date | null>;
  saveComparedUntil(time: Date): Promise<void>;
}
