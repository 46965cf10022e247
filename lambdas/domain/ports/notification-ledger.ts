import type { ProblemKind } from '../contract/notification.ts';
import type { LedgerEntry } from './fleet-ledger.ts';

/** The item `notified#<kind>#<certificate>`: a problem of which the operators were notified. */
export interface Notified {
  readonly kind: ProblemKind;
  readonly certificate: string;
  /** Name of the error. For problems without an error it is the kind. */
  readonly error: string;
  /** Problems with the same cause are one group. */
  readonly cause: string;
  /** Time of the last message about it, in RFC 3339. */
  readonly at: string;
  /** The action of the operator, as the event has it. `null` without such an event. */
  readonly action: string | null;
  /** The text of the event about the problem. `null` if the ledger item of the certificate has it. */
  readonly detail: string | null;
  /** Time at which the problem was found solved, while others with the same cause were not. `null` if it is not solved. */
  readonly solvedAt: string | null;
}

/** Some items of the ledger. */
export interface NotificationPage {
  readonly entries: readonly LedgerEntry[];
  readonly notified: readonly Notified[];
  /** Time at which a fleet run last selected due certificates, in RFC 3339, if its item is in this page. */
  readonly lastSelection: string | null;
  /** Where the next page begins. `null` after the last page. */
  readonly next: string | null;
}

/** The ledger as the function `notification` uses it. It reads all items, and writes only items whose ids begin with `notified#`. */
export interface NotificationLedger {
  /** Reads the page after this position with eventual consistency. `null` means the first page. */
  page(after: string | null): Promise<NotificationPage>;
  /** Takes the turn for an invocation until this time. Returns `false` while another invocation has it. */
  takeTurn(invocation: string, now: Date, until: Date): Promise<boolean>;
  /** Ends the turn of an invocation, if it still has it. */
  endTurn(invocation: string): Promise<void>;
  record(notified: Notified): Promise<void>;
  /** Removes a problem that is solved. DynamoDB deletes the item after `expires`. */
  forget(notified: Pick<Notified, 'kind' | 'certificate'>, expires: Date): Promise<void>;
}
