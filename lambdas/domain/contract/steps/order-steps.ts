import type { IssuerAccount, OrderReference, TxtValue } from '../certificate-facts.ts';
import type { CertificateSpec, Issuer } from '../config.ts';
import type { ChallengeRecord } from './challenge-steps.ts';
import type { Run } from './step-event.ts';

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

export interface IssuerInput extends Run {
  readonly issuer: Issuer;
}

export interface AccountOutput {
  readonly issuer: string;
  /** URL of the account. `null` if there was none. */
  readonly account: string | null;
}

/** The result of *Register account* for one issuer. */
export interface RegisteredAccount extends IssuerAccount {
  readonly issuer: string;
  /** CAA records that allow this issuer for this account only (`rules/proof/caa.ts`). Empty if the CA does not publish its CAA identities. */
  readonly caa: readonly string[];
}

/** The output of the registration with all issuers. */
export interface RegistrationOutput {
  readonly accounts: readonly RegisteredAccount[];
  /** The CAA records of all issuers. */
  readonly caa: readonly string[];
}

export interface AccountLinkInput extends Run {
  readonly spec: CertificateSpec;
}

export interface AccountLinkOutput {
  readonly certificate: string;
  readonly issuer: string;
  /** The link with which the CA asks the operator to act, complete. `null` if the CA accepts an order for the certificate. */
  readonly link: string | null;
}
