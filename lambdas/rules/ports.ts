import type { NewArnReason } from './acm-import.ts';
import type {
  CertificateFacts,
  Delivery,
  Issuer,
  IssuerAccount,
  KeyType,
  OrderReference,
  PendingChange,
  Replica,
  ServedCertificate,
  TxtValue,
  ZoneRole,
} from './contract.ts';
import type { ProblemDocument } from './errors.ts';

/**
 * What the steps ask of the world. `acme/`, `aws/` and `dns/` implement these; `test/fakes/` does in memory.
 * Every AWS port throws `ThrottledError` and `AccessDeniedError` for those two causes, naming the call and the resource.
 */

// ---- Ledger (DynamoDB) --------------------------------------------------------------------------------------------

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
  /** Hash of the readers and replicas that the secret has (`rules/access.ts`). */
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
  strikeLeftovers(certificate: string, values: readonly TxtValue[]): Promise<void>;
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
  account(directoryUrl: string): Promise<IssuerAccount | null>;
  recordAccount(directoryUrl: string, account: IssuerAccount): Promise<void>;
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

// ---- Step Functions -----------------------------------------------------------------------------------------------

export interface Executions {
  /** DescribeExecution. `live`: RUNNING or PENDING_REDRIVE; `unknown`: no such execution. */
  status(arn: string): Promise<'live' | 'ended' | 'unknown'>;
}

// ---- Secrets Manager ----------------------------------------------------------------------------------------------

/** `certificates/<name>`, as DescribeSecret shows it: no value is read. */
export interface SecretDescription {
  readonly arn: string;
  /** Tagged `perennial:stack` with our stack's name. */
  readonly ours: boolean;
  /** RFC 3339; set when scheduled for deletion. */
  readonly deletedAt: string | null;
  /** The version labelled AWSCURRENT; `null` while that is the placeholder. */
  readonly currentVersion: string | null;
}

/** The public format of a certificate secret. PEM; times RFC 3339. */
export interface CertificateSecretValue {
  readonly format: 1;
  /** Leaf. */
  readonly certificate: string;
  /** Issuers upward, each once, without a self-signed root. */
  readonly chain: string;
  /** Leaf and chain. */
  readonly fullChain: string;
  /** PKCS#8. */
  readonly privateKey: string;
  readonly identifiers: readonly string[];
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly issuer: string;
  readonly keyType: KeyType;
  readonly directoryUrl: string;
  readonly profile: string | null;
}

export interface CertificateSecrets {
  /** `null`: no such secret. */
  describe(certificate: string): Promise<SecretDescription | null>;
  /** Makes the secret with a placeholder, tagged. One that is there is left alone. */
  create(certificate: string): Promise<void>;
  /**
   * Stages a key for this order, label CANDIDATE. Returns the key that won: ours, or the one staged before, unless that is known to be
   * compromised since.
   */
  stageKey(certificate: string, orderUrl: string, privateKey: string): Promise<string>;
  /** The key staged for this order; `null` if none was. Throws `CompromisedKeyError` when there is only a compromised one. */
  stagedKey(certificate: string, orderUrl: string): Promise<string | null>;
  /** Puts the certificate's version (once for an order, whoever calls again) and returns its id. AWSCURRENT stays. */
  putCertificate(certificate: string, orderUrl: string, value: CertificateSecretValue): Promise<string>;
  /**
   * Moves AWSCURRENT to this version from whichever has it. Already there is success. Returns the secret's ARN, and whether this is seen to be
   * the first certificate in it.
   */
  makeCurrent(certificate: string, versionId: string): Promise<{ readonly arn: string; readonly first: boolean }>;
  /**
   * Readers of other accounts and replicas become these: the resource policy is ours and replaced whole, replicas that are missing are
   * added and those not named are removed. What is taken away comes first, and is taken away whatever else is refused. `false`: a
   * replica is not there yet. Throws `ThrottledError`, and for everything that is refused `SecretAccessError`.
   */
  share(
    certificate: string,
    access: { readonly readers: readonly string[]; readonly replicas: readonly Replica[] },
  ): Promise<boolean>;
  /** The current certificate. Throws `UnreadableSecretError` when the value is not of our format. */
  readCurrent(certificate: string): Promise<{
    readonly arn: string;
    readonly versionId: string;
    readonly value: CertificateSecretValue;
    /** It was revoked because of its key: `reuseKey` does not hold for it. */
    readonly compromised?: boolean;
  }>;
}

export interface StoredCertificate {
  readonly versionId: string;
  /** It has the label AWSCURRENT. */
  readonly current: boolean;
  readonly value: CertificateSecretValue;
}

/** The versions of a certificate's secret, for its revocation. */
export interface CertificateVersions {
  /** Every version that holds a certificate, also those that no label is on any more. */
  list(certificate: string): Promise<readonly StoredCertificate[]>;
  /** Its key is never to be used for another certificate: label COMPROMISED, which `readCurrent` reports. */
  markCompromised(certificate: string, versionId: string): Promise<void>;
}

