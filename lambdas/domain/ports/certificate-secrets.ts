import type { CertificateSecretValue } from '../contract/certificate-secret.ts';
import type { Replica } from '../contract/config.ts';

/** The secret of a certificate as DescribeSecret shows it. No value is read. */
export interface SecretDescription {
  readonly arn: string;
  /** Whether the tag `perennial:stack` has the name of this stack. */
  readonly owned: boolean;
  /** Time at which deletion was scheduled, in RFC 3339. `null` if it is not scheduled. */
  readonly deletedAt: string | null;
  /** Version with the label AWSCURRENT. `null` while it is the placeholder. */
  readonly currentVersion: string | null;
}

/** Secrets of certificates. */
export interface CertificateSecrets {
  /** Returns `null` if there is no secret. */
  describe(certificate: string): Promise<SecretDescription | null>;
  /** Creates the secret with a placeholder and tags. An existing secret is not changed. */
  create(certificate: string): Promise<void>;
  /**
   * Stages a key for this order with the label CANDIDATE. Returns the key that is staged then: this one, or the one that was staged before
   * unless it is compromised.
   */
  stageKey(certificate: string, orderUrl: string, privateKey: string): Promise<string>;
  /** Returns the key staged for this order, or `null`. Throws `CompromisedKeyError` if the only staged key is compromised. */
  stagedKey(certificate: string, orderUrl: string): Promise<string | null>;
  /** Stores the version of a certificate and returns its id. Another call for the same order stores nothing. AWSCURRENT does not move. */
  putCertificate(certificate: string, orderUrl: string, value: CertificateSecretValue): Promise<string>;
  /**
   * Moves AWSCURRENT to this version. It is a success if the version already has it. Returns the ARN of the secret, and whether this is the first
   * certificate in it.
   */
  makeCurrent(certificate: string, versionId: string): Promise<{ readonly arn: string; readonly first: boolean }>;
  /**
   * Sets the operator's tags, readers of other accounts, and replicas. The resource policy is replaced as a whole. Removals come first, and a later rejection does not
   * undo them. Returns `false` if a replica is not in place yet.
   *
   * @throws ThrottledError
   * @throws SecretAccessError when Secrets Manager rejects a change
   */
  share(
    certificate: string,
    access: {
      readonly readers: readonly string[];
      readonly replicas: readonly Replica[];
      /** Keys of tags of an earlier configuration, which are removed. */
      readonly removedTags?: readonly string[];
    },
  ): Promise<boolean>;
  /** Returns the current certificate. Throws `UnreadableSecretError` if the value has another format. */
  readCurrent(certificate: string): Promise<{
    readonly arn: string;
    readonly versionId: string;
    readonly value: CertificateSecretValue;
    /** Whether the key is compromised, so that `reuseKey` does not apply. */
    readonly compromised?: boolean;
  }>;
}

/** A version of the secret that holds a certificate. */
export interface StoredCertificate {
  readonly versionId: string;
  /** Whether the version has the label AWSCURRENT. */
  readonly current: boolean;
  readonly value: CertificateSecretValue;
}

/** The versions of the secret of a certificate, for its revocation. */
export interface CertificateVersions {
  /** Lists every version with a certificate, including versions without a label. */
  list(certificate: string): Promise<readonly StoredCertificate[]>;
  /** Adds the label COMPROMISED, so that the key is never used for another certificate. `readCurrent` reports it. */
  markCompromised(certificate: string, versionId: string): Promise<void>;
}
