import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Lifetime of both certificates, longer than any run of the local environment. */
const LIFETIME_MS = 30 * 24 * 3600 * 1000;

export interface ListenerCertificate {
  /** Certificate of the temporary CA, as PEM. */
  root: string;
  /** Certificate of the server, as PEM. */
  certificate: string;
  /** Private key of the server in PKCS#8 PEM. */
  privateKey: string;
}

/** Makes a temporary CA and a server certificate for `localhost` and these IP addresses. */
export async function makeListenerCertificate(addresses: string[], now: Date): Promise<ListenerCertificate> {
  x509.cryptoProvider.set(webcrypto);
  const notBefore = new Date(now.getTime() - 3600 * 1000); // Allows clocks that differ by up to an hour.
  const notAfter = new Date(now.getTime() + LIFETIME_MS);
  const caKeys = await webcrypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Perennial local environment CA',
    keys: caKeys,
    signingAlgorithm: ALGORITHM,
    notBefore,
    notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore,
    notAfter,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        ...addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    root: ca.toString('pem'),
    certificate: certificate.toString('pem'),
    privateKey: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  };
}
