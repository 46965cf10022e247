import { PerennialError } from './perennial-error.ts';

/**
 * The CA sent another certificate than was ordered: another name, expired, or a broken chain. It is not stored. The
 * operator tells the CA if it repeats.
 */
export class CertificateMismatchError extends PerennialError {
  override readonly name = 'CertificateMismatchError';
}

/**
 * Another certificate with the same names finalized this order. A new order is placed at once and nothing is counted.
 * Needs no action.
 */
export class OrderSharedError extends PerennialError {
  override readonly name = 'OrderSharedError';
}

/** The secret does not have the key that was staged for `order`. A new order is placed. Needs no action. */
export class StagedKeyMissingError extends PerennialError<'order'> {
  override readonly name = 'StagedKeyMissingError';
}

/**
 * The key that was staged for `order` is known to be compromised. A new order with a new key is placed. No action is
 * needed.
 */
export class CompromisedKeyError extends PerennialError<'order'> {
  override readonly name = 'CompromisedKeyError';
}

/**
 * The secret does not hold a value of this project's format. The operator restores an earlier version or deletes the
 * secret.
 */
export class UnreadableSecretError extends PerennialError {
  override readonly name = 'UnreadableSecretError';
}

/** Secrets Manager rejects the readers or the replicas of a secret. The operator corrects them, or the KMS key. */
export class SecretAccessError extends PerennialError<'secret'> {
  override readonly name = 'SecretAccessError';
}

/** ACM rejects this certificate at every attempt. The operator corrects what the message names. */
export class ImportRefusedError extends PerennialError<'region'> {
  override readonly name = 'ImportRefusedError';
}

/**
 * ACM's quota of certificates, or of imports a year, is used up. The operator deletes certificates or asks AWS for a
 * higher quota.
 */
export class ImportLimitError extends PerennialError<'region'> {
  override readonly name = 'ImportLimitError';
}
