import type { CertificateSecretValue } from '../contract/certificate-secret.ts';

/** The values of certificates' secrets, which hold private keys. */
export interface CertificateValues {
  /** Reads the current value. */
  read(secretId: string): Promise<CertificateSecretValue>;
}
