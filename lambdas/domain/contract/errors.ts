/**
 * Every error by name. Step Functions matches `ErrorEquals` against `error.name`, so each class sets its own name as a
 * literal: it survives minification, and a test holds the workflow's names against these classes.
 */

/** RFC 7807 as RFC 8555 §6.7 uses it, reduced to what an operator or a later decision needs. */
export interface ProblemDocument {
  /** `urn:ietf:params:acme:error:…`, or `about:blank` where the server sent no problem document. */
  readonly type: string;
  /** HTTP status of the reply. */
  readonly status?: number;
  readonly detail?: string;
  /** The identifier that the problem is about, as ordered (`*.example.com` with its star). */
  readonly identifier?: string;
  /** Whole seconds to wait, from the `Retry-After` header in either form. */
  readonly retryAfter?: number;
  /** RFC 8555 §6.7.1. */
  readonly subproblems?: readonly ProblemDocument[];
}

export interface ErrorDetails {
  readonly cause?: unknown;
  readonly problem?: ProblemDocument;
}

/** Base of all: a sentence that says what happened, to what, and what to do; and the CA's problem where there is one. */
export abstract class PerennialError extends Error {
  readonly problem: ProblemDocument | undefined;

  constructor(message: string, { cause, problem }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.problem = problem;
  }
}

// ---- Input and configuration -------------------------------------------------------------------------------------

/** The execution's input is not `{ certificate, force? }`. */
export class InvalidInputError extends PerennialError {
  override name = 'InvalidInputError';
}
/** No certificate of that name in the deployed configuration. */
export class UnknownCertificateError extends PerennialError {
  override name = 'UnknownCertificateError';
}
/** A secret of the certificate's name exists without our tag. */
export class SecretNotOursError extends PerennialError {
  override name = 'SecretNotOursError';
}
/** The certificate's secret is scheduled for deletion. */
export class SecretDeletedError extends PerennialError {
  override name = 'SecretDeletedError';
}

// ---- Ledger -------------------------------------------------------------------------------------------------------

/** Two certificates of this set in 24 h: a third waits, or wants the override. */
export class IssueCapError extends PerennialError {
  override name = 'IssueCapError';
}
/** Others have failed to prove an identifier so often in this hour that one more try would spend the CA's limit. */
export class ValidationLimitError extends PerennialError {
  override name = 'ValidationLimitError';
}
/** Another execution holds the lease now: write nothing more. */
export class LeaseLostError extends PerennialError {
  override name = 'LeaseLostError';
}

// ---- ACME (RFC 8555 §6.7) -----------------------------------------------------------------------------------------

/** A problem that no class below names; `problem.type` says which. */
export class AcmeProblemError extends PerennialError {
  override name = 'AcmeProblemError';
}
/** `rateLimited`: `problem.retryAfter` says when, where the CA does. */
export class RateLimitedError extends PerennialError {
  override name = 'RateLimitedError';
}
/** 5xx, a cut or refused connection, a reply that is not ACME: the CA cannot answer now. */
export class CaUnavailableError extends PerennialError {
  override name = 'CaUnavailableError';
}
export class MalformedError extends PerennialError {
  override name = 'MalformedError';
}
export class UnauthorizedError extends PerennialError {
  override name = 'UnauthorizedError';
}
export class OrderNotReadyError extends PerennialError {
  override name = 'OrderNotReadyError';
}
export class AlreadyReplacedError extends PerennialError {
  override name = 'AlreadyReplacedError';
}
export class AccountDoesNotExistError extends PerennialError {
  override name = 'AccountDoesNotExistError';
}
export class CaaError extends PerennialError {
  override name = 'CaaError';
}
export class RejectedIdentifierError extends PerennialError {
  override name = 'RejectedIdentifierError';
}
export class UnsupportedIdentifierError extends PerennialError {
  override name = 'UnsupportedIdentifierError';
}
export class BadCsrError extends PerennialError {
  override name = 'BadCsrError';
}
export class UserActionRequiredError extends PerennialError {
  override name = 'UserActionRequiredError';
}
export class InvalidProfileError extends PerennialError {
  override name = 'InvalidProfileError';
}
export class ExternalAccountRequiredError extends PerennialError {
  override name = 'ExternalAccountRequiredError';
}
/** The directory asks for agreement to its terms and the configuration does not give it. */
export class TermsNotAgreedError extends PerennialError {
  override name = 'TermsNotAgreedError';
}
/** The CA gave no dns-01 challenge for an identifier. */
export class NoDnsChallengeError extends PerennialError {
  override name = 'NoDnsChallengeError';
}
/** A proof failed: `problem` is the first failed challenge's own, `problem.subproblems` has one for each identifier. */
export class ChallengeFailedError extends PerennialError {
  override name = 'ChallengeFailedError';
}
/** The CA stopped this account from ordering these identifiers after very many failures; the message has its way back. */
export class AccountPausedError extends PerennialError {
  override name = 'AccountPausedError';
}
/** The issuer's external account binding is missing, unreadable, or refused. */
export class ExternalAccountBindingError extends PerennialError {
  override name = 'ExternalAccountBindingError';
}
/** The CA does not support changing an account's key. */
export class KeyRolloverUnsupportedError extends PerennialError {
  override name = 'KeyRolloverUnsupportedError';
}
/** The issuer is not one of the configuration's. */
export class UnknownIssuerError extends PerennialError {
  override name = 'UnknownIssuerError';
}
/** Renewals hold leases: an account's key is not changed under them. */
export class RenewalsInProgressError extends PerennialError {
  override name = 'RenewalsInProgressError';
}
/** The order went invalid for another cause than a challenge (finalize). */
export class OrderInvalidError extends PerennialError {
  override name = 'OrderInvalidError';
}
/** The order did not reach the status in the time a CA may take. */
export class OrderTimeoutError extends PerennialError {
  override name = 'OrderTimeoutError';
}

