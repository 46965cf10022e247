import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { CertificateSpec, KeyType } from '../../contract/config.ts';
import { CertificateMismatchError, OrderSharedError } from '../../contract/errors.ts';
import { printable } from '../../contract/printable-text.ts';
import { hasTimes } from './certificate-times.ts';
import { isIssuer, issuersUpward } from './issuer-chain.ts';

/** A certificate from a CA that matches its order. Certificates are in PEM and times in RFC 3339. */
export interface VerifiedCertificate {
  /** The leaf certificate. */
  readonly certificate: string;
  /** Issuers in upward order without the root, as ACM and TLS servers require. See `issuersUpward`. */
  readonly chain: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly issuer: string;
  readonly keyType: KeyType;
  /** Phrases about differences that are accepted. */
  readonly warnings: readonly string[];
}

/** Longest accepted time until a certificate becomes valid, in milliseconds, because clocks differ. It causes a warning. */
const clockSkew = 3_600_000;

/** Longest distinguished name and longest warning, in characters. A CA can put any text into a certificate. */
const longestName = 500;
export const longestWarning = 1000;

/** Returns the certificates of a PEM chain in its order. RFC 8555 §9.1 forbids text between them, which is ignored here. */
export function splitPem(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/**
 * Returns the leaf certificate of a chain, which is the first one that is not a CA. RFC 8555 §9.1 requires it to be the first of all, but some CAs send
 * it elsewhere. `undefined` for a chain without a leaf.
 */
export const leafOf = (certificates: readonly X509Certificate[]): X509Certificate | undefined =>
  certificates.find(({ ca }) => !ca);

/**
 * Compares a chain with its order. The leaf certificate must have the key of the order and every identifier, must be valid now, and must be signed by
 * CAs that are valid themselves. Extra names, extra certificates and a start up to an hour in the future are warnings.
 *
 * @throws CertificateMismatchError if the chain does not match
 * @throws OrderSharedError if the certificate has another key. CAs give one pending order to all requests for the same names, so a certificate with
 *   these names and another key type may have finalized it
 */
export function verifyCertificate(
  pem: string,
  privateKey: string,
  spec: Pick<CertificateSpec, 'name' | 'identifiers'>,
  now: Date,
): VerifiedCertificate {
  const reject = (why: string): never => {
    throw new CertificateMismatchError({
      what: 'The certificate that the CA sent is not stored.',
      why: `${why}.`,
      remedy: 'The current certificate stays in use. Tell the CA if this repeats.',
      certificate: spec.name,
    });
  };
  const certificates = read(pem, reject);
  const key = createPrivateKey(privateKey);
  // The leaf is found by its key, because some CAs do not send it first.
  const leaf = certificates.find((each) => each.checkPrivateKey(key)) ?? leafOf(certificates);
  if (certificates.length === 0) return reject('The reply contains no certificate');
  if (!leaf) return reject('The reply contains certificates of CAs only');
  const rest = certificates.filter((each) => each !== leaf);
  if (!leaf.checkPrivateKey(key)) {
    throw new OrderSharedError({
      what: 'The order was finalized for another key, usually by another certificate with the same names.',
      remedy: 'A new order is placed.',
      certificate: spec.name,
    });
  }

  const names = dnsNames(leaf);
  const missing = spec.identifiers.filter((identifier) => !names.includes(identifier));
  if (missing.length > 0) reject(`It lacks ${missing.join(', ')}`);

  const warnings: string[] = [];
  const extra = names.filter((name) => !spec.identifiers.includes(name));
  if (extra.length > 0) warnings.push(`it also names ${extra.join(', ')}`);

  const { validFromDate: notBefore, validToDate: notAfter } = leaf;
  if (notAfter <= now) reject(`It expired at ${notAfter.toISOString()}`);
  if (notBefore.getTime() > now.getTime() + clockSkew) reject(`It is not valid before ${notBefore.toISOString()}`);
  if (notBefore > now) warnings.push(`it is valid from ${notBefore.toISOString()}, which is in the future`);

  if (rest.length > 0 && !rest.some((each) => isIssuer(each, leaf))) {
    reject('It is not signed by any of the certificates that the CA sent with it');
  }
  const chain = issuersUpward(leaf, rest, now);
  for (const issuer of chain) {
    if (!issuer.ca) reject(`Its issuer ${nameOf(issuer)} is not a CA`);
    if (issuer.validToDate <= now)
      reject(`Its issuer ${nameOf(issuer)} expired at ${issuer.validToDate.toISOString()}`);
  }
  if (chain.length === 0) warnings.push('the CA sent it without an intermediate');
  const needed = new Set([leaf, ...chain].map(({ fingerprint256 }) => fingerprint256));
  const others = rest.filter((each) => !needed.has(each.fingerprint256) && each.subject !== each.issuer);
  if (others.length > 0)
    warnings.push(`the CA also sent certificates that do not belong to its chain: ${others.map(nameOf).join('; ')}`);

  return {
    certificate: toPem([leaf]),
    chain: toPem(chain),
    serialNumber: leaf.serialNumber.toLowerCase(),
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    issuer: printable(oneLine(leaf.issuer) ?? '', longestName),
    keyType: keyTypeOf(leaf) ?? reject('Its key has a type that was not ordered'),
    // The state of the workflow has them.
    warnings: warnings.map((warning) => printable(warning, longestWarning)),
  };
}

function read(pem: string, reject: (why: string) => never): X509Certificate[] {
  const certificates = parsed(pem, reject);
  for (const each of certificates) if (!hasTimes(each)) reject(`The validity of ${nameOf(each)} is not a time`);
  return certificates;
}

function parsed(pem: string, reject: (why: string) => never): X509Certificate[] {
  try {
    return splitPem(pem);
  } catch (error) {
    return reject(`It cannot be read (${error instanceof Error ? error.message : error})`);
  }
}

/** Returns the DNS names in lower case, as they were ordered. DNS names are case-insensitive. */
const dnsNames = (leaf: X509Certificate): string[] =>
  (leaf.subjectAltName ?? '')
    .split(', ')
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice('DNS:'.length).toLowerCase());

const nameOf = ({ subject }: { readonly subject?: string }): string =>
  oneLine(subject) ?? 'a certificate without a subject';

/** Returns a distinguished name on one line. For a name without attributes Node.js has `undefined`, although its types have a string. */
const oneLine = (name: string | undefined): string | undefined => name?.replaceAll('\n', ', ');

const toPem = (certificates: readonly X509Certificate[]): string => certificates.map(String).join('');

/** Returns the key type of a certificate, or `undefined` if this project does not order such keys. */
export function keyTypeOf({ publicKey }: X509Certificate): KeyType | undefined {
  const { namedCurve, modulusLength } = publicKey.asymmetricKeyDetails ?? {};
  const types: Readonly<Record<string, KeyType>> = {
    prime256v1: 'P-256',
    secp384r1: 'P-384',
    2048: 'RSA-2048',
    3072: 'RSA-3072',
    4096: 'RSA-4096',
  };
  return types[namedCurve ?? String(modulusLength)];
}
