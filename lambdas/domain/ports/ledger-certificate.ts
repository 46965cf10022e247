import type {
  CertificateFacts,
  Delivery,
  OrderReference,
  OutsideChange,
  ServedCertificate,
  TxtValue,
} from '../contract/certificate-facts.ts';

/** The item `certificate#<name>`. A certificate without an item has an empty one. */
export interface LedgerCertificate {
  readonly lease: string | null;
  /** Time at which the lease was taken, in RFC 3339. */
  readonly leasedAt: string | null;
  /** Time at which an execution took the lease for the first time, in RFC 3339. */
  readonly firstLeasedAt?: string;
  readonly current: CertificateFacts | null;
  /** Imports into ACM, by region. */
  readonly deliveries: Readonly<Record<string, Delivery>>;
  readonly order: SavedOrder | null;
  /** TXT values that are or may be in DNS. They are saved before they are written. */
  readonly leftovers: readonly TxtValue[];
  /** Time of the last event about TXT values that could not be removed, in RFC 3339. */
  readonly leftoversReportedAt?: string;
  readonly failure: RecordedFailure | null;
  /** No attempt is made before this time (RFC 3339), unless it is forced or an emergency. */
  readonly notBefore: string | null;
  readonly renewalInfo: SavedRenewalInfo | null;
  /** Time at which the renewal of the current certificate is due (RFC 3339), for operators. Decisions compute it again and never read it. */
  readonly renewalTime?: string;
  /** Version of the secret for which the event `Certificate Renewed` was published. Another version that is current has to be announced. */
  readonly announcedVersion?: string;
  /** Version of the secret that was revoked. While it is current, its replacement is an emergency. */
  readonly revokedVersion?: string;
  /** Time until which the operator has paused renewals, in RFC 3339. Only an emergency and `force` pass it. */
  readonly pausedUntil?: string;
  /** Time since which fleet runs leave the due renewal to the next run, because of a limit of its CA, in RFC 3339. Absent if they do not. */
  readonly postponedSince?: string;
  /** Time of the last event `Certificate Renewal Postponed` since then, in RFC 3339. */
  readonly postponedReportedAt?: string;
  /** Time of the last event `Certificate Expiring`, in RFC 3339. */
  readonly expiringReportedAt?: string;
  /** Result of the last endpoint check. */
  readonly served?: EndpointCheck;
  /** Changes that the last comparison found. Absent if it found none. */
  readonly outside?: OutsideChanges;
  /** Hash of the tags, readers and replicas of the secret (`rules/certificate/secret-sharing.ts`). */
  readonly access?: string;
  /** Keys of the operator's tags that the secret has or may have. */
  readonly tagKeys?: readonly string[];
}

/** An order that the ledger keeps until its certificate is stored. */
export interface SavedOrder extends OrderReference {
  readonly execution: string;
  readonly specHash: string;
  readonly directoryUrl: string;
}

/** The failures of a certificate since its last success. */
export interface RecordedFailure {
  /** Failures in a row. */
  readonly count: number;
  /** Failures that the operator cannot fix. After three of them the next issuer is used. */
  readonly issuerFailures: number;
  /** Time of the last failure, in RFC 3339. */
  readonly last: string;
  /** Time of the first failure, in RFC 3339. Absent if it is also the last one. */
  readonly first?: string;
  readonly error: string;
  readonly cause: string;
  /** Whether a limit of a CA or of our own sets the time of the next attempt. Absent if not. */
  readonly limit?: true;
  /** Hash of the configuration that failed. A changed configuration is attempted at once. Absent if *Check renewal* failed before it. */
  readonly specHash?: string;
}

/** The changes that the daily comparison found, if the secret or an import is not as the ledger says. */
export interface OutsideChanges {
  /** Time of the comparison, in RFC 3339. */
  readonly at: string;
  /** Version that was current in the ledger. `storedVersion` says nothing about another one. */
  readonly versionId: string;
  /** Version with the label AWSCURRENT. `null` if the secret does not exist or holds no certificate. */
  readonly storedVersion: string | null;
  readonly changes: readonly OutsideChange[];
}

/** A check of the endpoints of a certificate. */
export interface EndpointCheck {
  /** Version of the secret that was checked for. The result applies to this version only. */
  readonly versionId: string;
  /** Time of the check, in RFC 3339. */
  readonly at: string;
  readonly served: boolean;
  /** Whether servers may still load the certificate. The execution checks again within minutes then. If it is missing, the result is final. */
  readonly again?: boolean;
  readonly endpoints: readonly ServedCertificate[];
  /** The execution that published `Certificate Not Served` about this version last, and when. If it is missing, none did. */
  readonly reported?: { readonly execution: string; readonly at: string };
}

/** The last renewal information of the CA about one certificate. RFC 9773 §4 */
export interface SavedRenewalInfo {
  /** Id of the certificate. The window applies to this certificate only. */
  readonly certificateId: string;
  /** Window in RFC 3339. Both are `null` if no fetch gave a window. */
  readonly start: string | null;
  readonly end: string | null;
  readonly explanationUrl: string | null;
  /** Time of the next fetch, in RFC 3339. */
  readonly nextFetch: string;
}
