import type { X509Certificate } from 'node:crypto';
import { splitPem } from './verify-certificate.ts';

/**
 * Tells whether a PEM chain ends in the certificate with this common name. This is the root, which issued the topmost certificate, or is the topmost
 * certificate itself if the CA also sends the root. The result is `false` for a chain that cannot be read.
 */
export function endsIn(pem: string, commonName: string): boolean {
  const top = topmost(pem);
  return top !== undefined && [top.issuer, top.subject].some((name) => commonNames(name).includes(commonName));
}

/** Returns the common name in which a chain ends, for a message. */
export function endOf(pem: string): string {
  return commonNames(topmost(pem)?.issuer ?? '')[0] ?? 'a certificate without a common name';
}

function topmost(pem: string): X509Certificate | undefined {
  try {
    return splitPem(pem).at(-1);
  } catch {
    return undefined;
  }
}

/** Returns the common names in a distinguished name. Node.js writes one attribute per line and escapes special characters (RFC 4514 §2.4). */
const commonNames = (name: string): string[] =>
  name
    .split('\n')
    .filter((line) => line.startsWith('CN='))
    .map((line) => line.slice('CN='.length).replaceAll(/\\(.)/g, '$1'));
