import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { BadCsrError } from '../../domain/contract/errors.ts';

const algorithms: Readonly<Record<string, { name: string; hash: string; namedCurve?: string }>> = {
  prime256v1: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
};

/**
 * Creates a CSR (PKCS#10, RFC 2986) as base64url of its DER, which finalize requires (RFC 8555 §7.4).
 *
 * The subject alternative name has all identifiers. The subject is empty, and there is no key usage, because the CA decides on it. The CSR of
 * acme-client requests keyEncipherment for EC keys too, which RFC 8813 §3 forbids.
 */
export async function certificateSigningRequest(identifiers: readonly string[], privateKey: string): Promise<string> {
  const key = createPrivateKey(privateKey);
  const algorithm = algorithmOf(key);
  const csr = await Pkcs10CertificateRequestGenerator.create({
    keys: {
      privateKey: key.toCryptoKey(algorithm, false, ['sign']),
      publicKey: createPublicKey(key).toCryptoKey(algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension(identifiers.map((value) => ({ type: 'dns', value })))],
  });
  return Buffer.from(csr.rawData).toString('base64url');
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  const kind = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType ?? 'unknown';
  const algorithm = algorithms[kind];
  if (!algorithm) {
    throw new BadCsrError({ what: `No CA issues for a key of type ${kind}.`, remedy: 'Use P-256, P-384 or RSA.' });
  }
  return algorithm;
}
