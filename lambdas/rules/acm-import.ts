import { X509Certificate } from 'node:crypto';
import type { KeyType } from './contract.ts';

type Algorithm = 'RSA' | 'ECDSA';

const algorithmOf = (keyType: KeyType): Algorithm => (keyType.startsWith('RSA') ? 'RSA' : 'ECDSA');

/** Of the key that signed it, as OpenSSL names signatures: `ecdsa-with-SHA384`, `sha256WithRSAEncryption`, `rsassaPss`. */
function signingAlgorithm(certificate: string): Algorithm | null {
  const { signatureAlgorithm = '' } = new X509Certificate(certificate);
  if (/^ecdsa/i.test(signatureAlgorithm)) return 'ECDSA';
  return /rsa/i.test(signatureAlgorithm) ? 'RSA' : null;
}

/**
 * Why ACM will refuse to import this certificate, in words; `null`: nothing is known against it. "The cryptographic algorithm of an
 * imported certificate must match the algorithm of the signing CA"
 * (https://docs.aws.amazon.com/acm/latest/APIReference/API_ImportCertificate.html). Its limits of size are not looked at: the largest
 * of our keys, RSA-4096, has 3.3 KB of the 5 KB that are allowed.
 */
export function importProblem({
  certificate,
  keyType,
}: {
  readonly certificate: string;
  readonly keyType: KeyType;
}): string | null {
  const signer = signingAlgorithm(certificate);
  const own = algorithmOf(keyType);
  if (signer === null || signer === own) return null;
  const matching = signer === 'RSA' ? 'RSA-2048' : 'P-256';
  return (
    `its key is ${keyType} and the CA signed it with ${signer}: ACM takes a certificate only from a CA whose key is of the same ` +
    `algorithm. Set its keyType to '${matching}', choose an issuer that signs ${keyType} with ${own}, or deliver it to no ACM region`
  );
}
