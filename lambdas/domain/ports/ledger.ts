import type {
  CertificateFacts,
  Delivery,
  IssuerAccount,
  RecordedAccount,
  TxtValue,
  Validity,
} from '../contract/certificate-facts.ts';
import type { OrderLimit } from '../contract/config.ts';
import type {
  EndpointCheck,
  LedgerCertificate,
  OutsideChanges,
  RecordedFailure,
  SavedOrder,
  SavedRenewalInfo,
} from './ledger-certificate.ts';

// Ports are the interfaces through which steps reach the outside. `adapters/` implements them, and `test/fakes/` implements them in memory.
// Every port to AWS throws `ThrottledError` and `AccessDeniedError` with the call and the resource.

/** The result of comparing one certificate with what is there. */
export interface Comparison {
  /** Version that was current in the ledger. */
  readonly versionId: string;
  /** `null` if nothing differs. */
  readonly outside: OutsideChanges | null;
  /** What is under the ARN of each delivery, by region, as `Delivery.found`. */
  readonly imports: Readonly<Record<string, { readonly arn: string; readonly found: Validity | null | undefined }>>;
}

/** The item `orders#<directory URL>`: a token bucket for the new orders at a directory. */
export interface OrderBucket {
  /** Orders that could start at the time `at`, with fractions. */
  readonly tokens: number;
  /** Time of the last debit, in RFC 3339. */
  readonly at: string;
  /** Executions that were debited lately, as times (seconds since 1970) by a hash of the ARN. */
  readonly debits: Readonly<Record<string, number>>;
}

/** A reply in which a CA asked to wait before any request, for any certificate. It is part of the item `orders#<directory URL>`. */
export interface BusyReply {
  /** Time at which the ledger recorded it, in RFC 3339. */
  readonly at: string;
  /** Time for which no requests are sent for other certificates, in seconds. */
  readonly seconds: number;
  /** The certificate whose request the CA answered. */
  readonly certificate: string;
}

/** What a success saves. */
export interface RecordedSuccess {
  readonly renewalTime: Date | null;
  /** Version of the secret for which the event `Certificate Renewed` was published. */
  readonly announcedVersion: string | null;
}

/** The lease of a certificate, or of a set of names. */
export type LeaseKey = { readonly certificate: string } | { readonly set: string };

/** The execution that holds a lease. */
export interface LeaseHolder {
  readonly execution: string;
  /** Time at which it took the lease, in RFC 3339. */
  readonly since: string;
  /** Whether it has taken the lease of a set of names, which it does before it orders. */
  readonly orders: boolean;
}

/**
 * The ledger. Reads are strongly consistent and writes are conditional. Every write with an `execution` requires that this execution holds the
 * lease of the certificate, and throws `LeaseLostError` otherwise.
 */
