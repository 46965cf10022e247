import type { X509Certificate } from 'node:crypto';
import { splitPem } from './verify-certificate.ts';

/**
 * Tells whether a PEM chain ends in the root with this common name, which is the issuer of the topmost certificate. A root that the CA also sends is its
 * own issuer. The subject of the topmost certificate is not compared, because it may be a root that an older root has cross-signed, and the chain then
 * ends in the older root. The result is `false` for a chain that cannot be read.
 */
export const endsIn = (pem: string, commonName: string): boolean => rootNames(pem).includes(commonName);

/** Returns the common name in which a chain ends, for a message. */
export const endOf = (pem: string): string => rootNames(pem)[0] ?? 'a certificate without a common name';

/** Returns the common names of the issuer of the topmost certificate. */
function rootNames(pem: string): readonly string[] {
  // Node.js leaves out an issuer without attributes, although its type has one.
  const { issuer }: { readonly issuer?: string } = topmost(pem) ?? {};
  return commonNames(issuer ?? '');
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