export interface AcmeAccount {
  /** PKCS#8 PEM, P-256. */
  readonly privateKey: string;
  /** `null` until the CA has it. RFC 8555 §7.3 */
  readonly url: string | null;
  /** The secret's version. */
  readonly version: string;
  /** Stored before a change of key whose end is not known: the CA says which of the two is live. RFC 8555 §7.3.5 */
  readonly nextPrivateKey?: string;
}

export interface AccountSecrets {
  read(directoryUrl: string): Promise<AcmeAccount | null>;
  /** Key first: whoever was first wins, and what is stored comes back. */
  create(directoryUrl: string, privateKey: string): Promise<AcmeAccount>;
  saveUrl(directoryUrl: string, account: AcmeAccount, url: string): Promise<AcmeAccount>;
  /** Compare and swap: takes the place of `before` while that is current. What is current then comes back, ours or another's. */
  replace(directoryUrl: string, before: AcmeAccount, after: Omit<AcmeAccount, 'version'>): Promise<AcmeAccount>;
}

// ---- Route 53 -----------------------------------------------------------------------------------------------------

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

// ---- DNS ----------------------------------------------------------------------------------------------------------

export interface NameServers {
  /** The TXT values of a name that this server (host name, address or address:port) answers with; none for NXDOMAIN. */
  txt(server: string, name: string): Promise<readonly string[]>;
}

/** What was found, or in words why nothing could be found out (a timeout, SERVFAIL): never thrown. */
export type LookUp<T> = { readonly found: T } | { readonly failed: string };

/** RFC 8659 §4.1 */
export interface CaaRecord {
  /** RFC 8659 §4.1: a CA that does not know the tag must not issue. */
  readonly critical: boolean;
  /** Lower case. */
  readonly tag: string;
  readonly value: string;
}

/** What servers say that are authoritative, found from the root down: no resolver in between learns that a name is not there yet. */
export interface AuthoritativeDns {
  /** Host names of the servers that the parent of this zone delegates it to; none: it does not. */
  delegation(zone: string): Promise<LookUp<readonly string[]>>;
  /** Target of the CNAME at this very name; `null`: there is none. One link of a chain. */
  cname(name: string): Promise<LookUp<string | null>>;
  /**
   * The relevant CAA set: of the name (behind its CNAMEs), or of the closest domain above it that has one. RFC 8659 §3. `null`: none up
   * to the root.
   */
  caa(name: string): Promise<LookUp<{ readonly domain: string; readonly records: readonly CaaRecord[] } | null>>;
  /**
   * Whether one of the servers that this zone is delegated to has an address in common with one of the others: white-label name servers have
   * other names.
   */
  sameServers(zone: string, some: readonly string[], others: readonly string[]): Promise<LookUp<boolean>>;
}

/** A validating resolver over HTTPS (RFC 8484): whether what is there is signed as it says. A warning in words; `null`: nothing to say. */
export interface Dnssec {
  warning(name: string): Promise<string | null>;
}

// ---- TLS ----------------------------------------------------------------------------------------------------------

/** The leaf that a server shows. */
export interface ShownCertificate {
  /** Hex, lower case. */
  readonly serialNumber: string;
  /** RFC 3339. */
  readonly notAfter: string;
}

export interface TlsEndpoints {
  /**
   * What a server shows to a client that asks by this name (`host:port`) and takes this kind of key, since it may hold an ECDSA and an
   * RSA certificate of the same names; to any client where it has none of that kind. Never throws.
   */
  shown(endpoint: string, keyType: KeyType): Promise<LookUp<ShownCertificate>>;
}

// ---- ACME ---------------------------------------------------------------------------------------------------------

/** RFC 8555 §7.1.3. Unknown statuses are possible. */
export interface Order extends OrderReference {
  readonly status: string;
  readonly authorizations: readonly string[];
  readonly certificate: string | null;
  readonly error: ProblemDocument | null;
  /** Seconds; `null` when the reply had none. */
  readonly retryAfter: number | null;
}

export interface Challenge {
  readonly type: string;
  readonly url: string;
  readonly status: string;
  /** Absent in some challenge types. */
  readonly token: string | null;
  readonly error: ProblemDocument | null;
}

export interface Authorization {
  readonly url: string;
  readonly status: string;
  /** As ordered: with its star. RFC 8555 §7.1.4 */
  readonly identifier: string;
  readonly challenges: readonly Challenge[];
}

