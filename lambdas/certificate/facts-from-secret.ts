import type { CertificateFacts } from '../domain/contract/certificate-facts.ts';
import type { CertificateSecretValue } from '../domain/contract/certificate-secret.ts';
import { certificateId } from '../domain/rules/certificate/certificate-id.ts';
import { sctCount } from '../domain/rules/certificate/sct-count.ts';

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
  const scts = sctCount(certificate);
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
    ...(scts > 0 && { scts }),
  };
}
