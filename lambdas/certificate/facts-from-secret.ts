import type { CertificateFacts } from '../domain/contract/certificate-facts.ts';
import type { CertificateSecretValue } from '../domain/contract/certificate-secret.ts';
import { certificateId } from '../domain/rules/certificate/certificate-id.ts';

/** What may leave the secret: everything that the ledger keeps of it, and nothing that is PEM. */
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
