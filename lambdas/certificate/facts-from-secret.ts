import type { CertificateFacts } from '../domain/contract/certificate-facts.ts';
import type { CertificateSecretValue } from '../domain/contract/certificate-secret.ts';
import { certificateId } from '../domain/rules/certificate/certificate-id.ts';

/** Returns the facts that may leave the secret. The ledger keeps them. None of them is a PEM block. */
export function factsOf({
  certificate,
  identifiers,
  serialNumber,
  notBefore,
  notAfter,
  issuer,
  keyType,
  directoryUrl,
  profile,
}: CertificateSecretValue): Omit<CertificateFacts, 'secretArn' | 'versionId' | 'orderUrl' | 'execution'> {
  return {
    identifiers,
    serialNumber,
    certificateId: certificateId(certificate),
    notBefore,
    notAfter,
    issuer,
    keyType,
    directoryUrl,
    profile,
  };
}
