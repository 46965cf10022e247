import { AuthorityKeyIdentifierExtension, X509Certificate } from '@peculiar/x509';

/**
 * The certificate's id for ACME Renewal Information: base64url of the AKI's keyIdentifier, a dot, base64url of the serial's DER
 * content bytes, with the leading zero that a high first bit demands. RFC 9773 §4.1. `null`: it has no AKI.
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
