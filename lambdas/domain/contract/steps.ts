import type {
  CertificateFacts,
  LeftoverValue,
  OrderReference,
  RecordedAccount,
  ServedCertificate,
  TxtValue,
} from './certificate-facts.ts';
import type { CertificateSpec, HostedZone, ZoneRole } from './config.ts';

/**
 * Inputs and outputs of the steps of the renewal workflow. `infra/` and `lambdas/` share them. An absent value is `null`, because
 * JSONata treats a missing field as an error.
 *
 * No field holds a private key or a PEM block, because Step Functions keeps inputs and outputs for 90 days.
 */

/** The execution that calls a step. Every step receives it, and every log line has it. */
export interface Run {
  readonly certificate: string;
  /** ARN of the execution, which is also the value of its leases. */
  readonly execution: string;
  /** Number of the attempt in this execution, beginning with 1. */
  readonly attempt: number;
}

/**
 * Format of the events that workflows send to functions, and of the replies. An execution keeps the definition of its workflow while a deployment
 * replaces the functions. A function rejects an event of another format, and a new execution continues the renewal.
 *
 * It changes with a version whose executions cannot use the functions of the version before, or whose functions cannot serve the executions of the
 * version before. A new field that may be missing keeps the format.
 */
export const stepFormat = 'steps-1';

/** The event that a workflow sends to a function. `order` is the URL of the order once it exists, for the log. */
export interface StepEvent {
  readonly format: string;
  readonly step: string;
  readonly run: Run & { readonly order: string | null };
  readonly input: unknown;
}

export interface CheckRenewalInput extends Run {
  /** The input of the execution, unchecked. */
  readonly request: unknown;
  /** Whether this execution has already run *Clean up leftover challenges*. */
  readonly cleaned: boolean;
  /** TXT values that a clean-up has removed from DNS, to be removed from the ledger. */
  readonly removed: readonly TxtValue[];
  /** TXT values for which the event `Certificate Clean-Up Failed` was published, to be recorded in the ledger. */
  readonly reported: readonly LeftoverValue[];
  /** Start times of the waits of this attempt. */
  readonly waitStarts: WaitStarts;
  /** URL of a saved order that *Check order* found unusable, to be removed from the ledger. `null` if none. */
  readonly discardedOrder: string | null;
  /** Start of the execution, in RFC 3339. */
  readonly startedAt: string;
}

/**
 * What *Check renewal* waits for: the renewal time, the end of another execution for the same names or for the same certificate, or the end of an
 * interrupted execution.
 */
export type WaitingFor = 'renewalTime' | 'setLease' | 'certificateLease' | 'interruption';

/** When each wait began, in RFC 3339. A wait that has not begun is absent. */
export type WaitStarts = Readonly<Partial<Record<WaitingFor, string>>>;

const renewalActions = [
  'none',
  'wait',
  'clean',
  'resume',
  'issue',
  'repair',
  'deliver',
  'announce',
  'share',
  'checkEndpoints',
] as const;

export type RenewalAction = (typeof renewalActions)[number];

export interface CheckRenewalOutput {
  readonly action: RenewalAction;
  /** The reason as a phrase, for the log, the console and the event. */
  readonly reason: string;
  /** Seconds to wait. 0 unless the action is `wait`. */
  readonly wait: number;
  /** Start times of the waits, with that of a wait that begins now. */
  readonly waitStarts: WaitStarts;
  readonly certificate: string;
  /** `null` for a certificate that is not configured. Its actions are `clean`, `wait` and `none` only. */
  readonly spec: CertificateSpec | null;
  /** The version to deliver, to announce or to check for. `null` unless the action is `deliver`, `announce` or `checkEndpoints`. */
  readonly current: CertificateFacts | null;
  /** Version for which the event `Certificate Renewed` was published last. `null` if there is none. */
  readonly announced: string | null;
  /** TXT values of this stack that may be in DNS. `clean` removes them, `resume` uses and removes them. Empty for other actions. */
  readonly leftovers: readonly TxtValue[];
  /** TXT values in hosted zones that are no longer configured. Empty unless the action is `clean`. */
  readonly unremovable: readonly LeftoverValue[];
  /** Whether values that cannot be removed are reported now. They are reported once a day. */
  readonly reportDue: boolean;
  /** The saved order. `null` unless the action is `resume`. */
  readonly order: OrderReference | null;
  /** Id of the certificate that an order replaces (RFC 9773 §5). `null` if there is none. */
  readonly replaces: string | null;
  /**
   * Configured zones that a name or a CNAME of the certificate may be in (`rules/proof/challenge-zones.ts`). Empty unless the action is `issue` or
   * `resume`.
   */
  readonly challengeZones: readonly HostedZone[];
  /** The account at the issuer. `null` before the first order there, and unless the action is `issue` or `resume`. */
  readonly account: RecordedAccount | null;
}

