import type {
  CertificateFacts,
  Delivery,
  IssuerAccount,
  RecordedAccount,
  TxtValue,
} from '../../lambdas/domain/contract/certificate-facts.ts';
import type { OrderLimit } from '../../lambdas/domain/contract/config.ts';
import { LeaseLostError } from '../../lambdas/domain/contract/errors.ts';
import type {
  BusyReply,
  Comparison,
  LeaseHolder,
  LeaseKey,
  Ledger,
  OrderBucket,
  RecordedSuccess,
} from '../../lambdas/domain/ports/ledger.ts';
import type {
  EndpointCheck,
  LedgerCertificate,
  RecordedFailure,
  SavedOrder,
  SavedRenewalInfo,
} from '../../lambdas/domain/ports/ledger-certificate.ts';
import {
  emptyRecord,
  failuresThisHour,
  issuesToday,
  spentIssues,
} from '../../lambdas/domain/rules/renewal/ledger-record.ts';
import { debitedBucket } from '../../lambdas/domain/rules/renewal/order-bucket.ts';

const sameValue = (a: TxtValue) => (b: TxtValue) =>
  a.hostedZoneId === b.hostedZoneId && a.name === b.name && a.value === b.value;

/** The ledger in memory. Writes have the same conditions as in the DynamoDB table. */
export class FakeLedger implements Ledger {
  readonly #certificates = new Map<string, LedgerCertificate>();
  readonly #setLeases = new Map<string, LeaseHolder>();
  /** Identifier sets whose lease the execution of a certificate took, by the name of the certificate. */
  readonly #leasedSets = new Map<string, Set<string>>();
  /** The execution that took the lease of an identifier set last, by the name of the certificate. */
  readonly #ordering = new Map<string, string>();
  /** Times of issuance by identifier set, then by order URL. */
  readonly #issues = new Map<string, Readonly<Record<string, string>>>();
  readonly #accounts = new Map<string, RecordedAccount>();
  readonly #accountKeys = new Map<string, ReadonlySet<string>>();
  /** Times of failed validations by directory and identifier. Equal times are stored once, as in a string set. */
  readonly #identifierFailures = new Map<string, readonly string[]>();

  readonly #orderBuckets = new Map<string, OrderBucket>();
  readonly #busyReplies = new Map<string, BusyReply>();

  // ---- for tests

  /** Sets fields of a certificate's item, as an earlier execution might have written them. */
  put(name: string, record: Partial<LedgerCertificate>): void {
    this.#certificates.set(name, { ...this.get(name), ...record });
  }

  get(name: string): LedgerCertificate {
    return this.#certificates.get(name) ?? emptyRecord;
  }

