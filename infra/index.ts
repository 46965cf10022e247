export type { KeyType } from '../lambdas/rules/contract.ts';
export type { CertificateReaderProps, ICertificateReader, RenewedRuleProps } from './certificate-reader.ts';
export { CertificateRenewal, type CertificateRenewalProps } from './certificate-renewal.ts';
export { ChallengeRole, type ChallengeRoleProps } from './challenge-role.ts';
export {
  type CertificateConfig,
  ConfigError,
  defineConfig,
  type HostedZoneConfig,
  type PerennialConfig,
  type ReplicaConfig,
} from './config.ts';
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
} from './issuers.ts';
