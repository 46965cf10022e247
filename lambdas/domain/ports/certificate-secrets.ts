import type { CertificateSecretValue } from '../contract/certificate-secret.ts';
import type { Replica } from '../contract/config.ts';
import type { Tags } from '../contract/environment.ts';

/** The secret of a certificate as DescribeSecret shows it. No value is read. */
export interface SecretDescription {
  readonly arn: string;
  /** Whether the tag `perennial:stack` has the name of this stack. */
  readonly owned: boolean;
  /** Time at which deletion was scheduled, in RFC 3339. `null` if it is not scheduled. */
  readonly deletedAt: string | null;
  /** This region and the region of the primary secret, if this one is a replica. Otherwise `null`. */
  readonly replica: { readonly region: string; readonly primaryRegion: string } | null;
  /** Version with the label AWSCURRENT. `null` while it is the placeholder. */
  readonly currentVersion: string | null;
  /** Labels by version id. Versions without a label are missing. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly tags: Tags;
}

/** An order for which a key is staged, and the directory of the CA that has it. */
export interface StagedOrder {
  readonly url: string;
  readonly directoryUrl: string;
}

/** Secrets of certificates. */
export interface CertificateSecrets {
  /** Returns `null` if there is no secret. */
  describe(certificate: string): Promise<SecretDescription | null>;
  /** Creates the secret with a placeholder and tags. An existing secret is not changed. */
  create(certificate: string): Promise<void>;
  /**
   * Stages a key for this order with the label CANDIDATE. Returns the key that is staged then: this one, or the one that was staged before
   * unless it is compromised. Throws `CompromisedKeyError` if this key is compromised.
   */
  stageKey(certificate: string, order: StagedOrder, privateKey: string): Promise<string>;
  /** Returns the key staged for this order, or `null`. Throws `CompromisedKeyError` if every staged key is compromised. */
  stagedKey(certificate: string, orderUrl: string): Promise<string | null>;
  /** Stores the version of a certificate and returns its id. Another call for the same order stores nothing. AWSCURRENT does not move. */
  putCertificate(certificate: string, orderUrl: string, value: CertificateSecretValue): Promise<string>;
  /**
   * Moves AWSCURRENT by compare-and-swap. `from` is the version that was current when this execution held the lease, or `null` for the placeholder.
   * It is a success if `to` is already current. Returns the ARN of the secret, and whether this is the first certificate in it.
   *
   * @throws UnexpectedError if neither version is current
   */
  makeCurrent(
    certificate: string,
    versions: { readonly from: string | null; readonly to: string },
  ): Promise<{ readonly arn: string; readonly first: boolean }>;
  /** Tells whether a version with this key was marked as compromised. The keys are compared by value. */
  isCompromised(certificate: string, privateKey: string): Promise<boolean>;
  /**
   * Sets the operator's tags, readers of other accounts, and replicas. The resource policy is replaced as a whole. Removals come first, and a later
   * rejection does not undo them. Returns `false` if a replica is not in place yet.
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
  }>;
}

/** A version of the secret that holds a certificate. */
export interface StoredCertificate {
  readonly versionId: string;
  /** Whether the version has the label AWSCURRENT. */
  readonly current: boolean;
  readonly value: CertificateSecretValue;
}

/** A key that was staged for an order whose certificate is not stored. The CA may have issued that certificate. */
export interface StagedKey extends StagedOrder {
  readonly privateKey: string;
  /** Time at which the key was staged, in RFC 3339. */
  readonly stagedAt: string;
}

/** The versions of the secret of a certificate, for its revocation. */
export interface CertificateVersions {
  /** Lists all versions, including those without a label, by what they hold. */
  list(certificate: string): Promise<{
    readonly stored: readonly StoredCertificate[];
    readonly staged: readonly StagedKey[];
  }>;
  /**
   * Marks the key of this version as compromised, so that no version with this key is used again. Earlier marks stay. Throws
   * `UnreadableSecretError` if the version holds no certificate.
   */
  markCompromised(certificate: string, versionId: string): Promise<void>;
}
