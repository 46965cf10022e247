import type { KeyType } from '../../lambdas/domain/contract/config.ts';
import type { AcmeIssuer } from './issuer-options.ts';

/** A public Route 53 hosted zone in which challenges may be written. */
export interface HostedZoneConfig {
  /** Id of the hosted zone, `Z` and up to 31 capital letters and digits. May be a CDK token. */
  readonly id: string;
  /**
   * Name of the hosted zone, such as `example.com`. Upper case, a trailing dot and Unicode are normalised. It may be a delegated
   * `_acme-challenge.example.com`. It may not be a CDK token.
   */
  readonly name: string;
  /**
   * ARN of a role in the zone's account, which `ChallengeRole` creates there. Only the challenge function assumes it. May be a CDK token.
   *
   * @default none: the zone is in the account of this deployment
   */
  readonly roleArn?: string;
  /**
   * External id that the trust policy of the role demands, 2 to 64 letters, digits and `+=,.@:/-`.
   *
   * @default none
   */
  readonly externalId?: string;
  /**
   * Whether the zone has no other purpose than challenges. TXT records of any name may then be written in it, so that CNAMEs of
   * `_acme-challenge.<name>` can point to any name in it. In other zones only names that begin with `_acme-challenge.` are written.
   *
   * @default false
   */
  readonly challengesOnly?: boolean;
}

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

/** Whom to notify when an operator has to act. */
export interface NotificationsConfig {
  /** E-mail addresses of operators, at least one. AWS sends a mail to each of them, whose link confirms the subscription. */
  readonly email: readonly string[];
}

/**
 * Thresholds of the alarms. A whole number replaces the default threshold, and `false` switches an alarm off. RUNBOOK.md has a section for each alarm.
 */
export interface AlarmsConfig {
  /** The alarm that goes off if any other alarm does. It has no threshold and no action. */
  readonly needsAttention?: false;
  /** Hours in which no fleet run selects due certificates. @default two check intervals and an hour */
  readonly fleetDoesNotRun?: false | number;
  /** Executions of the fleet workflow that failed, timed out, were aborted or were throttled, within a check interval and an hour. @default 1 */
  readonly fleetFails?: false | number;
  /**
   * Executions of the renewal and accounts workflows that failed, timed out or were aborted, within a check interval and an hour, and certificates
   * that have failed for a day.
   *
   * @default 1
   */
  readonly renewalsFail?: false | number;
  /** Percent of its lifetime that a certificate has left. The alarm goes off below it. @default 20 */
  readonly lifetimeRunsOut?: false | number;
  /** Hours for which an execution holds the lease of a certificate. The alarm goes off above it. @default 3 */
  readonly leaseTooOld?: false | number;
  /** Certificates that every run of a day has postponed at least. @default 1 */
  readonly renewalsPostponed?: false | number;
  /** Certificates with an endpoint that does not present them. @default 1 */
  readonly notServed?: false | number;
  /** Certificates that the comparisons of a day found changed or could not compare. @default 1 */
  readonly changedOutside?: false | number;
  /** TXT values that every run of a day has found at least. @default 1 */
  readonly txtValuesNotRemoved?: false | number;
  /** Errors of functions in each ten minutes of an hour. @default 1 */
  readonly functionErrors?: false | number;
  /** Throttled calls of functions in each ten minutes of an hour. @default 1 */
  readonly functionThrottles?: false | number;
  /** Percent of the timeout that a call of a function may take. @default 90 */
  readonly functionDuration?: false | number;
  /** Percent of the memory that a call of a function may use. @default 80 */
  readonly functionMemory?: false | number;
  /** Failures of schedules, rules, events and notifications within a check interval and an hour. @default 1 */
  readonly plumbing?: false | number;
}

/** The alarms and saved queries of a deployment. */
export interface MonitoringConfig {
  /**
   * Thresholds of the alarms.
   *
   * @default every alarm with its default threshold
   */
  readonly alarms?: AlarmsConfig;
}

