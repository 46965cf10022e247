import type { CertificateConfig } from './certificate-config.ts';
import type { AcmeIssuer } from './issuer-options.ts';
import type { MonitoringConfig } from './monitoring-config.ts';

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
   * External id that the trust policy of the role demands, 2 to 64 letters, digits and `_+=,.@:/-`.
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

/** Whom to notify when an operator has to act. */
export interface NotificationsConfig {
  /** E-mail addresses of operators, at least one. AWS sends a mail to each of them, whose link confirms the subscription. */
  readonly email: readonly string[];
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
