import { X509Certificate } from '@peculiar/x509';

/** The extension with signed certificate timestamps. RFC 6962 §3.3 */
const timestamps = '1.3.6.1.4.1.11129.2.4.2';

/**
 * Returns the number of signed certificate timestamps in a certificate. Each one is the promise of a Certificate Transparency log to publish the
 * certificate. A certificate of a private CA has none. A list that cannot be read counts as none, because only clients have to verify it.
 */
export function sctCount(pem: string): number {
  const extension = new X509Certificate(pem).getExtension(timestamps);
  if (!extension) return 0;
  const list = octets(Buffer.from(extension.value));
  let count = 0;
  // Two bytes have the length of the list, and two bytes before each entry have its length. RFC 6962 §3.3
  for (let at = 2; at + 2 <= list.length; at += 2 + list.readUInt16BE(at)) count += 1;
  return count;
}

/** Returns the content of a DER OCTET STRING. */
function octets(der: Buffer): Buffer {
  const length = der[1] ?? 0;
  // In the long form the lower bits are the number of bytes that hold the length.
  return der.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f));
}
