/**
 * What travels between the workflows and the steps. Shared by `infra/` and `lambdas/`, so it imports nothing that either
 * side lacks. Absent values are `null`, not missing: JSONata treats a missing field as an error.
 *
 * Nothing in here ever holds a private key or a PEM block: Step Functions keeps all of it for 90 days.
 */

export const keyTypes = ['P-256', 'P-384', 'RSA-2048', 'RSA-3072', 'RSA-4096'] as const;
export type KeyType = (typeof keyTypes)[number];

// ---- Configuration ------------------------------------------------------------------------------------------------

/** An ACME server as data. */
export interface Issuer {
  /** Short name for messages and metrics, e.g. `letsencrypt-staging`. */
  readonly name: string;
  readonly directoryUrl: string;
  readonly termsOfServiceAgreed: boolean;
  /** `mailto:` URLs, RFC 8555 §7.3. */
  readonly contact: readonly string[];
  /** `none`: the CA hands out valid authorizations (ACM's ACME endpoint), so no hosted zone is needed. */
  readonly challenges: 'dns-01' | 'none';
  /** Test CA: no issue cap, and never given to CloudFront. */
  readonly staging: boolean;
  /** First issuances a fleet run may start; `null`: the CA has no such limit. Renewals of the same names are exempt. */
  readonly firstIssuancesPerRun: number | null;
  /**
   * ARN of a secret with `{"kid": "…", "hmacKey": "base64url"}`, RFC 8555 §7.3.4; `@n` in the file where it is a token. `null`: the
   * CA wants none.
   */
  readonly externalAccountBinding: string | null;
  /** Common name of the certificate that the chain shall end in, where the CA offers several; `null`: the CA's own choice. */
  readonly preferredChain: string | null;
  /** Seconds that one answer of this CA may take. */
  readonly replyTimeout: number;
  /** RFC 8555 §7.3.5 works there. */
  readonly keyRollover: boolean;
}

/** A role of another account that is assumed for its hosted zones. */
export interface ZoneRole {
  readonly arn: string;
  /** `sts:ExternalId` that its trust policy asks for. */
  readonly externalId?: string;
}

export interface HostedZone {
  readonly id: string;
  /** A-labels, lower case, no trailing dot. */
  readonly name: string;
  /** Absent: the zone is of the account that we run in. */
  readonly role?: ZoneRole;
  /** Nothing but challenges is in it: CNAMEs lead here, and a TXT set of any name may be written. */
  readonly challengesOnly?: true;
}

/** Another region that a certificate's secret is copied to by Secrets Manager. */
export interface Replica {
  readonly region: string;
  /** ARN of a KMS key of that region; `null`: the account's `aws/secretsmanager`. */
  readonly encryptionKey: string | null;
}

/** One certificate as the steps see it: checked, normalised, with everything that it refers to. */
export interface CertificateSpec {
  readonly name: string;
  /** A-labels, lower case, sorted, no duplicates; a wildcard begins with `*.`. */
  readonly identifiers: readonly string[];
  readonly keyType: KeyType;
  /** draft-ietf-acme-profiles; `null`: the CA's default. */
  readonly profile: string | null;
  /** The one to ask now: the configured one, or a fallback after failures. */
  readonly issuer: Issuer;
  /** All that may issue it, the configured one first: a certificate from any of them is from the right issuer. */
  readonly issuers: readonly Issuer[];
  /** Keeps the current private key at renewal, for those who pin it. */
  readonly reuseKey: boolean;
  /** The cap of two certificates of one set in 24 h does not hold: an explicit override. */
  readonly ignoreIssueCap: boolean;
  /** ACM regions to import into. */
  readonly regions: readonly string[];
  /** The configured zones that the identifiers lie in. */
  readonly hostedZones: readonly HostedZone[];
  /** Where the CNAME at `_acme-challenge.<name>` leads, by name (no star), as told by the configuration: not looked up. */
  readonly challengeAliases?: Readonly<Record<string, string>>;
  /** `host:port` of servers that serve this certificate. */
  readonly endpoints?: readonly string[];
  /** ARNs of principals of other accounts that may read the secret. */
  readonly readers?: readonly string[];
  readonly replicas?: readonly Replica[];
  /** sha256 hex over the versioned list of fields whose change reissues (`rules/spec.ts`). */
  readonly specHash: string;
  /** sha256 hex of directory URL and identifiers: what CAs count duplicates by. */
  readonly setHash: string;
}

