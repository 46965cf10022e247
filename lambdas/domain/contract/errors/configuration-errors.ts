import { PerennialError } from './perennial-error.ts';

/** The input of an execution cannot be read. The caller corrects the input. */
export class InvalidInputError extends PerennialError {
  override readonly name = 'InvalidInputError';
}

/**
 * The deployed configuration has no certificate of this name. The operator corrects the name or deploys the
 * configuration that has the certificate.
 */
export class UnknownCertificateError extends PerennialError {
  override readonly name = 'UnknownCertificateError';
}

/**
 * The deployed configuration has no issuer of this name. The operator corrects the name or deploys the configuration
 * that has the issuer.
 */
export class UnknownIssuerError extends PerennialError<'issuer'> {
  override readonly name = 'UnknownIssuerError';
}

/**
 * A secret with the name of the certificate or of the account exists, but it does not have the tag of this stack. The operator finds out who created
 * it, and deletes it or gives the certificate another name.
 */
export class SecretNotOwnedError extends PerennialError<'secret'> {
  override readonly name = 'SecretNotOwnedError';
}

/** A secret is scheduled for deletion. The operator restores it or removes the certificate from the configuration. */
export class SecretDeletedError extends PerennialError<'secret'> {
  override readonly name = 'SecretDeletedError';
}

/**
 * The secret in this region is a replica of a secret in another region. Secrets Manager accepts no change of a replica. The operator ends the
 * replication, and the replica becomes a secret of its own.
 */
export class SecretReplicaError extends PerennialError<'secret' | 'region'> {
  override readonly name = 'SecretReplicaError';
}

/**
 * Two certificates for this set of identifiers were issued in 24 h, or in a quarter of a lifetime below four days. The renewal is retried after
 * `problem.retryAfter` seconds, or when it becomes an emergency. No action is needed. `ignoreIssueCap` overrides this limit.
 */
export class IssueCapError extends PerennialError<'issuer'> {
  override readonly name = 'IssueCapError';
}

/**
 * An identifier failed validation so often in the last hour that one more failure would reach the limit of the CA. The renewal is retried after
 * `problem.retryAfter` seconds. No action is needed.
 */
export class ValidationLimitError extends PerennialError<'issuer'> {
  override readonly name = 'ValidationLimitError';
}

/**
 * Another execution has ordered for the same names for two hours, or until this certificate reached its emergency time. The renewal is retried.
 * If the error repeats, the operator checks that execution.
 */
export class SameNamesTimeoutError extends PerennialError<'certificate'> {
  override readonly name = 'SameNamesTimeoutError';
}

/**
 * A deployment or a rollback has replaced the functions, and they cannot run the steps of this execution. Nothing was done. The restart rule starts
 * a new execution. No action is needed, except that a request of the accounts workflow is started again.
 */
export class FunctionsReplacedError extends PerennialError {
  override readonly name = 'FunctionsReplacedError';
}

/** Another execution holds the lease, and continues. No action is needed. */
export class LeaseLostError extends PerennialError<'certificate'> {
  override readonly name = 'LeaseLostError';
}

/**
 * Renewals are in progress, so the account's key cannot be changed, or the lease for a revocation or a forced renewal cannot be taken. A revocation
 * continues without the lease after ten minutes. For the others the operator tries again later.
 */
export class RenewalsInProgressError extends PerennialError {
  override readonly name = 'RenewalsInProgressError';
}
