import { PerennialError } from './perennial-error.ts';

/**
 * The CA sent a certificate that does not match the order. For example, a name is missing, the certificate has expired or its chain is
 * broken. The certificate is not stored. If the error repeats, the operator reports it to the CA.
 */
export class CertificateMismatchError extends PerennialError {
  override readonly name = 'CertificateMismatchError';
}

/**
 * Another certificate with the same names finalized this order. A new order is placed at once, and no failure is counted. No action is needed.
 */
export class OrderSharedError extends PerennialError {
  override readonly name = 'OrderSharedError';
}

/** The secret does not have the key that was staged for `order`. A new order is placed. No action is needed. */
export class StagedKeyMissingError extends PerennialError<'order'> {
  override readonly name = 'StagedKeyMissingError';
}

/** The key of an order or of the current version is marked as compromised. A new order is placed with a new key. No action is needed. */
export class CompromisedKeyError extends PerennialError {
  override readonly name = 'CompromisedKeyError';
}

/**
 * The CA may have issued a certificate with a compromised key that the secret does not hold, and it does not return the order. The operator looks for the
 * certificate in a certificate transparency log and revokes it with its key.
 */
export class UnrevokedCertificateError extends PerennialError<'order'> {
  override readonly name = 'UnrevokedCertificateError';
}

/** The value of the secret does not have the format of this project. The operator starts the renewal with force, or does what the message says. */
export class UnreadableSecretError extends PerennialError {
  override readonly name = 'UnreadableSecretError';
}

/** Secrets Manager rejected the readers or the replicas of a secret. The operator corrects the readers, the replicas or the KMS key. */
export class SecretAccessError extends PerennialError<'secret'> {
  override readonly name = 'SecretAccessError';
}

/** ACM does not accept this certificate, and a retry does not help. The operator fixes the cause that the message names. */
export class ImportRefusedError extends PerennialError<'region'> {
  override readonly name = 'ImportRefusedError';
}

/**
 * The ACM quota for certificates, or for imports in a year, is exhausted. The operator deletes certificates or asks AWS for a higher quota.
 */
export class ImportLimitError extends PerennialError<'region'> {
  override readonly name = 'ImportLimitError';
}