/** The file `config.json` beside the check function's bundle: lists refer to each other by index, for size. */
export interface DeployedConfig {
  readonly format: 1;
  /** Seconds between two fleet runs, at most. */
  readonly checkInterval: number;
  readonly issuers: readonly Issuer[];
  readonly hostedZones: readonly HostedZone[];
  readonly certificates: readonly {
    readonly name: string;
    readonly identifiers: readonly string[];
    readonly keyType: KeyType;
    readonly profile: string | null;
    /** The configured one, then the fallbacks. */
    readonly issuers: readonly number[];
    readonly reuseKey: boolean;
    readonly ignoreIssueCap: boolean;
    readonly regions: readonly string[];
    readonly hostedZones: readonly number[];
    readonly challengeAliases?: Readonly<Record<string, string>>;
    readonly endpoints?: readonly string[];
    readonly readers?: readonly string[];
    readonly replicas?: readonly Replica[];
  }[];
}

// ---- Facts --------------------------------------------------------------------------------------------------------

/** A TXT value of ours: where it is written and what. The value is a digest, not a secret. RFC 8555 §8.4 */
export interface TxtValue {
  readonly hostedZoneId: string;
  /** Of the zone. */
  readonly role?: ZoneRole;
  /** `_acme-challenge.example.com`, no trailing dot. */
  readonly name: string;
  /** Unquoted. */
  readonly value: string;
}

/** What the ledger and events know of a stored certificate. Times are RFC 3339 in UTC. */
export interface CertificateFacts {
  readonly secretArn: string;
  /** The secret's version that holds it. */
  readonly versionId: string;
  /** As ordered: the leaf may name more, never less. */
  readonly identifiers: readonly string[];
  readonly serialNumber: string;
  /** RFC 9773 §4.1: AKI and serial. */
  readonly certificateId: string | null;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Distinguished name of the issuing CA certificate. */
  readonly issuer: string;
  readonly keyType: KeyType;
  readonly directoryUrl: string;
  readonly profile: string | null;
  /** `null` after a rebuild from the secret. */
  readonly orderUrl: string | null;
  /** The execution that made it, or found it in the secret. */
  readonly execution: string | null;
}

/** An import into ACM. */
export interface Delivery {
  readonly arn: string;
  /** The secret's version that was imported last. */
  readonly versionId: string;
  readonly keyType: KeyType;
  /** The ARN that this one took the place of with this version, and what a person has to do: every run tells it until the next version. */
  readonly replaced?: { readonly arn: string; readonly action: string };
}

/** What a TLS client sees at one endpoint. */
export interface ServedCertificate {
  /** `host:port` */
  readonly endpoint: string;
  /** `served`: the stored one. `other`: another one, an older as a rule. `unreachable`: no handshake. */
  readonly status: 'served' | 'other' | 'unreachable';
  /** Hex, as in `CertificateFacts`, of the leaf that was shown; `null` when unreachable. */
  readonly serialNumber: string | null;
  /** In words; empty when served. */
  readonly detail: string;
}

/** Our account at a CA, and the names by which CAA records allow that CA (directory meta `caaIdentities`, RFC 8555 §7.1.1). */
export interface IssuerAccount {
  readonly url: string;
  readonly caaIdentities: readonly string[];
}

/** RFC 8555 §7.1.3, as far as later steps need it. */
export interface OrderReference {
  readonly url: string;
  readonly finalize: string;
  readonly expires: string | null;
}

// ---- Steps --------------------------------------------------------------------------------------------------------

/** Who is running: given to every step and logged with every line. */
export interface Run {
  readonly certificate: string;
  /** ARN. The value of our leases. */
  readonly execution: string;
  /** 1 at first; raised by each rung of the retry ladder. */
  readonly attempt: number;
}

/** The event of every function. `order` is the order's URL once there is one, for the log. */
export interface StepEvent {
  readonly step: string;
  readonly run: Run & { readonly order: string | null };
  readonly input: unknown;
}

export interface CheckFleetInput {
  /** 0-based; certificates `batch * 100` to `batch * 100 + 99` of the configuration. */
  readonly batch: number;
  readonly batches: number;
  /** ARN of the fleet's execution. */
  readonly execution: string;
}
export interface CheckFleetOutput {
  /** Most urgent first. */
  readonly due: readonly { readonly certificate: string; readonly executionName: string; readonly reason: string }[];
  readonly checked: number;
  /** Due, but over this run's share: left to the next run. */
  readonly postponed: number;
}

