import type { NotificationLedger, NotificationPage, Notified } from '../../lambdas/domain/ports/notification-ledger.ts';
import type { FakeLedger } from './ledger.ts';

/** The ledger of notifications in memory. It has the certificates of a `FakeLedger`, in pages of ten. */
export class FakeNotificationLedger implements NotificationLedger {
  readonly #ledger: FakeLedger;
  readonly #notified = new Map<string, Notified>();
  readonly #pageSize = 10;
  #turn: { readonly invocation: string; readonly until: Date } | null = null;
  /** Time of the last selection of due certificates. For tests. */
  lastSelection: string | null = null;

  constructor(ledger: FakeLedger) {
    this.#ledger = ledger;
  }

  /** Returns the problems of which operators were notified. For tests. */
  get notified(): readonly Notified[] {
    return [...this.#notified.values()];
  }

  async page(after: string | null): Promise<NotificationPage> {
    const names = this.#ledger.names();
    const start = after === null ? 0 : names.indexOf(after) + 1;
    const entries = names
      .slice(start, start + this.#pageSize)
      .map((name) => ({ name, record: this.#ledger.get(name), position: name }));
    const isLast = start + this.#pageSize >= names.length;
    return {
      entries,
      notified: after === null ? this.notified : [],
      lastSelection: isLast ? this.lastSelection : null,
      next: isLast ? null : (entries.at(-1)?.name ?? null),
    };
  }

  async takeTurn(invocation: string, now: Date, until: Date): Promise<boolean> {
    if (this.#turn && this.#turn.invocation !== invocation && this.#turn.until >= now) return false;
    this.#turn = { invocation, until };
    return true;
  }

  async endTurn(invocation: string): Promise<void> {
    if (this.#turn?.invocation === invocation) this.#turn = null;
  }

  async record(notified: Notified): Promise<void> {
    this.#notified.set(`${notified.kind}#${notified.certificate}`, notified);
  }

  async forget({ kind, certificate }: Pick<Notified, 'kind' | 'certificate'>): Promise<void> {
    this.#notified.delete(`${kind}#${certificate}`);
  }
}
