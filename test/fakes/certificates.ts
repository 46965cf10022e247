import { createPublicKey, generateKeyPairSync, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { KeyType } from '../../lambdas/domain/contract/config.ts';

/** A CA with a new key, made in memory. Its certificates have real signatures, because the steps verify them. */
export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

const algorithms = {
  ECDSA: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  RSA: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
} as const;

const signingAlgorithm = ({ keys }: Pick<Authority, 'keys'>) =>
  keys.privateKey.algorithm.name === 'ECDSA' ? algorithms.ECDSA : algorithms.RSA;

interface Dates {
  /** RFC 3339. */
  readonly notBefore?: string;
  readonly notAfter?: string;
}

/** Makes a root CA, or an intermediate CA if an issuer is given. */
export async function makeAuthority({
  name,
  issuer,
  ca = true,
  algorithm = 'ECDSA',
  keyId,
  notBefore = '2020-01-01T00:00:00Z',
  notAfter = '2040-01-01T00:00:00Z',
}: Dates & {
  readonly name: string;
  readonly issuer?: Authority;
  readonly ca?: boolean;
  /** Algorithm of the CA's own key. */
  readonly algorithm?: keyof typeof algorithms;
  /** Subject key identifier in hexadecimal. @default the digest of the public key */
  readonly keyId?: string;
}): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(algorithms[algorithm], true, ['sign', 'verify']);
  const subject = `CN=${name}`;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '01',
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    signingAlgorithm: signingAlgorithm(issuer ?? { keys }),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(ca, undefined, true),
      keyId
        ? new x509.SubjectKeyIdentifierExtension(keyId)
        : await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}

/** Returns a certificate for the same CA, with the same name and key, that another root signs. */
export async function crossSign({ certificate, keys }: Authority, by: Authority): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.create({
    serialNumber: '02',
    subject: certificate.subject,
    issuer: by.certificate.subject,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    signingAlgorithm: signingAlgorithm(by),
    publicKey: keys.publicKey,
    signingKey: by.keys.privateKey,
    extensions: certificate.extensions,
  });
}

/** Returns a server certificate for this key, as PEM. */
export async function makeLeaf(
  issuer: Authority,
  {
    identifiers,
    privateKey,
    serialNumber = '0a01',
    subject = `CN=${identifiers[0]}`,
    authorityKeyId = true,
    keyUsages = null,
    extendedKeyUsages = null,
    notBefore = '2026-03-01T11:00:00Z',
    notAfter = '2026-05-30T10:59:59Z',
  }: Dates & {
    readonly identifiers: readonly string[];
    /** PKCS#8 PEM. */
    readonly privateKey: string;
    /** Serial number in hexadecimal. */
    readonly serialNumber?: string;
    /** Distinguished name, or `''` for none. */
    readonly subject?: string;
    readonly authorityKeyId?: boolean;
    /** Bits of `x509.KeyUsageFlags`, or `null` for a certificate without the extension. */
    readonly keyUsages?: number | null;
    /** OIDs, or `null` for a certificate without the extension. */
    readonly extendedKeyUsages?: readonly string[] | null;
  },
): Promise<string> {
  const issuerKeyId = issuer.certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId ?? '';
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber,
    subject,
    issuer: issuer.certificate.subject,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    signingAlgorithm: signingAlgorithm(issuer),
    publicKey: new x509.PublicKey(createPublicKey(privateKey).export({ type: 'spki', format: 'der' })),
    signingKey: issuer.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.SubjectAlternativeNameExtension(identifiers.map((value) => ({ type: 'dns', value }))),
      ...(keyUsages === null ? [] : [new x509.KeyUsagesExtension(keyUsages, true)]),
      ...(extendedKeyUsages === null ? [] : [new x509.ExtendedKeyUsageExtension([...extendedKeyUsages])]),
      ...(authorityKeyId ? [new x509.AuthorityKeyIdentifierExtension(issuerKeyId)] : []),
    ],
  });
  return pemOf(certificate);
}

export const pemOf = (certificate: x509.X509Certificate): string => `${certificate.toString('pem')}\n`;

/** Returns a new private key in PKCS#8 PEM. */
export function makePrivateKey(keyType: KeyType = 'P-256'): string {
  const bits = /^RSA-(\d+)$/.exec(keyType)?.[1];
  const { privateKey } = bits
    ? generateKeyPairSync('rsa', { modulusLength: Number(bits) })
    : generateKeyPairSync('ec', { namedCurve: keyType });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Replaces the end of validity by digits that are not a time. The signature is then wrong. */
export function withoutEnd(pem: string): string {
  const der = Buffer.from(x509.PemConverter.decodeFirst(pem));
  const times = [...der.toString('latin1').matchAll(/\d{12}Z/g)];
  der.write('999999999999Z', times[1]?.index ?? 0);
  return x509.PemConverter.encode(der, 'CERTIFICATE');
}
