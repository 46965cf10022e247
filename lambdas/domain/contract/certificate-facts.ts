import type { KeyType, ZoneRole } from './config.ts';

/** A TXT value that this stack writes, and its place. The value is a digest, not a secret. RFC 8555 §8.4 */
export interface TxtValue {
  readonly hostedZoneId: string;
  /** Role of the zone. Absent for zones of the own account. */
  readonly role?: ZoneRole;
  /** Name such as `_acme-challenge.example.com`, without a trailing dot. */
  readonly name: string;
  /** The value without quotes. */
  readonly value: string;
}

/** A TXT value of this stack that could not be removed from DNS. */
export interface LeftoverValue {
  readonly hostedZoneId: string;
  /** Name of the record, such as `_acme-challenge.example.com`. */
  readonly name: string;
  /** The value without quotes. */
  readonly value: string;
  /** Why it could not be removed, as a sentence. */
  readonly reason: string;
}

/** A stored certificate as the ledger and the events describe it. */
export interface CertificateFacts {
  /** ARN of the secret. */
  readonly secretArn: string;
  /** Id of the secret's version with this certificate. */
  readonly versionId: string;
  /** DNS names that were ordered. The leaf certificate has all of them, and may have more. */
  readonly identifiers: readonly string[];
  /** Serial number of the leaf certificate, in hexadecimal. */
  readonly serialNumber: string;
  /** Identifier for ARI, from the authority key identifier and the serial number (RFC 9773 §4.1). */
  readonly certificateId: string | null;
  /** Time from which the certificate is valid, in RFC 3339 and UTC. */
  readonly notBefore: string;
  /** Time at which the certificate expires, in RFC 3339 and UTC. */
  readonly notAfter: string;
  /** Distinguished name of the issuing CA certificate. */
  readonly issuer: string;
  /** Algorithm and size of the private key. */
  readonly keyType: KeyType;
  /** URL of the ACME directory of the CA. */
  readonly directoryUrl: string;
  /** Profile that was ordered, or `null` for the default of the CA. */
  readonly profile: string | null;
  /** Number of signed certificate timestamps of Certificate Transparency logs (RFC 6962). Absent if there are none, as from a private CA. */
  readonly scts?: number;
  /** Differences from the order or from the certificate before it that were accepted, as phrases. Absent if there are none. */
  readonly warnings?: readonly string[];
  /** URL of the ACME order, or `null` after the facts were read from the secret again. */
  readonly orderUrl: string | null;
  /** ARN of the execution that stored the certificate, or that found it in the secret. */
  readonly execution: string | null;
}

/** The time in which a certificate is valid, in RFC 3339 and UTC. */
export interface Validity {
  readonly notBefore: string;
  readonly notAfter: string;
}

/** An import into ACM. */
export interface Delivery extends Validity {
  readonly arn: string;
  /** Version of the secret that was imported last. */
  readonly versionId: string;
  readonly keyType: KeyType;
  /** Hash of the operator's tags on the import. Absent if there are none. */
  readonly tagsHash?: string;
  /**
   * Validity of the certificate that the daily comparison found under the ARN instead. `null` if the import was deleted. Absent if the import is as
   * delivered.
   */
  readonly found?: Validity | null;
  /** The ARN that this one replaced with this version, and what the operator has to do. Each run logs it until the next version. */
  readonly replaced?: { readonly arn: string; readonly action: string };
}

/** One difference between the ledger and what is in Secrets Manager or ACM, which Perennial did not make. */
export interface OutsideChange {
  /**
   * `secretDeleted`, `secretScheduledForDeletion`, `secretTagsLost`, `versionMoved` (`AWSCURRENT` is an earlier version of Perennial),
   * `valueReplaced` (`AWSCURRENT` is a version that Perennial did not store), `importDeleted`, `importReplaced` or `importTagsLost`.
   */
  readonly kind:
    | 'secretDeleted'
    | 'secretScheduledForDeletion'
    | 'secretTagsLost'
    | 'versionMoved'
    | 'valueReplaced'
    | 'importDeleted'
    | 'importReplaced'
    | 'importTagsLost';
  /** ARN of the secret or of the certificate in ACM. */
  readonly resource: string;
  /** What differs, as a sentence. */
  readonly detail: string;
  /** What Perennial does about it, and what the operator has to do, in sentences. */
  readonly action: string;
}

/** The certificate that one endpoint presents to a TLS client. */
export interface ServedCertificate {
  /** The endpoint, as `host:port`. */
  readonly endpoint: string;
  /**
   * `served` for the stored certificate, `other` for another one, which is usually the previous one, and `unreachable` if the handshake
   * failed.
   */
  readonly status: 'served' | 'other' | 'unreachable';
  /** Serial number of the certificate that was presented, in hexadecimal, or `null` if the endpoint is unreachable. */
  readonly serialNumber: string | null;
  /** What is wrong, as a sentence. It is empty if the stored certificate is served. */
  readonly detail: string;
}

/** The account at a CA, and the names that CAA records use for the CA (`caaIdentities` in the directory, RFC 8555 §7.1.1). */
export interface IssuerAccount {
  readonly url: string;
  readonly caaIdentities: readonly string[];
}

/** The account as the ledger keeps it. */
export interface RecordedAccount extends IssuerAccount {
  /** Time at which the directory was read, in RFC 3339. `null` if stale, after *Check zones* rejected a certificate because of it. */
  readonly readAt: string | null;
}

/** The fields of an order that later steps need. RFC 8555 §7.1.3 */
export interface OrderReference {
  readonly url: string;
  readonly finalize: string;
  readonly expires: string | null;
}

/** Changes that ACM rejects over an existing ARN, so that a new ARN is created. */
export type NewArnReason = 'keyChanged' | 'namesChanged' | 'usageRemoved';