export interface CheckRenewalInput {
  readonly execution: string;
  readonly attempt: number;
  /** The execution's own input, unchecked. */
  readonly request: unknown;
  /** *Clean up* has already run for what a dead run left. */
  readonly cleaned: boolean;
  /** What *Clean up* took out of DNS, to strike off. */
  readonly removed: readonly TxtValue[];
  /** How often this execution has waited already. */
  readonly waits: number;
  /** URL of a saved order that *Check order* found to be of no use: dropped from the ledger; `null`: none. */
  readonly abandoned: string | null;
  /** RFC 3339: when the execution began. Absent in one that began before there was this field. */
  readonly startedAt?: string;
}
export const renewalActions = ['none', 'wait', 'clean', 'repair', 'deliver', 'resume', 'issue', 'watch'] as const;
export type RenewalAction = (typeof renewalActions)[number];
export interface CheckRenewalOutput {
  readonly action: RenewalAction;
  /** In words, for the log, the console and the event. */
  readonly reason: string;
  /** Seconds; 0 unless the action is `wait`. */
  readonly wait: number;
  readonly certificate: string;
  readonly spec: CertificateSpec;
  /** The version to deliver or to look for; `null` unless the action is `deliver` or `watch`. */
  readonly current: CertificateFacts | null;
  /** Values of ours that may be in DNS: to remove when the action is `clean`, to use or remove when it is `resume`; else empty. */
  readonly leftovers: readonly TxtValue[];
  /** The saved order; `null` unless the action is `resume`. */
  readonly order: OrderReference | null;
  /** RFC 9773 §5: the id of the certificate that an order replaces; `null`: none, or the issuer has no ARI. */
  readonly replaces: string | null;
  /** Every configured zone, since a CNAME may lead into any; empty unless the action is `issue` or `resume`. */
  readonly challengeZones: readonly HostedZone[];
  /** At the spec's issuer; `null`: not known before the first order there, or the action is neither `issue` nor `resume`. */
  readonly account: IssuerAccount | null;
}

export interface CheckZonesInput extends Run {
  readonly spec: CertificateSpec;
  /** Absent in an execution that began before there was this field, as `account`. */
  readonly challengeZones?: readonly HostedZone[];
  readonly account?: IssuerAccount | null;
}
export interface ChallengeRecord {
  readonly identifier: string;
  readonly hostedZoneId: string;
  readonly role?: ZoneRole;
  /** Of the TXT record: `_acme-challenge.<name>`, or where its CNAME leads. */
  readonly name: string;
}
export interface CheckZonesOutput {
  readonly challengeRecords: readonly ChallengeRecord[];
  /** What could not be found out, or will be a fault one day, in words. */
  readonly warnings: readonly string[];
}

export interface NewOrderInput extends Run {
  readonly spec: CertificateSpec;
  readonly challengeRecords: readonly ChallengeRecord[];
  /** Certificate id, RFC 9773 §5; sent only where the directory offers renewalInfo. */
  readonly replaces: string | null;
}
export interface PendingChallenge {
  readonly identifier: string;
  readonly url: string;
  /** URL of its authorization. */
  readonly authorization: string;
}
export interface NewOrderOutput {
  readonly order: OrderReference;
  /** Empty when every authorization is valid already. */
  readonly challenges: readonly PendingChallenge[];
  /** One for each challenge, equal ones once. */
  readonly records: readonly TxtValue[];
}

export interface CheckOrderInput extends Run {
  readonly spec: CertificateSpec;
  readonly order: OrderReference;
  /** `null`: *Check zones* failed, so that nothing can be proven now. */
  readonly challengeRecords: readonly ChallengeRecord[] | null;
  /** What the ledger remembers of it, for the clean-up when nothing is left to prove. */
  readonly leftovers: readonly TxtValue[];
}
/** What a saved order is still good for. */
export interface CheckOrderOutput extends NewOrderOutput {
  /** `prove`: as after *New order*; with nothing to do it by where there are no `challengeRecords`. `finish`: proven or past it; `records` are the left-overs to remove. `gone`: of no use. */
  readonly outcome: 'prove' | 'finish' | 'gone';
  /** In words. */
  readonly reason: string;
}

export interface PresentChallengesInput extends Run {
  readonly records: readonly TxtValue[];
}
/** `ChangeInfo.Id` of Route 53, polled and never resubmitted. */
export interface PendingChange {
  readonly hostedZoneId: string;
  /** Of the zone. */
  readonly role?: ZoneRole;
  readonly id: string;
}
export interface PresentChallengesOutput {
  readonly changes: readonly PendingChange[];
}

export interface CheckPropagationInput extends Run {
  readonly records: readonly TxtValue[];
  readonly changes: readonly PendingChange[];
  /** How often it was asked before. */
  readonly tries: number;
}
export interface CheckPropagationOutput {
  readonly propagated: boolean;
  /** Seconds until it is worth asking again; 0 when propagated. */
  readonly wait: number;
  /** Name server and record, or `INSYNC`; empty when propagated. */
  readonly waitingFor: string;
}

export interface RespondToChallengesInput extends Run {
  readonly spec: CertificateSpec;
  readonly challenges: readonly PendingChallenge[];
}
export interface RespondToChallengesOutput {
  /** Seconds until the first look at the order. */
  readonly wait: number;
}

