import type { KeyType, ZoneRole } from './config.ts';

/** A TXT value of ours: where it is written and what. The value is a digest, not a secret. RFC 8555 §8.4 */
export interface TxtValue {
  readonly hostedZoneId: string;
  /** Of the zone. */
  readonly role?: ZoneRole;
  /** `_acme-challenge.example.com`, no trailing dot. */
  readonly name: string;
  /** Unquoted. */
  readonly value: string;
}

/** What the ledger and events know of a stored certificate. Times are RFC 3339 in UTC. */
export interface CertificateFacts {
  readonly secretArn: string;
  /** The secret's version that holds it. */
  readonly versionId: string;
  /** As ordered: the leaf may name more, never less. */
  readonly identifiers: readonly string[];
  readonly serialNumber: string;
  /** RFC 9773 §4.1: AKI and serial. */
  readonly certificateId: string | null;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Distinguished name of the issuing CA certificate. */
  readonly issuer: string;
  readonly keyType: KeyType;
  readonly directoryUrl: string;
  readonly profile: string | null;
  /** `null` after a rebuild from the secret. */
  readonly orderUrl: string | null;
  /** The execution that made it, or found it in the secret. */
  readonly execution: string | null;
}

/** An import into ACM. */
export interface Delivery {
  readonly arn: string;
  /** The secret's version that was imported last. */
  readonly versionId: string;
  readonly keyType: KeyType;
  /** The ARN that this one took the place of with this version, and what a person has to do: every run tells it until the next version. */
  readonly replaced?: { readonly arn: string; readonly action: string };
}

/** What a TLS client sees at one endpoint. */
export interface ServedCertificate {
  /** `host:port` */
  readonly endpoint: string;
  /** `served`: the stored one. `other`: another one, an older as a rule. `unreachable`: no handshake. */
  readonly status: 'served' | 'other' | 'unreachable';
  /** Hex, as in `CertificateFacts`, of the leaf that was shown; `null` when unreachable. */
  readonly serialNumber: string | null;
  /** In words; empty when served. */
  readonly detail: string;
}

/** Our account at a CA, and the names by which CAA records allow that CA (directory meta `caaIdentities`, RFC 8555 §7.1.1). */
export interface IssuerAccount {
  readonly url: string;
  readonly caaIdentities: readonly string[];
}

/** The account as the ledger keeps it. */
export interface RecordedAccount extends IssuerAccount {
  /** RFC 3339: when an order or a registration read the CA's directory; `null`: CAA refused by it since, so that it counts as stale. */
  readonly readAt: string | null;
}

/** RFC 8555 §7.1.3, as far as later steps need it. */
export interface OrderReference {
  readonly url: string;
  readonly finalize: string;
  readonly expires: string | null;
}

/** What ACM does not take over an ARN, so that a new one has to be made. */
export type NewArnReason = 'keyChanged' | 'namesChanged' | 'usageRemoved';
