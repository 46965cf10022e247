import type { Tags } from './environment.ts';

export const keyTypes = ['P-256', 'P-384', 'RSA-2048', 'RSA-3072', 'RSA-4096'] as const;

/** Algorithm and size of a private key. CloudFront accepts P-256 and RSA, but not P-384. */
export type KeyType = (typeof keyTypes)[number];

export const challengeKinds = ['dns-01'] as const;

/** A kind of challenge that this project answers, by the name in the IANA registry of ACME validation methods. RFC 8555 §9.7.8 */
export type ChallengeKind = (typeof challengeKinds)[number];

/** A token bucket for new orders: `burst` orders at once, and one more every `everySeconds` seconds. */
export interface OrderLimit {
  readonly burst: number;
  readonly everySeconds: number;
}

/** An ACME server as data. */
export interface Issuer {
  /** Name for messages, metrics and the input of the accounts workflow, such as `letsencrypt-staging`. */
  readonly name: string;
  /** URL of the ACME directory, RFC 8555 §7.1.1. */
  readonly directoryUrl: string;
  /** Whether the operator agrees to the terms of the CA, RFC 8555 §7.3. */
  readonly termsOfServiceAgreed: boolean;
  /** E-mail addresses for the ACME account. They are `mailto:` URLs after the check, RFC 8555 §7.3. */
  readonly contact: readonly string[];
  /**
   * The kinds of challenges that may be answered. If the list is empty, the CA returns valid authorizations, as ACM's ACME endpoint does, and
   * no hosted zone is needed.
   */
  readonly challenges: readonly ChallengeKind[];
  /** Whether the certificates are for tests only. The issue cap does not apply to them, and CloudFront never gets them. */
  readonly staging: boolean;
  /** The limit on new orders that fleet runs respect, or `null` for no limit. Renewals that the CA asks for by ARI are exempt. */
  readonly newOrders: OrderLimit | null;
  /**
   * ARN of a secret with the JSON value `{"kid": "…", "hmacKey": "base64url"}`, RFC 8555 §7.3.4, or `null` for a CA without external
   * account binding. A CDK token is written as `@0`, `@1` and so on in config.json.
   */
  readonly externalAccountBinding: string | null;
  /** Common name of the root certificate that the chain should end in, or `null` for the CA's default chain. */
  readonly preferredChain: string | null;
  /** Seconds that one reply of the CA may take. */
  readonly replyTimeout: number;
  /** Whether the CA supports changing the key of an account, RFC 8555 §7.3.5. */
  readonly keyRollover: boolean;
}

/** A role of another account that is assumed to use its hosted zones. */
export interface ZoneRole {
  readonly arn: string;
  /** `sts:ExternalId` that the trust policy of the role requires. */
  readonly externalId?: string;
}

/** A public hosted zone of Route 53. */
export interface HostedZone {
  readonly id: string;
  /** Name in A-labels and lower case, without a trailing dot. */
  readonly name: string;
  /** Absent if the zone is in the account of this stack. */
  readonly role?: ZoneRole;
  /** Whether the zone is for challenges only. CNAMEs point into it, and TXT sets of any name may be written. */
  readonly challengesOnly?: true;
}

/** Another region to which Secrets Manager replicates the secret of a certificate. */
export interface Replica {
  readonly region: string;
  /** ARN of a KMS key in that region, or `null` for the `aws/secretsmanager` key of the account. */
  readonly encryptionKey: string | null;
}

/** One certificate as the steps receive it. It is checked and normalized, and contains everything that it refers to. */
export interface CertificateSpec {
  readonly name: string;
  /** DNS names in A-labels and lower case, sorted and without duplicates. A wildcard begins with `*.`. */
  readonly identifiers: readonly string[];
  readonly keyType: KeyType;
  /** Profile of the CA (draft-ietf-acme-profiles), or `null` for its default. */
  readonly profile: string | null;
  /** The issuer to use now: the configured one, or a fallback after failures. */
  readonly issuer: Issuer;
  /** All issuers that may issue the certificate, the configured one first. */
  readonly issuers: readonly Issuer[];
  /** Whether a renewal keeps the private key, for clients that pin it. */
  readonly reuseKey: boolean;
  /** Whether the cap of two certificates per set of names in 24 h is switched off. */
  readonly ignoreIssueCap: boolean;
  /** ACM regions to import into. */
  readonly regions: readonly string[];
  /** The configured zones that contain the identifiers. */
  readonly hostedZones: readonly HostedZone[];
  /** Target of the CNAME at `_acme-challenge.<name>`, by name without star. The configuration gives it, so it is not looked up. */
  readonly challengeAliases?: Readonly<Record<string, string>>;
  /** Servers that present this certificate, as `host:port`. */
  readonly endpoints?: readonly string[];
  /** ARNs of principals of other accounts that may read the secret. */
  readonly readers?: readonly string[];
  readonly replicas?: readonly Replica[];
  /** Hash of the operator's tags, which are no reason to order. Absent if there are none (`rules/certificate/resource-tags.ts`). */
  readonly tagsHash?: string;
  /** SHA-256 in hex over the versioned list of fields whose change causes a new order (`rules/certificate/certificate-spec.ts`). */
  readonly specHash: string;
  /** SHA-256 in hex of directory URL and identifiers. CAs count duplicate certificates by these. */
  readonly setHash: string;
}

/** The file `config.json` in the bundle of the check function. Lists refer to each other by index, to keep it small. */
export interface DeployedConfig {
  readonly format: 1;
  /** Longest time between two fleet runs, in seconds. */
  readonly checkInterval: number;
  readonly issuers: readonly Issuer[];
  readonly hostedZones: readonly HostedZone[];
  /** The operator's tags. The file does not have them, because their values may be known only after the deployment. */
  readonly tags?: Tags;
  readonly certificates: readonly {
    readonly name: string;
    readonly identifiers: readonly string[];
    readonly keyType: KeyType;
    readonly profile: string | null;
    /** Indexes of the configured issuer and then of the fallbacks. */
    readonly issuers: readonly number[];
    readonly reuseKey: boolean;
    readonly ignoreIssueCap: boolean;
    readonly regions: readonly string[];
    readonly hostedZones: readonly number[];
    readonly challengeAliases?: Readonly<Record<string, string>>;
    readonly endpoints?: readonly string[];
    readonly readers?: readonly string[];
    readonly replicas?: readonly Replica[];
  }[];
}
