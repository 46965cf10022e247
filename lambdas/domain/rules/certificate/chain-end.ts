import type { X509Certificate } from 'node:crypto';
import { splitPem } from './verify-certificate.ts';

/**
 * Whether this PEM chain ends in the certificate with this common name: the root, which issued the topmost certificate or is the
 * topmost itself where the CA sends it too. A chain that cannot be read ends in nothing.
 */
export function endsIn(pem: string, commonName: string): boolean {
  const top = topmost(pem);
  return top !== undefined && [top.issuer, top.subject].some((name) => commonNames(name).includes(commonName));
}

/** The common name that a chain ends in, for a message. */
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

/** Of a distinguished name as Node shows it: one attribute a line, special characters escaped (RFC 4514 §2.4). */
const commonNames = (name: string): string[] =>
  name
    .split('\n')
    .filter((line) => line.startsWith('CN='))
    .map((line) => line.slice('CN='.length).replaceAll(/\\(.)/g, '$1'));
