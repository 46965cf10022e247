import { PerennialError } from './perennial-error.ts';

// Errors of the CA: RFC 8555 §6.7. `problem` is the CA's own document.

/**
 * The CA replied with a problem type that no other class names; `problem.type` has it. It is retried; the operator reads
 * the CA's documentation if it repeats.
 */
export class AcmeProblemError extends PerennialError {
  override readonly name = 'AcmeProblemError';
}

/** `rateLimited`. It is retried after `problem.retryAfter` seconds, where the CA gives a time. Needs no action. */
export class RateLimitedError extends PerennialError {
  override readonly name = 'RateLimitedError';
}

/**
 * The CA cannot answer: HTTP 5xx, a cut or refused connection, or a reply that is not ACME. It is retried. No
 * action is needed.
 */
export class CaUnavailableError extends PerennialError {
  override readonly name = 'CaUnavailableError';
}

/** `malformed`: often an object that the CA has deleted. It is retried; the operator tells the CA if it repeats. */
export class MalformedError extends PerennialError {
  override readonly name = 'MalformedError';
}

/** `unauthorized`: the account may not do this. It is retried; the operator checks the account if it repeats. */
export class UnauthorizedError extends PerennialError {
  override readonly name = 'UnauthorizedError';
}

/** `orderNotReady`: the order has another status than finalize needs. The caller reads the order again. */
export class OrderNotReadyError extends PerennialError {
  override readonly name = 'OrderNotReadyError';
}

/** `alreadyReplaced`: another order replaces this certificate. The caller orders without `replaces`. RFC 9773 §7.4 */
export class AlreadyReplacedError extends PerennialError {
  override readonly name = 'AlreadyReplacedError';
}

/**
 * `accountDoesNotExist`, or the account's secret is gone. The operator deletes the account's secret; the next order
 * makes a new account.
 */
export class AccountDoesNotExistError extends PerennialError {
  override readonly name = 'AccountDoesNotExistError';
}

/**
 * CAA records forbid this CA to issue, as the CA says or as *Check zones* read them. The operator adds `record` or
 * removes the record that forbids it.
 */
export class CaaError extends PerennialError {
  override readonly name = 'CaaError';
}

/** `rejectedIdentifier`: the CA does not issue for this name. The operator removes the name or asks the CA. */
export class RejectedIdentifierError extends PerennialError {
  override readonly name = 'RejectedIdentifierError';
}

/** `unsupportedIdentifier`: the CA does not issue for this type of name. The operator removes the name. */
export class UnsupportedIdentifierError extends PerennialError {
  override readonly name = 'UnsupportedIdentifierError';
}

/** `badCSR`: the CA rejects the key or the names. The operator chooses another key type. */
export class BadCsrError extends PerennialError {
  override readonly name = 'BadCsrError';
}

/** `userActionRequired`, usually changed terms of service. The operator does what the CA asks for at its link. */
export class UserActionRequiredError extends PerennialError {
  override readonly name = 'UserActionRequiredError';
}

/** `invalidProfile`: the CA does not offer the profile. The operator chooses one that the message lists, or none. */
export class InvalidProfileError extends PerennialError {
  override readonly name = 'InvalidProfileError';
}

/** `externalAccountRequired`: the CA needs an external account binding. The operator configures one. */
export class ExternalAccountRequiredError extends PerennialError {
  override readonly name = 'ExternalAccountRequiredError';
}

/** The external account binding is missing, unreadable or rejected. The operator puts a new one into `secret`. */
export class ExternalAccountBindingError extends PerennialError {
  override readonly name = 'ExternalAccountBindingError';
}

/**
 * The directory asks for agreement to its terms, and the configuration does not give it. The operator reads them and
 * sets `termsOfServiceAgreed`.
 */
export class TermsNotAgreedError extends PerennialError<'issuer'> {
  override readonly name = 'TermsNotAgreedError';
}

/**
 * The CA offers no dns-01 challenge that can be answered for `identifier`. It is retried; the operator asks the CA if it
 * repeats.
 */
export class NoDnsChallengeError extends PerennialError {
  override readonly name = 'NoDnsChallengeError';
}

/**
 * The CA did not accept the response to a challenge. `problem` is that of the first failed challenge;
 * `problem.subproblems` has all. The operator checks DNS if it repeats.
 */
export class ChallengeFailedError extends PerennialError {
  override readonly name = 'ChallengeFailedError';
}

/**
 * The CA stopped this account from ordering these identifiers after very many failures. The operator fixes the cause
 * and ends the pause at the CA's link.
 */
export class AccountPausedError extends PerennialError {
  override readonly name = 'AccountPausedError';
}

/** The CA does not support changing an account's key. The operator deactivates the account instead. */
export class KeyRolloverUnsupportedError extends PerennialError<'issuer'> {
  override readonly name = 'KeyRolloverUnsupportedError';
}

/** The order became invalid for another reason than a challenge. It is retried with a new order; `problem` says more. */
export class OrderInvalidError extends PerennialError {
  override readonly name = 'OrderInvalidError';
}

/** The order did not reach the wanted status in time. It is retried with the same order. Needs no action at first. */
export class OrderTimeoutError extends PerennialError<'order'> {
  override readonly name = 'OrderTimeoutError';
}