/** One CA seen from one account. Each call is one request, but for badNonce (RFC 8555 §6.5). Throws the ACME errors of `errors.ts`. */
export interface CertificateAuthority {
  /** Our account here. No request when the directory is known already. */
  account(): Promise<IssuerAccount>;
  /** `replaces` is passed on where the directory offers renewalInfo. Throws `AlreadyReplacedError`. RFC 9773 §5 */
  newOrder(request: {
    readonly identifiers: readonly string[];
    readonly profile: string | null;
    readonly replaces?: string | null;
  }): Promise<Order>;
  order(url: string): Promise<Order>;
  authorization(url: string): Promise<Authorization>;
  /** The TXT value for a dns-01 challenge. RFC 8555 §8.4 */
  challengeValue(challenge: Challenge): string;
  /** RFC 8555 §7.5.1 */
  respond(challengeUrl: string): Promise<void>;
  /** RFC 8555 §7.4, with a CSR for these identifiers signed by this key. */
  finalize(order: OrderReference, identifiers: readonly string[], privateKey: string): Promise<Order>;
  /** The PEM chain, leaf first, and the URLs of alternates (`Link: rel="alternate"`). RFC 8555 §7.4.2 */
  certificate(url: string): Promise<{ readonly pem: string; readonly alternates: readonly string[] }>;
}

/** RFC 8555 §7.3.4 */
export interface ExternalAccountKey {
  readonly kid: string;
  /** base64url */
  readonly hmacKey: string;
}

export interface Acme {
  /** newAccount; an account of this key that exists already comes back. RFC 8555 §7.3 */
  newAccount(issuer: Issuer, privateKey: string, externalAccountKey?: ExternalAccountKey): Promise<string>;
  /** newAccount with onlyReturnExisting; `null`: the CA knows no account of this key. RFC 8555 §7.3.1 */
  findAccount(issuer: Issuer, privateKey: string): Promise<string | null>;
  /** RFC 8555 §7.3.5 */
  changeKey(
    issuer: Issuer,
    account: { readonly url: string; readonly privateKey: string },
    newPrivateKey: string,
  ): Promise<void>;
  /** RFC 8555 §7.3.6 */
  deactivate(issuer: Issuer, account: { readonly url: string; readonly privateKey: string }): Promise<void>;
  /** RFC 8555 §7.6; signed by the account, or by the certificate's own key. Revoked already is success. */
  revoke(
    issuer: Issuer,
    signer: { readonly url: string; readonly privateKey: string } | { readonly certificateKey: string },
    certificate: string,
    reason: number,
  ): Promise<void>;
  connect(issuer: Issuer, account: { readonly url: string; readonly privateKey: string }): CertificateAuthority;
}

// ---- ARI ----------------------------------------------------------------------------------------------------------

/** RFC 9773 §4.2. `end` is after `start`. */
export interface RenewalInfo {
  readonly start: Date;
  readonly end: Date;
  readonly explanationUrl: string | null;
  /** Seconds from the Retry-After header; `null`: missing or not understood. */
  readonly retryAfter: number | null;
}

export interface RenewalInfos {
  /**
   * One unauthenticated GET at the directory that issued it. `'unsupported'`: the directory names no renewalInfo. `'failed'`: anything
   * else that is not a valid window; `temporary` says whether it may be better soon (5xx, timeouts) or not (4xx, an invalid object).
   */
  fetch(
    issuer: Pick<Issuer, 'name' | 'directoryUrl' | 'replyTimeout'>,
    certificateId: string,
  ): Promise<RenewalInfo | 'unsupported' | { readonly failed: string; readonly temporary: boolean }>;
}

// ---- Keys ---------------------------------------------------------------------------------------------------------

/** A new private key, PKCS#8 PEM. */
export type NewPrivateKey = (keyType: KeyType) => Promise<string>;

// ---- ACM ----------------------------------------------------------------------------------------------------------

export interface AcmCertificates {
  /** An import of ours, by its tags, among those of this key type that share a name with the certificate; `null`: none. */
  find(region: string, certificate: string, identifiers: readonly string[], keyType: KeyType): Promise<string | null>;
  /**
   * A first import carries tags; one over an ARN does not. `notFound`: the ARN is gone; a `NewArnReason`: ACM refuses this certificate
   * over this ARN, and takes it under a new one. Throws `ImportRefusedError`, `ImportLimitError`.
   */
  import(
    region: string,
    certificate: string,
    pem: { readonly certificate: string; readonly chain: string; readonly privateKey: string },
    arn: string | null,
  ): Promise<{ readonly arn: string } | 'notFound' | NewArnReason>;
}

// ---- The run itself -----------------------------------------------------------------------------------------------

/** Time and chance, so that rules and tests own them. */
export interface Clock {
  now(): Date;
  /** Only for a compare-and-swap that lost a race: milliseconds, at most 5 s in a step. */
  sleep(milliseconds: number): Promise<void>;
  /** 0 up to, not including, 1. */
  random(): number;
}

/** Lines for the operator, beside the one line that every step writes. */
export interface StepLog {
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** CloudWatch metrics of the fleet in embedded metric format. */
export interface FleetMetrics {
  fleet(values: Readonly<Record<'Certificates' | 'Due' | 'Postponed' | 'Failing' | 'NotServed', number>>): void;
  /** Of the certificate that expires first; nothing is emitted when none is issued. */
  minimumDaysToExpiry(days: number): void;
}
