import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IGrantable, IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { CertificateConfig, ReplicaConfig } from './certificate-config.ts';
import type { HostedZoneConfig, NotificationsConfig, PerennialConfig } from './perennial-config.ts';

/** A hosted zone of the app with a role or a setting. */
export interface HostedZoneReference extends Pick<HostedZoneConfig, 'externalId' | 'challengesOnly'> {
  /** A public hosted zone whose name is known at synth. */
  readonly zone: IHostedZone;
  /**
   * Role in the zone's account, which `ChallengeRole` creates there. Only the challenge function assumes it.
   *
   * @default none: the zone is in the account of this deployment
   */
  readonly role?: IRole;
}

/** A region that Secrets Manager copies a secret to, with a key of the app. */
export interface ReplicaReference extends Omit<ReplicaConfig, 'encryptionKey'> {
  /** KMS key in that region. */
  readonly encryptionKey: IKey;
}

/** One certificate of a `CertificateRenewal`. Besides the texts of the config file it takes objects of the CDK. */
export interface CertificateProps extends Omit<CertificateConfig, 'readers' | 'replicas'> {
  /**
   * Principals in other accounts that may read the secret. An object is a principal whose policy names exactly one ARN without conditions, such as
   * `new AccountPrincipal('444455556666')` or `Role.fromRoleArn(...)`. All of them need `encryptionKey`, and a policy in their own account.
   *
   * @default none: only IAM policies of this account allow reading
   */
  readonly readers?: readonly (string | IGrantable)[];
  /**
   * Other regions that Secrets Manager copies the secret to.
   *
   * @default none
   */
  readonly replicas?: readonly (string | ReplicaConfig | ReplicaReference)[];
}

/** Whom to notify when an operator has to act. At least one of both is needed. */
export interface NotificationsProps extends Partial<NotificationsConfig> {
  /**
   * Standard topic in the region of the stack. Its policy gets a statement that lets CloudWatch alarms of this account publish. If it is encrypted with a
   * KMS key of this app, the policy of the key gets a statement too. For other topics and keys, synth prints what their policies have to allow.
   *
   * @default a new topic
   */
  readonly topic?: ITopic;
}

/**
 * Props of `CertificateRenewal`. They are the fields of the config file. Objects of the CDK may take the place of ids and ARNs, `schedule` is a
 * `Duration`, and `encryptionKey` is a key.
 */
export interface CertificateRenewalProps
  extends Omit<PerennialConfig, 'encryptionKey' | 'schedule' | 'hostedZones' | 'certificates' | 'notifications'> {
  /**
   * Hosted zones in which challenges are written. A name belongs to the zone whose name is its longest suffix. A zone of the CDK has to be public, with
   * a name that is known at synth.
   *
   * @default none, which is allowed only for issuers with `challenges: []`
   */
  readonly hostedZones?: readonly (HostedZoneConfig | IHostedZone | HostedZoneReference)[];
  /** The certificates, at least one. `acm` may contain the region of the stack as `Stack.of(this).region`, also if it is not known at synth. */
  readonly certificates: readonly CertificateProps[];
  /**
   * How often the fleet workflow runs, in whole minutes and without a CDK token. Eight runs must fit between the renewal time of a
   * certificate and its expiry. So it has to run at least every 10 h with the profile `shortlived`, every 45 h with Let's Encrypt's other
   * profiles, and every 3 days for a certificate whose lifetime is not known.
   *
   * @default Duration.hours(6)
   */
  readonly schedule?: Duration;
  /**
   * Whom to notify when an operator has to act, with a daily reminder, a message on recovery and a weekly report.
   *
   * @default none: events are published, and no one is notified
   */
  readonly notifications?: NotificationsProps;
  /**
   * KMS key for the secrets of certificates and accounts, the ledger, the topic of notifications and all logs. Existing secrets keep their key. The
   * policy of a key of this app gets the statements for CloudWatch Logs and for alarms. The policy of an imported key has to allow what
   * `encryptionKey` of `PerennialConfig` describes.
   *
   * @default keys that AWS manages
   */
  readonly encryptionKey?: IKey;
  /**
   * What happens to the ledger table when the stack is deleted. With `RemovalPolicy.DESTROY` the table is deleted and is not protected from deletion.
   * Secrets, imports in ACM and keys stay in any case.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}
