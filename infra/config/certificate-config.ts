import type { KeyType } from '../../lambdas/domain/contract/config.ts';
import type { AcmeIssuer } from './issuer-options.ts';

/** A region that Secrets Manager copies a secret to. */
export interface ReplicaConfig {
  /** Name of the region, such as `eu-west-1`. It may not be the region of the deployment. */
  readonly region: string;
  /**
   * ARN of a KMS key in that region. May be a CDK token.
   *
   * @default the `aws/secretsmanager` key of the account in that region
   */
  readonly encryptionKey?: string;
}

/** One certificate: its names, its key, its issuer, and where it is delivered. */
export interface CertificateConfig {
  /**
   * Unique name, 1 to 40 characters of a to z, 0 to 9 and hyphen. The name of the secret is `secretPrefix` followed by this name. A
   * certificate with a new name is a new certificate.
   */
  readonly name: string;
  /**
   * DNS names, at least one and at most 100, or 25 with the profiles `tlsserver` and `shortlived`. A wildcard such as `*.example.com` does
   * not cover `example.com` itself. Upper case, trailing dots and Unicode are normalised. The order does not matter.
   */
  readonly identifiers: readonly string[];
  /**
   * Regions in which ACM gets the certificate. CloudFront needs `us-east-1`. Load balancers and API Gateway need their own region.
   *
   * @default none: the certificate is in Secrets Manager only
   */
  readonly acm?: readonly string[];
  /**
   * Algorithm and size of the private key. CloudFront accepts P-256 and RSA, but not P-384. A change creates a new ARN in ACM.
   *
   * @default 'P-256'
   */
  readonly keyType?: KeyType;
  /**
   * Name of a profile of the CA, such as Let's Encrypt's `tlsserver` (draft-ietf-acme-profiles).
   *
   * @default the default profile of the CA
   */
  readonly profile?: string;
  /**
   * Issuer of this certificate.
   *
   * @default the `issuer` of the configuration
   */
  readonly issuer?: AcmeIssuer;
  /**
   * Issuers to ask, in this order, after the one before has failed three times in a row for reasons that the operator cannot fix. An empty
   * list means none. After a success the first issuer is asked again. A certificate of a fallback issuer is kept until its renewal is due.
   *
   * @default those of the configuration, without the certificate's own issuer, and only staging directories for a staging issuer or only
   * others
   */
  readonly fallbackIssuers?: readonly AcmeIssuer[];
  /**
   * Whether renewals keep the private key, for clients that pin it. A leaked key then stays in use for longer. A change of `keyType`
   * creates a new key.
   *
   * @default false: every certificate gets a new key
   */
  readonly reuseKey?: boolean;
  /**
   * Whether more than two certificates with the same names may be ordered in 24 hours. Let's Encrypt issues five in seven days
   * (https://letsencrypt.org/docs/rate-limits), so set it only while you need it.
   *
   * @default false
   */
  readonly ignoreIssueCap?: boolean;
  /**
   * Name that the CNAME at `_acme-challenge.<name>` points to. It is one name for all identifiers, or an object with one name for each
   * identifier, where a wildcard is given without `*.`. It has to be in one of `hostedZones`.
   *
   * @default looked up at the name's own servers before each order
   */
  readonly challengeAlias?: string | Readonly<Record<string, string>>;
  /**
   * Servers that serve this certificate, as `www.example.com:443`, at most 20. The default port is 443. After each delivery and once a day
   * a TLS handshake checks which certificate they present.
   *
   * @default none
   */
  readonly endpoints?: readonly string[];
  /**
   * ARNs of principals in other accounts that may read the secret: roles, users, or `arn:aws:iam::<account>:root`. They need
   * `encryptionKey`, because the account's `aws/secretsmanager` key does not serve other accounts, and a policy in their own account. May
   * be CDK tokens.
   *
   * @default none: only IAM policies of this account allow reading
   */
  readonly readers?: readonly string[];
  /**
   * Other regions that Secrets Manager copies the secret to.
   *
   * @default none
   */
  readonly replicas?: readonly (string | ReplicaConfig)[];
}
