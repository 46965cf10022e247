import { certificateId } from '../rules/certificate-id.ts';
import type { CertificateFacts } from '../rules/contract.ts';
import type { CertificateSecretValue } from '../rules/ports.ts';

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
