import type { AccountRequest } from '../account-request.ts';
import type {
  CertificateFacts,
  LeftoverValue,
  OrderReference,
  RecordedAccount,
  ServedCertificate,
  TxtValue,
} from '../certificate-facts.ts';
import type { CertificateSpec, HostedZone, Issuer } from '../config.ts';
import type { RevocationReason } from '../revocation-reason.ts';
import type { Run } from './step-event.ts';

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

export type RenewalAction =
  | 'none'
  | 'wait'
  | 'clean'
  | 'resume'
  | 'issue'
  | 'repair'
  | 'deliver'
  | 'announce'
  | 'share'
  | 'checkEndpoints';

export interface CheckRenewalOutput {
  readonly action: RenewalAction;
  /** The reason as a phrase, for the log, the console and the event. */
  readonly reason: string;
  /** Seconds to wait. 0 unless the action is `wait`. */
  readonly wait: number;
  /** Start times of the waits, with that of a wait that begins now. */
  readonly waitStarts: WaitStarts;
  readonly certificate: string;
  /**
   * The certificate with the issuer that is used now. `null` for one that is not configured, whose actions are `clean`, `wait` and `none` only, and
   * while its lease is not held, because the failures that choose the issuer are not read then.
   */
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
  /** Whether `Certificate Not Served` is published now. It is published once a day. */
  readonly reportDue: boolean;
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

export interface ResolveAccountRequestInput {
  /** ARN of the execution. */
  readonly execution: string;
  /** The input of the execution, unchecked. */
  readonly request: unknown;
}

/** The request with the objects that its names refer to. A field that the action does not need is `null`. */
export interface ResolveAccountRequestOutput {
  readonly action: AccountRequest['action'];
  /** Issuers to register at, which are all configured ones. Empty for other actions. */
  readonly issuers: readonly Issuer[];
  /** The issuer whose account key is changed or whose account is deactivated. */
  readonly issuer: Issuer | null;
  /** The certificate to revoke, or whose order the CA refuses with a link. */
  readonly spec: CertificateSpec | null;
  /** Version of the secret to revoke. It is fixed here, so that a retry does not revoke the next version. */
  readonly versionId: string | null;
  readonly reason: RevocationReason | null;
  /** Name of the execution that issues the replacement. */
  readonly executionName: string | null;
  /** Time until which renewals are paused, in RFC 3339. `null` ends the pause. */
  readonly until: string | null;
}

export interface SetPauseInput extends Run {
  readonly until: string | null;
}

export interface SetPauseOutput {
  readonly certificate: string;
  readonly pausedUntil: string | null;
}
