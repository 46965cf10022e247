import type { CertificateSecretValue } from '../contract/certificate-secret.ts';
import type { Replica } from '../contract/config.ts';

/** `certificates/<name>`, as DescribeSecret shows it: no value is read. */
export interface SecretDescription {
  readonly arn: string;
  /** Tagged `perennial:stack` with our stack's name. */
  readonly ours: boolean;
  /** RFC 3339; set when scheduled for deletion. */
  readonly deletedAt: string | null;
  /** The version labelled AWSCURRENT; `null` while that is the placeholder. */
  readonly currentVersion: string | null;
}

export interface CertificateSecrets {
  /** `null`: no such secret. */
  describe(certificate: string): Promise<SecretDescription | null>;
  /** Makes the secret with a placeholder, tagged. One that is there is left alone. */
  create(certificate: string): Promise<void>;
  /**
   * Stages a key for this order, label CANDIDATE. Returns the key that won: ours, or the one staged before, unless that is known to be
   * compromised since.
   */
  stageKey(certificate: string, orderUrl: string, privateKey: string): Promise<string>;
  /** The key staged for this order; `null` if none was. Throws `CompromisedKeyError` when there is only a compromised one. */
  stagedKey(certificate: string, orderUrl: string): Promise<string | null>;
  /** Puts the certificate's version (once for an order, whoever calls again) and returns its id. AWSCURRENT stays. */
  putCertificate(certificate: string, orderUrl: string, value: CertificateSecretValue): Promise<string>;
  /**
   * Moves AWSCURRENT to this version from whichever has it. Already there is success. Returns the secret's ARN, and whether this is seen to be
   * the first certificate in it.
   */
  makeCurrent(certificate: string, versionId: string): Promise<{ readonly arn: string; readonly first: boolean }>;
  /**
   * Readers of other accounts and replicas become these: the resource policy is ours and replaced whole, replicas that are missing are
   * added and those not named are removed. What is taken away comes first, and is taken away whatever else is refused. `false`: a
   * replica is not there yet. Throws `ThrottledError`, and for everything that is refused `SecretAccessError`.
   */
  share(
    certificate: string,
    access: { readonly readers: readonly string[]; readonly replicas: readonly Replica[] },
  ): Promise<boolean>;
  /** The current certificate. Throws `UnreadableSecretError` when the value is not of our format. */
  readCurrent(certificate: string): Promise<{
    readonly arn: string;
    readonly versionId: string;
    readonly value: CertificateSecretValue;
    /** It was revoked because of its key: `reuseKey` does not hold for it. */
    readonly compromised?: boolean;
  }>;
}

export interface StoredCertificate {
  readonly versionId: string;
  /** It has the label AWSCURRENT. */
  readonly current: boolean;
  readonly value: CertificateSecretValue;
}

/** The versions of a certificate's secret, for its revocation. */
export interface CertificateVersions {
  /** Every version that holds a certificate, also those that no label is on any more. */
  list(certificate: string): Promise<readonly StoredCertificate[]>;
  /** Its key is never to be used for another certificate: label COMPROMISED, which `readCurrent` reports. */
  markCompromised(certificate: string, versionId: string): Promise<void>;
}