// ---- DNS ----------------------------------------------------------------------------------------------------------

/** An identifier lies in none of the configured hosted zones. */
export class ZoneNotFoundError extends PerennialError {
  override name = 'ZoneNotFoundError';
}
/** The parent domain delegates the zone's name to other servers, or to none: nobody would see what is written. */
export class ZoneNotDelegatedError extends PerennialError {
  override name = 'ZoneNotDelegatedError';
}
/** The CNAME at `_acme-challenge.<name>` goes round, on too long, or into a place that we may not write. */
export class ChallengeAliasError extends PerennialError {
  override name = 'ChallengeAliasError';
}
/** What everything depends on could not be looked up: servers are silent, or say that they cannot answer. */
export class DnsLookUpError extends PerennialError {
  override name = 'DnsLookUpError';
}
/** STS refuses the role of a hosted zone: its trust, its name, or the external id. */
export class RoleNotAssumedError extends PerennialError {
  override name = 'RoleNotAssumedError';
}
/** Others changed the same record set all the time for as long as a compare-and-swap may try. */
export class RecordSetContentionError extends PerennialError {
  override name = 'RecordSetContentionError';
}
/** Route 53 refuses the change for good: a CNAME in its place, a routing policy, a set at its limit. */
export class RecordSetRefusedError extends PerennialError {
  override name = 'RecordSetRefusedError';
}
/** A value did not reach every authoritative server in five minutes. The challenge was not answered. */
export class PropagationTimeoutError extends PerennialError {
  override name = 'PropagationTimeoutError';
}

// ---- Certificate and delivery -------------------------------------------------------------------------------------

/** What the CA sent is not what was asked: another key, a missing identifier, expired, a broken chain. */
export class CertificateMismatchError extends PerennialError {
  override name = 'CertificateMismatchError';
}
/** A valid order whose certificate is for a twin's key: the same names, ordered by another certificate. Ordered again, uncounted. */
export class TwinsOrderError extends PerennialError {
  override name = 'TwinsOrderError';
}
/** The staged key of this order is not in the secret. */
export class StagedKeyMissingError extends PerennialError {
  override name = 'StagedKeyMissingError';
}
/** The key staged for this order was reused, and is known to be compromised since: nothing is issued for it or stored with it. */
export class CompromisedKeyError extends PerennialError {
  override name = 'CompromisedKeyError';
}
/** The secret's current version cannot be read as a certificate of ours. */
export class UnreadableSecretError extends PerennialError {
  override name = 'UnreadableSecretError';
}
/** Secrets Manager refuses the readers or the replicas of a secret. */
export class SecretAccessError extends PerennialError {
  override name = 'SecretAccessError';
}
/** ACM refuses this certificate whatever the try. */
export class ImportRefusedError extends PerennialError {
  override name = 'ImportRefusedError';
}
/** ACM's quota of certificates or of imports a year is used up. */
export class ImportLimitError extends PerennialError {
  override name = 'ImportLimitError';
}

// ---- AWS and Step Functions ---------------------------------------------------------------------------------------

/** An AWS service asks to slow down. Never counted as a failure of the certificate. */
export class ThrottledError extends PerennialError {
  override name = 'ThrottledError';
}
/** IAM, a resource policy or KMS refuses a call. */
export class AccessDeniedError extends PerennialError {
  override name = 'AccessDeniedError';
}
/** A function ran into its time limit, which Step Functions knows as `States.Timeout`. */
export class StepTimedOutError extends PerennialError {
  override name = 'StepTimedOutError';
}
/** Anything that no class names: a fault of ours. */
export class UnexpectedError extends PerennialError {
  override name = 'UnexpectedError';
}
/** At least one batch of a fleet run could not be checked. */
export class FleetCheckError extends PerennialError {
  override name = 'FleetCheckError';
}