export interface PollOrderInput extends Run {
  readonly spec: CertificateSpec;
  readonly order: OrderReference;
  readonly until: 'ready' | 'valid';
  readonly tries: number;
}
export interface PollOrderOutput {
  /** Reached (`valid` is past `ready`, so it counts for both). */
  readonly reached: boolean;
  readonly status: string;
  /** Seconds; the CA's Retry-After where it gives one; 0 when reached. */
  readonly wait: number;
  /** URL to download from, once valid. */
  readonly certificateUrl: string | null;
}

export interface CleanUpChallengesInput extends Run {
  readonly records: readonly TxtValue[];
}
export interface CleanUpChallengesOutput {
  /** Gone from Route 53, whoever removed them. */
  readonly removed: readonly TxtValue[];
}

export interface FinalizeOrderInput extends Run {
  readonly spec: CertificateSpec;
  readonly order: OrderReference;
  /** A saved order, which may have been finalized before: it is looked at first. */
  readonly resumed: boolean;
}
export type FinalizeOrderOutput = PollOrderOutput;

export interface StoreCertificateInput extends Run {
  readonly spec: CertificateSpec;
  readonly order: OrderReference;
  readonly certificateUrl: string;
}
export interface StoreCertificateOutput {
  readonly current: CertificateFacts;
  readonly warnings: readonly string[];
}

export interface ReadCertificateInput extends Run {
  readonly spec: CertificateSpec;
}
export interface ReadCertificateOutput {
  readonly current: CertificateFacts;
  /** The ledger had it before this execution: nothing about the certificate is new. */
  readonly known: boolean;
}

export interface ImportCertificateInput extends Run {
  readonly spec: CertificateSpec;
  readonly region: string;
  readonly current: CertificateFacts;
}
export interface ImportCertificateOutput {
  readonly region: string;
  readonly arn: string;
  /** The ARN that this one takes the place of: after a change of key type it is left as it is, or it was deleted by hand. */
  readonly replaces: string | null;
  /** What a person has to do about it, in words; `null`: nothing. */
  readonly action: string | null;
  /** By this very step; `false`: the version was there already. */
  readonly imported: boolean;
}

export interface CheckEndpointsInput extends Run {
  readonly spec: CertificateSpec;
  readonly current: CertificateFacts;
  /** How often they were looked at before. */
  readonly tries: number;
}
export interface CheckEndpointsOutput {
  /** `null`: another version is current by now, and its own execution looks. */
  readonly served: boolean | null;
  /** Seconds until it is worth looking again; 0 unless `served` is false, and when it was the last look. */
  readonly wait: number;
  readonly endpoints: readonly ServedCertificate[];
}

export interface RecordSuccessInput extends Run {
  readonly removed: readonly TxtValue[];
}

export interface RecordFailureInput extends Run {
  /** `null` when it failed before *Check renewal* gave one. */
  readonly spec: CertificateSpec | null;
  /** `$states.errorOutput`, whole. */
  readonly errorOutput: unknown;
  readonly removed: readonly TxtValue[];
  /** A deployment waits for it: the first failure ends the execution. Absent in one that began before there was this field. */
  readonly deploy?: boolean;
  /** RFC 3339: when the execution began. Absent as `deploy`. */
  readonly startedAt?: string;
}
export interface RecordFailureOutput {
  /** A name of `rules/errors.ts`; never one beginning `States.`. */
  readonly error: string;
  /** A sentence, with the CA's own problem where there is one. */
  readonly cause: string;
  /** The problem document's type and identifier, for the event. */
  readonly problemType: string | null;
  readonly identifier: string | null;
  /** It is not announced: permissions are so new that IAM does not know them everywhere. */
  readonly quiet: boolean;
  /** What a person has to do, in words; `null`: nothing, it is tried again. */
  readonly action: string | null;
  /** Seconds until this execution tries again; `null`: it ends. */
  readonly retryIn: number | null;
  /** RFC 3339: when it is tried again, by this execution or by the fleet. */
  readonly nextTry: string;
}

// ---- Accounts and revocation --------------------------------------------------------------------------------------

/** RFC 5280 §5.3.1, those that CAs take from subscribers (Boulder: 0, 1, 4, 5). */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  superseded: 4,
  cessationOfOperation: 5,
} as const;
export type RevocationReason = keyof typeof revocationReasons;

/** Input of the account workflow: run inside the account, never on an operator's machine. */
export type AccountRequest =
  | { readonly action: 'register' }
  | { readonly action: 'rollOverKey'; readonly issuer: string }
  | { readonly action: 'deactivate'; readonly issuer: string }
  | { readonly action: 'revoke'; readonly certificate: string; readonly reason: RevocationReason };
