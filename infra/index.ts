export type { KeyType } from '../lambdas/domain/contract/config.ts';
export { CertificateRenewal, type CertificateRenewalProps } from './certificate-renewal.ts';
export {
  type CertificateConfig,
  ConfigError,
  defineConfig,
  type HostedZoneConfig,
  type PerennialConfig,
  type ReplicaConfig,
} from './config/check-config.ts';
export {
  type AcmAcmeEndpointOptions,
  type AcmeDirectoryOptions,
  type AcmeIssuer,
  acmAcmeEndpoint,
  acmeDirectory,
  actalis,
  type ExternalAccountOptions,
  googleTrustServices,
  googleTrustServicesStaging,
  type IssuerOptions,
  type LetsEncryptOptions,
  letsEncrypt,
  letsEncryptStaging,
  type SslComOptions,
  sslCom,
  zeroSsl,
} from './config/issuers.ts';
export type { CertificateReaderProps, ICertificateReader, RenewedRuleProps } from './consumers/certificate-reader.ts';
export { ChallengeRole, type ChallengeRoleProps } from './consumers/challenge-role.ts';