/** The configuration that an operator writes, which is the default export of the config file. */
export interface PerennialConfig {
  /** The CA that issues the certificates. There is no default. Use `letsEncryptStaging(...)` first, then `letsEncrypt(...)`. */
  readonly issuer: AcmeIssuer;
  /**
   * Issuers to ask, in this order, after the one before has failed three times in a row for reasons that the operator cannot fix. CAA
   * records have to allow all of them.
   *
   * @default none
   */
  readonly fallbackIssuers?: readonly AcmeIssuer[];
  /**
   * Hosted zones in which challenges are written. A name belongs to the zone whose name is its longest suffix.
   *
   * @default none, which is allowed only for issuers with `challenges: []`
   */
  readonly hostedZones?: readonly HostedZoneConfig[];
  /** The certificates, at least one. */
  readonly certificates: readonly CertificateConfig[];
  /**
   * Prefix of the names of the certificates' secrets, at most 401 characters of A to Z, a to z, 0 to 9 and `/_+=.@-`. It ends in one slash.
   * The secrets of ACME accounts are beside them: with the default their prefix is `certificates-accounts/`.
   *
   * @default 'certificates/'
   */
  readonly secretPrefix?: string;
  /**
   * How often the fleet workflow runs, as `rate(...)` in minutes, hours or days. Eight runs must fit between the renewal time of a
   * certificate and its expiry. So it has to run at least every 10 h with the profile `shortlived`, every 45 h with Let's Encrypt's other
   * profiles, and every 3 days for a certificate whose lifetime is not known.
   *
   * @default 'rate(6 hours)'
   */
  readonly schedule?: string;
  /**
   * Renewals that a fleet run starts in a second, from 0.01 to 100. Route 53 answers 10 requests a second in an AWS account, and a renewal makes
   * about 11, so an account renews 0.9 certificates a second at most. The default leaves a quarter of the requests to other users of Route 53. Two
   * deployments in one AWS account share the requests, so each of them needs half of the pace. Use 0.4 in an account that may run only ten
   * functions at once, because renewals at the default pace use up to 15. Renewals that are started by hand or by a deployment do not wait
   * for the pace.
   *
   * @default 0.7
   */
  readonly pace?: number;
  /**
   * Whom to notify when an operator has to act, with a daily reminder, a message on recovery and a weekly report.
   *
   * @default none: events are published, and no one is notified
   */
  readonly notifications?: NotificationsConfig;
  /**
   * The alarms of CloudWatch, and saved queries of CloudWatch Logs. `false` creates none.
   *
   * @default every alarm with its default threshold
   */
  readonly monitoring?: false | MonitoringConfig;
  /**
   * ARN of your KMS key, in the region of the stack, for the secrets of certificates and accounts, the ledger and all logs. Existing
   * secrets keep their key. The key policy has to let IAM policies of the account decide, as the default key policy does. It also has to
   * allow `logs.<region>.amazonaws.com` to encrypt and decrypt:
   * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
   *
   * @default keys that AWS manages
   */
  readonly encryptionKey?: string;
  /**
   * Tags for everything that the deployment creates: the resources of the stack, and the secrets and ACM imports that are made later. `Tags.of`
   * and the tags of the stack reach the same resources. A change reaches existing secrets and imports without a new certificate. At most 46 tags,
   * with the characters that ACM allows, and with no key that begins with `aws:` or `perennial:`.
   *
   * @default none
   */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * IP addresses of root name servers, as `address` or `address:port`, where the search for authoritative name servers begins. For a test
   * environment with its own DNS.
   *
   * @default the root servers of the Internet
   */
  readonly rootServers?: readonly string[];
}

/**
 * Returns its argument. It gives the default export of a config file its type.
 *
 * @example
 * export default defineConfig({
 *   issuer: letsEncryptStaging({ termsOfServiceAgreed: true }),
 *   hostedZones: [{ id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' }],
 *   certificates: [{ name: 'www', identifiers: ['example.com', '*.example.com'] }],
 * });
 */
export function defineConfig(config: PerennialConfig): PerennialConfig {
  return config;
}
