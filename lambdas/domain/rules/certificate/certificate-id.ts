import { AuthorityKeyIdentifierExtension, X509Certificate } from '@peculiar/x509';

/**
 * Returns the identifier of a certificate for ACME Renewal Information, or `null` if it has no authority key identifier. RFC 9773 §4.1. The
 * identifier is the key identifier and the DER content bytes of the serial number, both in base64url and separated by a dot. A serial number whose
 * first bit is set has a leading zero byte.
 */
export function certificateId(pem: string): string | null {
  const certificate = new X509Certificate(pem);
  const keyId = certificate.getExtension(AuthorityKeyIdentifierExtension)?.keyId;
  if (!keyId) return null;
  const digits = certificate.serialNumber.length % 2 === 0 ? certificate.serialNumber : `0${certificate.serialNumber}`;
  const serial = Buffer.from(digits, 'hex');
  const content = (serial[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), serial]) : serial;
  return `${Buffer.from(keyId, 'hex').toString('base64url')}.${content.toString('base64url')}`;
}
