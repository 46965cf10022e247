import { PerennialError } from './perennial-error.ts';

// Errors that a CA reports (RFC 8555 §6.7). `problem` is the problem document of the CA.

/**
 * The CA replied with a problem type that has no error class. `problem.type` is that type. The request is retried. If the error repeats, the
 * operator reads the documentation of the CA.
 */
export class AcmeProblemError extends PerennialError {
  override readonly name = 'AcmeProblemError';
}

/** The CA replied `rateLimited`. The request is retried after `problem.retryAfter` seconds if the CA sends a time. No action is needed. */
export class RateLimitedError extends PerennialError {
  override readonly name = 'RateLimitedError';
}

/**
 * The CA is not available. It replied with HTTP 5xx or something that is not ACME, it refused each new nonce, or it refused or closed the connection.
 * The request is retried. No action is needed.
 */
export class CaUnavailableError extends PerennialError {
  override readonly name = 'CaUnavailableError';
}

/**
 * The CA is not available now and names a time to wait, with HTTP 5xx and a Retry-After. Either it replied so, or *Check renewal* found such a reply to
 * a request for another certificate in the ledger. No request is repeated before `problem.retryAfter` seconds have passed. No action is needed.
 */
export class CaBusyError extends PerennialError {
  override readonly name = 'CaBusyError';
}

/**
 * The CA replied `malformed`, often because it has deleted an object. The request is retried. If the error repeats, the operator reports it to
 * the CA.
 */
export class MalformedError extends PerennialError {
  override readonly name = 'MalformedError';
}

/**
 * The CA replied `unauthorized`, because the account may not do this. The request is retried. If the error repeats, the operator checks the
 * account.
 */
export class UnauthorizedError extends PerennialError {
  override readonly name = 'UnauthorizedError';
}

/** The CA replied `orderNotReady`, because the status of the order does not allow finalization. The caller reads the order again. */
export class OrderNotReadyError extends PerennialError {
  override readonly name = 'OrderNotReadyError';
}

/** The CA replied `alreadyReplaced`, because another order replaces this certificate. The caller orders without `replaces`. RFC 9773 §7.4 */
export class AlreadyReplacedError extends PerennialError {
  override readonly name = 'AlreadyReplacedError';
}

/**
 * The CA replied `accountDoesNotExist`, or the secret of the account does not exist. The operator deletes the account secret, and the next order
 * registers a new account.
 */
export class AccountDoesNotExistError extends PerennialError {
  override readonly name = 'AccountDoesNotExistError';
}

/**
 * The account is deactivated or revoked, so the CA accepts none of its requests. The operator finds out who ended it and deletes the account secret,
 * and the next order registers a new account.
 */
export class AccountNotValidError extends PerennialError {
  override readonly name = 'AccountNotValidError';
}

/**
 * CAA records forbid this CA to issue. Either the CA replied so, or *Check zones* read the records. The operator adds `record`, or removes the
 * record that forbids the CA.
 */
export class CaaError extends PerennialError {
  override readonly name = 'CaaError';
}

/** The CA replied `rejectedIdentifier`, because it does not issue for this name. The operator removes the name or asks the CA. */
export class RejectedIdentifierError extends PerennialError {
  override readonly name = 'RejectedIdentifierError';
}

/** The CA replied `unsupportedIdentifier`, because it does not issue for this type of name. The operator removes the name. */
export class UnsupportedIdentifierError extends PerennialError {
  override readonly name = 'UnsupportedIdentifierError';
}

/** The CA replied `badCSR`, because it rejects the key or the names. The operator chooses another key type or other names. */
export class BadCsrError extends PerennialError {
  override readonly name = 'BadCsrError';
}

/** The CA replied `userActionRequired`, usually because its terms of service changed. The operator follows the link of the CA. */
export class UserActionRequiredError extends PerennialError {
  override readonly name = 'UserActionRequiredError';
}

/**
 * The CA does not offer the profile. Its directory does not have the profile, it replied `invalidProfile`, or its order has another profile. The operator
 * chooses a profile that the message lists, or none.
 */
export class InvalidProfileError extends PerennialError {
  override readonly name = 'InvalidProfileError';
}

/** The CA replied `externalAccountRequired`, because it needs an external account binding. The operator configures one. */
export class ExternalAccountRequiredError extends PerennialError {
  override readonly name = 'ExternalAccountRequiredError';
}

/**
 * The CA does not accept the contact of the account, or refuses an account without a contact. The operator corrects `contact` of the issuer.
 */
export class ContactRefusedError extends PerennialError {
  override readonly name = 'ContactRefusedError';
}

/** The external account binding is missing, unreadable or rejected. The operator saves a new one in `secret`. */
export class ExternalAccountBindingError extends PerennialError {
  override readonly name = 'ExternalAccountBindingError';
}

/**
 * The directory requires agreement to its terms of service, and the configuration does not agree. The operator reads the terms and sets
 * `termsOfServiceAgreed`.
 */
export class TermsNotAgreedError extends PerennialError<'issuer'> {
  override readonly name = 'TermsNotAgreedError';
}

/**
 * The CA offers no usable dns-01 challenge for `identifier`. The order is retried. If the error repeats, the operator asks the CA.
 */
export class NoDnsChallengeError extends PerennialError {
  override readonly name = 'NoDnsChallengeError';
}

/**
 * The CA did not accept the response to a challenge. `problem` describes the first failed challenge, and `problem.subproblems` describes all. The
 * order is retried. If the error repeats, the operator checks DNS.
 */
export class ChallengeFailedError extends PerennialError {
  override readonly name = 'ChallengeFailedError';
}

/**
 * The CA paused orders of this account for these identifiers after very many failures. The operator fixes the cause and ends the pause at the
 * link of the CA.
 */
export class AccountPausedError extends PerennialError {
  override readonly name = 'AccountPausedError';
}

/** The CA does not support key rollover. The operator deactivates the account instead. */
export class KeyRolloverUnsupportedError extends PerennialError<'issuer'> {
  override readonly name = 'KeyRolloverUnsupportedError';
}

/**
 * The order became invalid, but not because of a challenge, or its authorizations cannot be used. `problem` has the reason, if the CA gives one. A new
 * order is placed at the next attempt.
 */
export class OrderInvalidError extends PerennialError {
  override readonly name = 'OrderInvalidError';
}

/** The order did not reach the expected status in time. The next attempt continues with the same order. No action is needed at first. */
export class OrderTimeoutError extends PerennialError<'order'> {
  override readonly name = 'OrderTimeoutError';
}

/**
 * The account secret has a key whose fingerprint is not in the ledger, so another writer has changed the secret. The key is not used. The operator
 * restores the earlier version of the secret.
 */
export class AccountKeyUnknownError extends PerennialError {
  override readonly name = 'AccountKeyUnknownError';
}
