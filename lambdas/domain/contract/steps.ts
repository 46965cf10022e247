import type {
  CertificateFacts,
  OrderReference,
  RecordedAccount,
  ServedCertificate,
  TxtValue,
} from './certificate-facts.ts';
import type { CertificateSpec, HostedZone, ZoneRole } from './config.ts';

/**
 * What travels between the workflows and the steps. Shared by `infra/` and `lambdas/`, so it imports nothing that either
 * side lacks. Absent values are `null`, not missing: JSONata treats a missing field as an error.
 *
 * Nothing in here ever holds a private key or a PEM block: Step Functions keeps all of it for 90 days.
 */

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
  /** RFC 3339: when the execution began. */
  readonly startedAt: string;
}

export const renewalActions = [
  'none',
  'wait',
  'clean',
  'resume',
  'issue',
  'repair',
  'deliver',
  'share',
  'checkEndpoints',
] as const;

export type RenewalAction = (typeof renewalActions)[number];

export interface CheckRenewalOutput {
  readonly action: RenewalAction;
  /** In words, for the log, the console and the event. */
  readonly reason: string;
  /** Seconds; 0 unless the action is `wait`. */
  readonly wait: number;
  readonly certificate: string;
  readonly spec: CertificateSpec;
  /** The version to deliver or to check; `null` unless the action is `deliver` or `checkEndpoints`. */
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
  readonly account: RecordedAccount | null;
}

export interface CheckZonesInput extends Run {
  readonly spec: CertificateSpec;
  /** Every configured zone, since a CNAME may lead into any. */
  readonly challengeZones: readonly HostedZone[];
  /** At the spec's issuer; `null`: not known before the first order there. */
  readonly account: RecordedAccount | null;
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
}

export interface ShareSecretInput extends Run {
  readonly spec: CertificateSpec;
}

export interface ImportCertificateInput extends Run {
  readonly spec: CertificateSpec;
  readonly region: string;
  readonly current: CertificateFacts;
}

/** One delivery into ACM. */
export interface ImportCertificateOutput {
  /** Region of the import. */
  readonly region: string;
  /** ARN of the certificate in ACM. */
  readonly arn: string;
  /** ARN that this one replaces, or `null`. The old import has another key type and is kept, or it was deleted by hand. */
  readonly replaces: string | null;
  /** What the operator has to do, as a sentence, or `null` if nothing. */
  readonly action: string | null;
  /** Whether this step made the import. It is `false` if ACM already had this version. */
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
  /** A deployment waits for it: the first failure ends the execution. */
  readonly deploy: boolean;
  /** RFC 3339: when the execution began. */
  readonly startedAt: string;
}

export interface RecordFailureOutput {
  /** A name of `contract/errors.ts`; never one beginning `States.`. */
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