export interface CheckZonesInput extends Run {
  readonly spec: CertificateSpec;
  /** Configured zones that a name or a CNAME of the certificate may be in. */
  readonly challengeZones: readonly HostedZone[];
  /** The account at the issuer. `null` before the first order there. */
  readonly account: RecordedAccount | null;
}

/** The TXT record at which control of one identifier is proven. */
export interface ChallengeRecord {
  readonly identifier: string;
  readonly hostedZoneId: string;
  readonly role?: ZoneRole;
  /** Name of the TXT record: `_acme-challenge.<name>` or the target of its CNAME. */
  readonly name: string;
}

export interface CheckZonesOutput {
  readonly challengeRecords: readonly ChallengeRecord[];
  /** Name servers by the id of the hosted zone. *Check propagation* queries them, so they are read once for each renewal. */
  readonly zoneServers: Readonly<Record<string, readonly string[]>>;
  /** Sentences about checks that could not be made and about faults that do not matter yet. */
  readonly warnings: readonly string[];
}

export interface NewOrderInput extends Run {
  readonly spec: CertificateSpec;
  readonly challengeRecords: readonly ChallengeRecord[];
  /** Id of the certificate that the order replaces (RFC 9773 §5). It is sent only if the directory has `renewalInfo`. */
  readonly replaces: string | null;
}

export interface PendingChallenge {
  readonly identifier: string;
  readonly url: string;
  /** URL of the authorization of the challenge. */
  readonly authorization: string;
}

export interface NewOrderOutput {
  readonly order: OrderReference;
  /** Whether the order is pending, so that it is polled until it is ready, even if every authorization is valid. */
  readonly pending: boolean;
  /** Challenges to answer. Empty if every authorization is valid. */
  readonly challenges: readonly PendingChallenge[];
  /** TXT values to write, without duplicates. */
  readonly records: readonly TxtValue[];
}

export interface CheckOrderInput extends Run {
  readonly spec: CertificateSpec;
  readonly order: OrderReference;
  /** `null` if *Check zones* failed, so that control cannot be proven now. */
  readonly challengeRecords: readonly ChallengeRecord[] | null;
  /** TXT values of the order in the ledger, for the clean-up if no challenge is left. */
  readonly leftovers: readonly TxtValue[];
}

/** Tells how a saved order continues. */
export interface CheckOrderOutput extends Omit<NewOrderOutput, 'pending'> {
  /**
   * `prove`: challenges are pending, as after *New order*. They cannot be answered without `challengeRecords`. `finish`: control is proven, and
   * `records` are the leftover values to remove. `discard`: the order cannot be used.
   */
  readonly outcome: 'prove' | 'finish' | 'discard';
  /** The reason as a phrase. */
  readonly reason: string;
}

export interface PresentChallengesInput extends Run {
  readonly records: readonly TxtValue[];
}

/** A change of Route 53 that is not INSYNC yet. Its `ChangeInfo.Id` is polled and the change is never submitted again. */
export interface PendingChange {
  readonly hostedZoneId: string;
  /** Role of the zone. Absent for zones of the own account. */
  readonly role?: ZoneRole;
  readonly id: string;
}

export interface PresentChallengesOutput {
  readonly changes: readonly PendingChange[];
  /** Seconds until the first check. */
  readonly wait: number;
}

export interface CheckPropagationInput extends Run {
  readonly records: readonly TxtValue[];
  readonly changes: readonly PendingChange[];
  /** Name servers of the zones of the records, from *Check zones*. */
  readonly zoneServers: CheckZonesOutput['zoneServers'];
  /** Seconds since *Present challenges*. */
  readonly waited: number;
}

export interface CheckPropagationOutput {
  readonly propagated: boolean;
  /** Seconds until the next check. 0 if propagated. */
  readonly wait: number;
  /** Name server and record, or `INSYNC`. Empty if propagated. */
  readonly waitingFor: string;
}

