export type { KeyType } from '../lambdas/rules/contract.ts';
export { CertificateRenewal, type CertificateRenewalProps } from './certificate-renewal.ts';
export {
  type CertificateConfig,
  ConfigError,
  defineConfig,
  type HostedZoneConfig,
  type PerennialConfig,
} from './config.ts';
export {
  type AcmeDirectoryOptions,
  type AcmeIssuer,
  acmeDirectory,
  type LetsEncryptOptions,
  letsEncrypt,
  letsEncryptStaging,
} from './issuers.ts';