export interface Ledger {
  certificate(name: string): Promise<LedgerCertificate>;
  /** Reads at most 100 certificates with BatchGetItem. Certificates without an item are absent from the map. */
  certificates(names: readonly string[]): Promise<ReadonlyMap<string, LedgerCertificate>>;
  /** Returns the names of all certificates that have left TXT values in DNS. It reads the whole table, with eventual consistency. */
  withLeftovers(): Promise<readonly string[]>;
  /**
   * Takes a lease that is free or already held by this execution. Returns `null` on success, else the holder. `instead` is an execution that has
   * ended, whose lease may be taken too. A set lease is also saved in the item of the certificate, so that `release` finds it.
   */
  takeLease(
    key: LeaseKey,
    run: { readonly certificate: string; readonly execution: string },
    now: Date,
    instead?: string,
  ): Promise<LeaseHolder | null>;
  /** Releases the certificate lease and the set lease, if this execution holds them. Never throws `LeaseLostError`. */
  release(certificate: string, execution: string): Promise<void>;
  /** Returns the item of the certificate. Throws `LeaseLostError` unless this execution holds the certificate's lease. */
  assertLease(certificate: string, execution: string): Promise<LedgerCertificate>;
  /** Saves the order and adds the TXT values that will be written, in one write. */
  saveOrder(certificate: string, order: SavedOrder, values: readonly TxtValue[]): Promise<void>;
  /** Removes TXT values that are no longer in DNS. It needs no lease. */
  removeLeftovers(certificate: string, values: readonly TxtValue[]): Promise<void>;
  /** Saves the time of an event about TXT values that could not be removed, and removes these values. */
  recordLeftoversReported(
    certificate: string,
    execution: string,
    at: Date,
    forgotten: readonly TxtValue[],
  ): Promise<void>;
  /** Removes the saved order if it is this one. Its TXT values stay in `leftovers`. */
  dropOrder(certificate: string, execution: string, orderUrl: string): Promise<void>;
  /** Saves a window, and the renewal time that follows from it, if the current certificate has its id. It needs no lease. */
  saveRenewalInfo(certificate: string, renewalInfo: SavedRenewalInfo, renewalTime: Date): Promise<void>;
  /** Saves the version that was revoked. It needs no lease, because it applies to this version only. */
  recordRevocation(certificate: string, versionId: string): Promise<void>;
  /** Saves until when renewals are paused (RFC 3339). `null` ends the pause. It needs no lease, and creates the record if there is none. */
  recordPause(certificate: string, until: string | null): Promise<void>;
  recordCurrent(certificate: string, execution: string, current: CertificateFacts): Promise<void>;
  recordDelivery(certificate: string, execution: string, region: string, delivery: Delivery): Promise<void>;
  /** Saves an endpoint check. It needs no lease, because it applies to one version only. */
  recordServed(certificate: string, served: EndpointCheck): Promise<void>;
  /** Saves what a comparison found. Writes nothing and returns `false` if a lease is held, or if another version or another ARN is current. */
  recordComparison(certificate: string, comparison: Comparison): Promise<boolean>;
  /** Removes the changes that a comparison found, which no longer exist. */
  dropOutsideChanges(certificate: string, execution: string): Promise<void>;
  /** Saves the hash of the tags, readers and replicas of the secret. Without `tagKeys` the saved keys stay. */
  recordAccess(certificate: string, execution: string, access: string, tagKeys?: readonly string[]): Promise<void>;
  /** The account at this directory, as the last order or registration saved it. `null` if there is none. */
  account(directoryUrl: string): Promise<RecordedAccount | null>;
  /** Saves the account. `now` is the time at which the directory was read. */
  recordAccount(directoryUrl: string, account: IssuerAccount, now: Date): Promise<void>;
  /** Fingerprints of the keys that were stored for the account at this directory. Empty if there are none. */
  accountKeys(directoryUrl: string): Promise<readonly string[]>;
  /** Adds a fingerprint. A second call for the same one changes nothing. */
  recordAccountKey(directoryUrl: string, fingerprint: string): Promise<void>;
  /** Sets `readAt` of the account to `null`, if there is one. */
  markAccountStale(directoryUrl: string): Promise<void>;
  /** Saves the version for which the event `Certificate Renewed` was published. */
  recordAnnounced(certificate: string, execution: string, versionId: string): Promise<void>;
  /** Removes order, failure and `notBefore`, and saves the rest in the same update. `null` keeps the saved value. */
  recordSuccess(certificate: string, execution: string, success: RecordedSuccess): Promise<void>;
  /** Saves the failure and increments its counts. `issuerFailures` grows for failures of the issuer only. The saved order stays. */
  recordFailure(
    certificate: string,
    execution: string,
    failure: Omit<RecordedFailure, 'count' | 'issuerFailures' | 'first'>,
    next: { readonly notBefore: string | null; readonly issuersFault: boolean },
  ): Promise<void>;
  /** Times (RFC 3339) of the last 24 h at which certificates of this set were finalized, by order URL. */
  issues(setHash: string, now: Date): Promise<Readonly<Record<string, string>>>;
  /** Counts an order. Another call for the same order changes nothing. */
  countIssue(setHash: string, orderUrl: string, now: Date): Promise<void>;
  /** Removes an order from the count after the CA has not issued a certificate. */
  refundIssue(setHash: string, orderUrl: string): Promise<void>;
  /** Lets the next certificate of the set pass the issue cap, after a revocation. */
  allowIssue(setHash: string): Promise<void>;
  /** The bucket of new orders at this directory. `null` if it is full, because no order was debited yet. */
  orderBucket(directoryUrl: string): Promise<OrderBucket | null>;
  /** Takes a token for an order of this execution, if there is one. Another call for the same execution changes nothing. */
  debitOrder(directoryUrl: string, execution: string, limit: OrderLimit, now: Date): Promise<void>;
  /** The last reply of this directory that asked to wait. `null` if there was none. Its time may have passed. */
  busyReply(directoryUrl: string): Promise<BusyReply | null>;
  /**
   * Saves a reply that asked to wait, unless the last one was to a request for the same certificate. Otherwise one certificate whose requests alone
   * are refused would delay all other certificates of the CA again and again.
   */
  recordBusyReply(directoryUrl: string, reply: BusyReply): Promise<void>;
  /** Times (RFC 3339) of failed validations in the last hour, by identifier, for the account at this directory. */
  identifierFailures(
    directoryUrl: string,
    identifiers: readonly string[],
    now: Date,
  ): Promise<ReadonlyMap<string, readonly string[]>>;
  countIdentifierFailures(directoryUrl: string, identifiers: readonly string[], now: Date): Promise<void>;
}
