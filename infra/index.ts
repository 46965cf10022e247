export type { ChallengeKind, KeyType } from '../lambdas/domain/contract/config.ts';
export { CertificateRenewal, type WorkflowPart } from './certificate-renewal.ts';
export type { CertificateConfig, ReplicaConfig } from './config/certificate-config.ts';
export type {
  CertificateProps,
  CertificateRenewalProps,
  HostedZoneReference,
  NotificationsProps,
  ReplicaReference,
} from './config/construct-props.ts';
export type {
  AcmAcmeEndpointOptions,
  AcmeDirectoryOptions,
  AcmeIssuer,
  ExternalAccountOptions,
  GoogleTrustServicesOptions,
  IssuerOptions,
  LetsEncryptOptions,
  SslComOptions,
} from './config/issuer-options.ts';
export {
  acmAcmeEndpoint,
  acmeDirectory,
  actalis,
  googleTrustServices,
  googleTrustServicesStaging,
  letsEncrypt,
  letsEncryptStaging,
  sslCom,
  zeroSsl,
} from './config/issuers.ts';
export { ConfigError } from './config/mistakes.ts';
export type { AlarmsConfig, MonitoringConfig } from './config/monitoring-config.ts';
export {
  defineConfig,
  type HostedZoneConfig,
  type NotificationsConfig,
  type PerennialConfig,
} from './config/perennial-config.ts';
export type { CertificateReaderProps, ICertificateReader, RenewedRuleProps } from './consumers/certificate-reader.ts';
export { ChallengeRole, type ChallengeRoleProps } from './consumers/challenge-role.ts';
export type { AlarmId } from './monitoring/alarm-list.ts';
export type { NotificationParts } from './monitoring/notifications.ts';
