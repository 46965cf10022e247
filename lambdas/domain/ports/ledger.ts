import type {
  CertificateFacts,
  Delivery,
  IssuerAccount,
  OrderReference,
  RecordedAccount,
  ServedCertificate,
  TxtValue,
} from '../contract/certificate-facts.ts';

/**
 * What the steps ask of the world. `acme/`, `aws/` and `dns/` implement these; `test/fakes/` does in memory.
 * Every AWS port throws `ThrottledError` and `AccessDeniedError` for those two causes, naming the call and the resource.
 */

export interface SavedOrder extends OrderReference {
  readonly execution: string;
  readonly specHash: string;
  readonly directoryUrl: string;
}

export interface RecordedFailure {
  /** Failures in a row. */
  readonly count: number;
  /** Of those, the ones that are not the operator's to mend: after three of them the next issuer is asked. */
  readonly issuerFailures: number;
  /** RFC 3339. */
  readonly last: string;
  readonly error: string;
  readonly cause: string;
  /** Of the configuration that failed: a mended one is tried at once. Absent before *Check renewal* had one. */
  readonly specHash?: string;
}

/** One `certificate#name` item. A certificate never seen has an empty one. */
export interface LedgerCertificate {
  readonly lease: string | null;
  /** RFC 3339. */
  readonly leasedAt: string | null;
  readonly current: CertificateFacts | null;
  /** By region. */
  readonly deliveries: Readonly<Record<string, Delivery>>;
  readonly order: SavedOrder | null;
  /** Values written, or about to be, and not yet known to be gone. */
  readonly leftovers: readonly TxtValue[];
  readonly failure: RecordedFailure | null;
  /** RFC 3339: nothing is tried for it before, but by force or in an emergency. */
  readonly notBefore: string | null;
  readonly renewalInfo: SavedRenewalInfo | null;
  /** The secret's version that was revoked: while it is current another is due, whatever became of the run that was to replace it. */
  readonly revokedVersion?: string;
  /** What was seen at the endpoints last. */
  readonly served?: EndpointCheck;
  /** Hash of the readers and replicas that the secret has (`rules/certificate/secret-sharing.ts`). */
  readonly access?: string;
}

/** A look at a certificate's endpoints. */
export interface EndpointCheck {
  /** The secret's version that was looked for: for any other it means nothing. */
  readonly versionId: string;
  /** RFC 3339. */
  readonly at: string;
  readonly served: boolean;
  readonly endpoints: readonly ServedCertificate[];
}

/** What the CA last said about one certificate's renewal. RFC 9773 §4 */
export interface SavedRenewalInfo {
  /** Of the certificate it was asked for; for any other it means nothing. */
  readonly certificateId: string;
  /** RFC 3339; both `null` when the last fetch failed and none was good before. */
  readonly start: string | null;
  readonly end: string | null;
  readonly explanationUrl: string | null;
  /** RFC 3339: worth asking again. */
  readonly nextFetch: string;
}

export type LeaseKey = { readonly certificate: string } | { readonly set: string };

export interface LeaseHolder {
  readonly execution: string;
  /** RFC 3339. */
  readonly since: string;
}

/**
 * Strongly consistent reads, conditional writes. Every write that takes an `execution` holds only while that execution has the
 * certificate's lease and throws `LeaseLostError` otherwise.
 */
export interface Ledger {
  certificate(name: string): Promise<LedgerCertificate>;
  /** BatchGetItem; at most 100 names. Certificates never seen are absent from the map. */
  certificates(names: readonly string[]): Promise<ReadonlyMap<string, LedgerCertificate>>;
  /**
   * Takes a lease that is free or ours already; `null` when we have it, else who does. With `instead`, also one that this
   * execution (found dead) still holds. Taking a set's lease notes the set in the certificate's item, so that `release` finds it.
   */
  takeLease(
    key: LeaseKey,
    run: { readonly certificate: string; readonly execution: string },
    now: Date,
    instead?: string,
  ): Promise<LeaseHolder | null>;
  /** Gives back the certificate's lease and its set's, those of them that this execution holds. Never throws `LeaseLostError`. */
  release(certificate: string, execution: string): Promise<void>;
  /** Throws `LeaseLostError` unless this execution holds the certificate's lease. */
  assertLease(certificate: string, execution: string): Promise<void>;
  /** The order and, added to those there, the values about to be written. One write. */
  saveOrder(certificate: string, order: SavedOrder, values: readonly TxtValue[]): Promise<void>;
  /** Strikes values off; needs no lease, since gone is gone. */
  removeLeftovers(certificate: string, values: readonly TxtValue[]): Promise<void>;
  /** Drops the saved order if it is this one; its values stay among the left-overs. */
  dropOrder(certificate: string, execution: string, orderUrl: string): Promise<void>;
  /** Needs no lease: it holds only while the current certificate has this id. */
  saveRenewalInfo(certificate: string, renewalInfo: SavedRenewalInfo): Promise<void>;
  /** Needs no lease: it means something only while this version is current. */
  recordRevocation(certificate: string, versionId: string): Promise<void>;
  recordCurrent(certificate: string, execution: string, current: CertificateFacts): Promise<void>;
  recordDelivery(certificate: string, execution: string, region: string, delivery: Delivery): Promise<void>;
  /** Needs no lease: it means something only while this version is current. */
  recordServed(certificate: string, served: EndpointCheck): Promise<void>;
  /** Readers and replicas of the secret are those of this hash. */
  recordAccess(certificate: string, execution: string, access: string): Promise<void>;
  /** Our account at the CA of this directory, as the last order or registration found it; `null`: none yet. */
  account(directoryUrl: string): Promise<RecordedAccount | null>;
  /** `now`: when the CA's directory was read. */
  recordAccount(directoryUrl: string, account: IssuerAccount, now: Date): Promise<void>;
  /** Sets `readAt` to `null`, where there is an account. */
  markAccountStale(directoryUrl: string): Promise<void>;
  /** Drops order, failure and notBefore. */
  recordSuccess(certificate: string, execution: string): Promise<void>;
  /** Writes the failure with its counts raised by one, the second only for the issuer's failures. The saved order stays. */
  recordFailure(
    certificate: string,
    execution: string,
    failure: Omit<RecordedFailure, 'count' | 'issuerFailures'>,
    next: { readonly notBefore: string | null; readonly issuersFault: boolean },
  ): Promise<void>;
  /** Times (RFC 3339) by order URL at which certificates of this set were about to be issued, the last 24 h. */
  issues(setHash: string, now: Date): Promise<Readonly<Record<string, string>>>;
  /** Counts an order, once however often it is called. */
  countIssue(setHash: string, orderUrl: string, now: Date): Promise<void>;
  /** The CA provably issued nothing. */
  refundIssue(setHash: string, orderUrl: string): Promise<void>;
  /** After a revocation: the next certificate of the set passes the cap. */
  allowIssue(setHash: string): Promise<void>;
  /** Failed validations (RFC 3339) of each identifier by one account in the last hour. The account goes by its directory. */
  identifierFailures(
    directoryUrl: string,
    identifiers: readonly string[],
    now: Date,
  ): Promise<ReadonlyMap<string, readonly string[]>>;
  countIdentifierFailures(directoryUrl: string, identifiers: readonly string[], now: Date): Promise<void>;
}
