export const keyTypes = ['P-256', 'P-384', 'RSA-2048', 'RSA-3072', 'RSA-4096'] as const;

/** Algorithm and size of a private key. CloudFront accepts P-256 and RSA, but not P-384. */
export type KeyType = (typeof keyTypes)[number];

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
  /** How control is proven. With `none` the CA returns valid authorizations, as ACM's ACME endpoint does, and no hosted zone is needed. */
  readonly challenges: 'dns-01' | 'none';
  /** Whether the certificates are for tests only. The issue cap does not apply to them, and CloudFront never gets them. */
  readonly staging: boolean;
  /** Largest number of first issuances that one fleet run may start, or `null` for no limit. Renewals with the same names are exempt. */
  readonly firstIssuancesPerRun: number | null;
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

/** A role of another account that is assumed for its hosted zones. */
export interface ZoneRole {
  readonly arn: string;
  /** `sts:ExternalId` that its trust policy asks for. */
  readonly externalId?: string;
}

export interface HostedZone {
  readonly id: string;
  /** A-labels, lower case, no trailing dot. */
  readonly name: string;
  /** Absent: the zone is of the account that we run in. */
  readonly role?: ZoneRole;
  /** Nothing but challenges is in it: CNAMEs lead here, and a TXT set of any name may be written. */
  readonly challengesOnly?: true;
}

/** Another region that a certificate's secret is copied to by Secrets Manager. */
export interface Replica {
  readonly region: string;
  /** ARN of a KMS key of that region; `null`: the account's `aws/secretsmanager`. */
  readonly encryptionKey: string | null;
}

/** One certificate as the steps see it: checked, normalised, with everything that it refers to. */
export interface CertificateSpec {
  readonly name: string;
  /** A-labels, lower case, sorted, no duplicates; a wildcard begins with `*.`. */
  readonly identifiers: readonly string[];
  readonly keyType: KeyType;
  /** draft-ietf-acme-profiles; `null`: the CA's default. */
  readonly profile: string | null;
  /** The one to ask now: the configured one, or a fallback after failures. */
  readonly issuer: Issuer;
  /** All that may issue it, the configured one first: a certificate from any of them is from the right issuer. */
  readonly issuers: readonly Issuer[];
  /** Keeps the current private key at renewal, for those who pin it. */
  readonly reuseKey: boolean;
  /** The cap of two certificates of one set in 24 h does not hold: an explicit override. */
  readonly ignoreIssueCap: boolean;
  /** ACM regions to import into. */
  readonly regions: readonly string[];
  /** The configured zones that the identifiers lie in. */
  readonly hostedZones: readonly HostedZone[];
  /** Where the CNAME at `_acme-challenge.<name>` leads, by name (no star), as told by the configuration: not looked up. */
  readonly challengeAliases?: Readonly<Record<string, string>>;
  /** `host:port` of servers that serve this certificate. */
  readonly endpoints?: readonly string[];
  /** ARNs of principals of other accounts that may read the secret. */
  readonly readers?: readonly string[];
  readonly replicas?: readonly Replica[];
  /** sha256 hex over the versioned list of fields whose change reissues (`rules/certificate/certificate-spec.ts`). */
  readonly specHash: string;
  /** sha256 hex of directory URL and identifiers: what CAs count duplicates by. */
  readonly setHash: string;
}

/** The file `config.json` beside the check function's bundle: lists refer to each other by index, for size. */
export interface DeployedConfig {
  readonly format: 1;
  /** Seconds between two fleet runs, at most. */
  readonly checkInterval: number;
  readonly issuers: readonly Issuer[];
  readonly hostedZones: readonly HostedZone[];
  readonly certificates: readonly {
    readonly name: string;
    readonly identifiers: readonly string[];
    readonly keyType: KeyType;
    readonly profile: string | null;
    /** The configured one, then the fallbacks. */
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
