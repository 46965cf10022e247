import type { FleetLedger, LedgerPage } from '../../lambdas/domain/ports/fleet-ledger.ts';
import type { LeaseHolder, OrderBucket } from '../../lambdas/domain/ports/ledger.ts';
import type { SavedRenewalInfo } from '../../lambdas/domain/ports/ledger-certificate.ts';
import type { FakeLedger } from './ledger.ts';

/** The ledger of the fleet in memory. It has the certificates of a `FakeLedger`, in pages of ten. */
export class FakeFleetLedger implements FleetLedger {
  readonly #ledger: FakeLedger;
  readonly #pageSize = 10;
  #lease: Omit<LeaseHolder, 'orders'> | null = null;
  #isRequested = false;
  #cursor: string | null = null;
  #comparedUntil: Date | null = null;
  #lastSelection: Date | null = null;

  constructor(ledger: FakeLedger) {
    this.#ledger = ledger;
  }

  /** Returns the ARN of the execution that holds the lease. For tests. */
  get lease(): string | null {
    return this.#lease?.execution ?? null;
  }

  async page(after: string | null): Promise<LedgerPage> {
    const names = this.#ledger.names();
    const start = after === null ? 0 : names.findIndex((name) => `certificate#${name}` === after) + 1;
    const entries = names.slice(start, start + this.#pageSize).map((name) => {
      return { name, record: this.#ledger.get(name), position: `certificate#${name}` };
    });
    const isLast = start + this.#pageSize >= names.length;
    return { entries, next: isLast ? null : (entries.at(-1)?.position ?? null) };
  }

  async saveRenewalInfo(certificate: string, renewalInfo: SavedRenewalInfo, renewalTime: Date): Promise<void> {
    await this.#ledger.saveRenewalInfo(certificate, renewalInfo, renewalTime);
  }

  async orderBucket(directoryUrl: string): Promise<OrderBucket | null> {
    return this.#ledger.orderBucket(directoryUrl);
  }

  async takeLease(execution: string, now: Date, instead?: string): Promise<Omit<LeaseHolder, 'orders'> | null> {
    if (this.#lease && this.#lease.execution !== execution && this.#lease.execution !== instead) return this.#lease;
    this.#lease = { execution, since: now.toISOString() };
    this.#isRequested = false;
    return null;
  }

  async requestSelection(holder: string, _now: Date): Promise<boolean> {
    if (this.lease !== holder) return false;
    this.#isRequested = true;
    return true;
  }

  async handOver(execution: string, next: string, now: Date): Promise<void> {
    if (this.lease === execution) this.#lease = { execution: next, since: now.toISOString() };
  }

  async release(execution: string): Promise<boolean> {
    if (this.lease !== execution) return true;
    if (!this.#isRequested) this.#lease = null;
    const released = !this.#isRequested;
    this.#isRequested = false;
    return released;
  }

  async cursor(): Promise<string | null> {
    return this.#cursor;
  }

  async saveCursor(position: string | null): Promise<void> {
    this.#cursor = position;
  }

  async lastSelection(): Promise<Date | null> {
    return this.#lastSelection;
  }

  async recordSelection(time: Date): Promise<void> {
    this.#lastSelection = time;
  }

  async recordPostponed(certificate: string, since: Date | null): Promise<void> {
    this.#ledger.postpone(certificate, since);
  }

  async recordReported(certificate: string, kind: 'expiring' | 'postponed', at: Date): Promise<void> {
    this.#ledger.put(certificate, { [`${kind}ReportedAt`]: at.toISOString() });
  }

  async comparedUntil(): Promise<Date | null> {
    return this.#comparedUntil;
  }

  async saveComparedUntil(time: Date): Promise<void> {
    this.#comparedUntil = time;
  }
}