export interface RespondToChallengesInput extends Run {
  readonly spec: CertificateSpec;
  readonly challenges: readonly PendingChallenge[];
}

export interface RespondToChallengesOutput {
  /** Seconds until the first poll of the order. */
  readonly wait: number;
}

/** The proofs that the CA has refused, although it leaves the order pending. */
export interface RefusedProofs {
  /** Seconds of the wait after which the authorizations are read. */
  readonly readAfter: number;
  /** URLs of the challenges that were answered a second time. */
  readonly answered: readonly string[];
}

export interface PollOrderInput extends Run {
  readonly spec: CertificateSpec;
  readonly order: OrderReference;
  readonly until: 'ready' | 'valid';
  /** Seconds since *Respond to challenges* or *Finalize order*. */
  readonly waited: number;
  /** What the earlier polls have found. */
  readonly refused: RefusedProofs;
}

export interface PollOrderOutput {
  /** Whether the order has the status `until` or a later one. `valid` also counts as `ready`. */
  readonly reached: boolean;
  readonly status: string;
  /** Seconds until the next poll, which follows the CA's Retry-After if it sends one. 0 if reached. */
  readonly wait: number;
  /** URL of the certificate once the order is valid. */
  readonly certificateUrl: string | null;
  /** The input of the next poll. */
  readonly refused: RefusedProofs;
}

export interface CleanUpChallengesInput extends Run {
  readonly records: readonly TxtValue[];
}

export interface CleanUpChallengesOutput {
  /** Values that are no longer in Route 53, also if another process removed them. */
  readonly removed: readonly TxtValue[];
  /** Values that could not be removed, 25 at most. */
  readonly failed: readonly LeftoverValue[];
}

export interface FinalizeOrderInput extends Run {
  readonly spec: CertificateSpec;
  readonly order: OrderReference;
  /** Whether the order was saved by an earlier run. It may be finalized already, so its status is read first. */
  readonly resumed: boolean;
}

export type FinalizeOrderOutput = Omit<PollOrderOutput, 'refused'>;

export interface StoreCertificateInput extends Run {
  readonly spec: CertificateSpec;
  readonly order: OrderReference;
  readonly certificateUrl: string;
  /** Longest time between two fleet runs, in seconds. */
  readonly checkInterval: number;
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
  /** Whether this step set only the operator's tags. */
  readonly tagged: boolean;
}

export interface CheckEndpointsInput extends Run {
  readonly spec: CertificateSpec;
  readonly current: CertificateFacts;
  /** Number of earlier checks. */
  readonly tries: number;
}

export interface CheckEndpointsOutput {
  /** Whether all endpoints present the version. `null` if another version is current, whose own execution checks it. */
  readonly served: boolean | null;
  /** Seconds until the next check. 0 unless `served` is `false`, and 0 after the last check. */
  readonly wait: number;
  readonly endpoints: readonly ServedCertificate[];
}

export interface RecordSuccessInput extends Run {
  /** Version for which the event `Certificate Renewed` was published. `null` if none was. */
  readonly announced: string | null;
  readonly removed: readonly TxtValue[];
}

export interface RecordFailureInput extends Run {
  /** `null` if the failure came before *Check renewal* returned a spec. */
  readonly spec: CertificateSpec | null;
  /** The complete `$states.errorOutput`. */
  readonly errorOutput: unknown;
  /** As in `RecordSuccessInput`. A partial delivery is announced before its failure is recorded. */
  readonly announced: string | null;
  readonly removed: readonly TxtValue[];
  /** Whether a deployment waits for the execution. Then the first failure ends it. */
  readonly deploy: boolean;
  /** Start of the execution, in RFC 3339. */
  readonly startedAt: string;
}

export interface RecordFailureOutput {
  /** Name of a class in `errors.ts`. It never begins with `States.`. */
  readonly error: string;
  /** The message, with the words of the CA if there are any. */
  readonly cause: string;
  /** Type and identifier of the problem document, for the event. */
  readonly problemType: string | null;
  readonly identifier: string | null;
  /** Whether no event is published, because AWS throttled calls or IAM is still propagating new permissions. */
  readonly quiet: boolean;
  /** What the operator has to do, as a sentence. `null` if nothing. */
  readonly action: string | null;
  /** Seconds until this execution retries. `null` if it ends. */
  readonly retryIn: number | null;
  /** Time of the next attempt by this execution or by the fleet, in RFC 3339. */
  readonly nextAttempt: string;
}