  /** Returns the names of all items of certificates. */
  names(): readonly string[] {
    return [...this.#certificates.keys()];
  }

  putSetLease(set: string, holder: Omit<LeaseHolder, 'orders'>): void {
    this.#setLeases.set(set, { ...holder, orders: false });
  }

  /** Returns the ARN of the execution that holds the lease of an identifier set. */
  setLease(set: string): string | null {
    return this.#setLeases.get(set)?.execution ?? null;
  }

  /** Sets the issues of an identifier set that earlier executions counted, as times by order URL. */
  putIssues(set: string, issues: Readonly<Record<string, string>>): void {
    this.#issues.set(set, issues);
  }

  /** Sets the times of failed validations that earlier executions counted. */
  putIdentifierFailures(directoryUrl: string, identifier: string, times: readonly string[]): void {
    this.#identifierFailures.set(`${directoryUrl}#${identifier}`, [...new Set(times)]);
  }

  putOrderBucket(directoryUrl: string, bucket: OrderBucket): void {
    this.#orderBuckets.set(directoryUrl, bucket);
  }

  // ---- the port

  async certificate(name: string): Promise<LedgerCertificate> {
    return this.get(name);
  }

  async withLeftovers(): Promise<readonly string[]> {
    return [...this.#certificates].flatMap(([name, { leftovers }]) => (leftovers.length > 0 ? [name] : []));
  }

  async certificates(names: readonly string[]): Promise<ReadonlyMap<string, LedgerCertificate>> {
    if (names.length > 100) throw new Error(`BatchGetItem takes 100 keys, not ${names.length}.`);
    return new Map(
      names.flatMap((name) => {
        const record = this.#certificates.get(name);
        return record ? [[name, record] as const] : [];
      }),
    );
  }

  async takeLease(
    key: LeaseKey,
    { certificate, execution }: { readonly certificate: string; readonly execution: string },
    now: Date,
    instead?: string,
  ): Promise<LeaseHolder | null> {
    const mayTake = (holder: string | null) => holder === null || holder === execution || holder === instead;
    const taken = { execution, since: now.toISOString(), orders: false };
    if ('certificate' in key) {
      const { lease, leasedAt } = this.get(key.certificate);
      const orders = this.#ordering.get(key.certificate) === lease;
      if (!mayTake(lease)) return { execution: lease ?? '', since: leasedAt ?? '', orders };
      const { firstLeasedAt = taken.since } = this.get(key.certificate);
      this.put(key.certificate, { lease: taken.execution, leasedAt: taken.since, firstLeasedAt });
      return null;
    }
    this.#holding(certificate, execution);
    this.#ordering.set(certificate, execution);
    this.#leasedSets.set(certificate, (this.#leasedSets.get(certificate) ?? new Set()).add(key.set));
    const holder = this.#setLeases.get(key.set) ?? null;
    if (holder && !mayTake(holder.execution)) return holder;
    this.#setLeases.set(key.set, taken);
    return null;
  }

  async release(certificate: string, execution: string): Promise<void> {
    for (const set of this.#leasedSets.get(certificate) ?? []) {
      if (this.setLease(set) === execution) this.#setLeases.delete(set);
    }
    if (this.get(certificate).lease !== execution) return;
    this.#leasedSets.delete(certificate);
    this.#ordering.delete(certificate);
    this.put(certificate, { lease: null, leasedAt: null });
  }

  async assertLease(certificate: string, execution: string): Promise<LedgerCertificate> {
    return this.#holding(certificate, execution);
  }

  async saveOrder(certificate: string, order: SavedOrder, values: readonly TxtValue[]): Promise<void> {
    const { leftovers } = this.#holding(certificate, order.execution);
    const all = [...leftovers, ...values.map(({ hostedZoneId, name, value }) => ({ hostedZoneId, name, value }))];
    this.put(certificate, { order, leftovers: all.filter((each, index) => all.findIndex(sameValue(each)) === index) });
  }

  async removeLeftovers(certificate: string, values: readonly TxtValue[]): Promise<void> {
    if (!this.#certificates.has(certificate)) return;
    const { leftovers } = this.get(certificate);
    this.put(certificate, { leftovers: leftovers.filter((left) => !values.some(sameValue(left))) });
  }

  async recordLeftoversReported(
    certificate: string,
    execution: string,
    at: Date,
    forgotten: readonly TxtValue[],
  ): Promise<void> {
    this.#holding(certificate, execution);
    await this.removeLeftovers(certificate, forgotten);
    this.put(certificate, { leftoversReportedAt: at.toISOString() });
  }

  async recordRevocation(certificate: string, revokedVersion: string): Promise<void> {
    if (this.#certificates.has(certificate)) this.put(certificate, { revokedVersion });
  }

  async recordCurrent(certificate: string, execution: string, current: CertificateFacts): Promise<void> {
    this.#holding(certificate, execution);
    this.put(certificate, { current });
  }

  async recordDelivery(certificate: string, execution: string, region: string, delivery: Delivery): Promise<void> {
    const { deliveries } = this.#holding(certificate, execution);
    this.put(certificate, { deliveries: { ...deliveries, [region]: delivery } });
  }

  async recordPause(certificate: string, until: string | null): Promise<void> {
    const { pausedUntil: _, ...record } = this.get(certificate);
    this.#certificates.set(certificate, until === null ? record : { ...record, pausedUntil: until });
  }

  postpone(certificate: string, since: Date | null): void {
    const { postponedSince: _, postponedReportedAt, ...record } = this.get(certificate);
    const kept = postponedReportedAt === undefined ? record : { ...record, postponedReportedAt };
    this.#certificates.set(certificate, since ? { ...kept, postponedSince: since.toISOString() } : record);
  }

  async recordServed(certificate: string, served: EndpointCheck): Promise<void> {
    if (this.get(certificate).current?.versionId === served.versionId) this.put(certificate, { served });
  }

  async recordComparison(certificate: string, { versionId, outside, imports }: Comparison): Promise<boolean> {
    const { outside: _, ...record } = this.get(certificate);
    const { lease, current, deliveries } = record;
    const isSame = Object.entries(imports).every(([region, { arn }]) => deliveries[region]?.arn === arn);
    if (lease !== null || current?.versionId !== versionId || !isSame) return false;
    const compared = Object.entries(imports).map(([region, { found }]) => {
      const { found: before, ...delivery } = deliveries[region] as Delivery;
      return [region, { ...delivery, ...(found !== undefined && { found }) }] as const;
    });
    this.#certificates.set(certificate, {
      ...record,
      ...(outside && { outside }),
      deliveries: { ...deliveries, ...Object.fromEntries(compared) },
    });
    return true;
  }

  async dropOutsideChanges(certificate: string, execution: string): Promise<void> {
    const { outside: _, ...record } = this.#holding(certificate, execution);
    this.#certificates.set(certificate, record);
  }

  async recordAccess(
    certificate: string,
    execution: string,
    access: string,
    tagKeys?: readonly string[],
  ): Promise<void> {
    this.#holding(certificate, execution);
    this.put(certificate, { access, ...(tagKeys && { tagKeys }) });
  }

  async account(directoryUrl: string): Promise<RecordedAccount | null> {
    return this.#accounts.get(directoryUrl) ?? null;
  }

  async recordAccount(directoryUrl: string, account: IssuerAccount, now: Date): Promise<void> {
    this.#accounts.set(directoryUrl, { ...account, readAt: now.toISOString() });
  }

  async accountKeys(directoryUrl: string): Promise<readonly string[]> {
    return [...(this.#accountKeys.get(directoryUrl) ?? [])];
  }

  async recordAccountKey(directoryUrl: string, fingerprint: string): Promise<void> {
    this.#accountKeys.set(directoryUrl, new Set([...(this.#accountKeys.get(directoryUrl) ?? []), fingerprint]));
  }

  async markAccountStale(directoryUrl: string): Promise<void> {
    const account = this.#accounts.get(directoryUrl);
    if (account) this.#accounts.set(directoryUrl, { ...account, readAt: null });
  }

  async dropOrder(certificate: string, execution: string, orderUrl: string): Promise<void> {
    const { order } = this.#holding(certificate, execution);
    if (order?.url === orderUrl) this.put(certificate, { order: null });
  }

  async saveRenewalInfo(certificate: string, renewalInfo: SavedRenewalInfo, renewalTime: Date): Promise<void> {
    const { current } = this.get(certificate);
    if (current?.certificateId === renewalInfo.certificateId)
      this.put(certificate, { renewalInfo, renewalTime: renewalTime.toISOString() });
  }

  async recordAnnounced(certificate: string, execution: string, announcedVersion: string): Promise<void> {
    this.#holding(certificate, execution);
    this.put(certificate, { announcedVersion });
  }

  async recordSuccess(
    certificate: string,
    execution: string,
    { renewalTime, announcedVersion }: RecordedSuccess,
  ): Promise<void> {
    this.#holding(certificate, execution);
    const due = renewalTime && { renewalTime: renewalTime.toISOString() };
    const announced = announcedVersion !== null && { announcedVersion };
    this.put(certificate, { order: null, failure: null, notBefore: null, ...due, ...announced });
  }

  async recordFailure(
    certificate: string,
    execution: string,
    failure: Omit<RecordedFailure, 'count' | 'issuerFailures' | 'first'>,
    { notBefore, issuersFault }: { readonly notBefore: string | null; readonly issuersFault: boolean },
  ): Promise<void> {
    const before = this.#holding(certificate, execution).failure;
    if (before?.last === failure.last) return;
    const count = (before?.count ?? 0) + 1;
    const issuerFailures = (before?.issuerFailures ?? 0) + (issuersFault ? 1 : 0);
    const first = before && { first: before.first ?? before.last };
    this.put(certificate, { failure: { ...failure, count, issuerFailures, ...first }, notBefore });
  }

  async issues(setHash: string, now: Date): Promise<Readonly<Record<string, string>>> {
    return issuesToday(this.#issues.get(setHash) ?? {}, now);
  }

  async countIssue(setHash: string, orderUrl: string, now: Date): Promise<void> {
    this.putIssues(setHash, { [orderUrl]: now.toISOString(), ...this.#issues.get(setHash) });
  }

  async refundIssue(setHash: string, orderUrl: string): Promise<void> {
    const { [orderUrl]: refunded, ...others } = this.#issues.get(setHash) ?? {};
    this.putIssues(setHash, others);
  }

  async allowIssue(setHash: string): Promise<void> {
    for (const orderUrl of spentIssues(this.#issues.get(setHash) ?? {})) await this.refundIssue(setHash, orderUrl);
  }

  async orderBucket(directoryUrl: string): Promise<OrderBucket | null> {
    return this.#orderBuckets.get(directoryUrl) ?? null;
  }

  async debitOrder(directoryUrl: string, execution: string, limit: OrderLimit, now: Date): Promise<void> {
    const debited = debitedBucket(this.#orderBuckets.get(directoryUrl) ?? null, execution, limit, now);
    if (debited) this.putOrderBucket(directoryUrl, debited);
  }

  async busyReply(directoryUrl: string): Promise<BusyReply | null> {
    return this.#busyReplies.get(directoryUrl) ?? null;
  }

  async recordBusyReply(directoryUrl: string, reply: BusyReply): Promise<void> {
    if (this.#busyReplies.get(directoryUrl)?.certificate !== reply.certificate)
      this.#busyReplies.set(directoryUrl, reply);
  }

  async identifierFailures(
    directoryUrl: string,
    identifiers: readonly string[],
    now: Date,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    return new Map(
      identifiers.map((identifier) => {
        const times = this.#identifierFailures.get(`${directoryUrl}#${identifier}`) ?? [];
        return [identifier, failuresThisHour(times, now)];
      }),
    );
  }

  async countIdentifierFailures(directoryUrl: string, identifiers: readonly string[], now: Date): Promise<void> {
    for (const identifier of identifiers) {
      const before = this.#identifierFailures.get(`${directoryUrl}#${identifier}`) ?? [];
      this.putIdentifierFailures(directoryUrl, identifier, [...before, now.toISOString()]);
    }
  }

  #holding(certificate: string, execution: string): LedgerCertificate {
    const record = this.get(certificate);
    if (record.lease !== execution) {
      throw new LeaseLostError({
        what: `${execution} does not hold the lease of ${certificate}: ${record.lease} does.`,
        certificate,
      });
    }
    return record;
  }
}
