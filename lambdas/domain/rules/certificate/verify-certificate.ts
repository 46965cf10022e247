import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { CertificateSpec, KeyType } from '../../contract/config.ts';
import { CertificateMismatchError, OrderSharedError } from '../../contract/errors.ts';
import { isIssuer, issuersUpward } from './issuer-chain.ts';

/** What a CA sent, taken apart and found to be what was asked. PEM; times RFC 3339. */
export interface VerifiedCertificate {
  readonly certificate: string;
  /** Issuers upward, no root: what ACM and TLS servers want. `issuersUpward` says more. */
  readonly chain: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly issuer: string;
  readonly keyType: KeyType;
  readonly warnings: readonly string[];
}

/** CAs backdate, and clocks differ: a start this far ahead is a warning, more is a fault. Milliseconds. */
const clockSkew = 3_600_000;

/** The chain as separate certificates, leaf first. RFC 8555 §9.1 allows nothing between the blocks that we would miss. */
export function splitPem(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/**
 * Holds the chain against the order: our key, every identifier, in its dates, signed by CAs that are valid themselves.
 * Extra names, extra certificates and a start up to an hour ahead are warnings. Throws `CertificateMismatchError`; `OrderSharedError` for
 * another key: CAs give one pending order to all that ask for the same names, so a certificate of those names with another key type may
 * have finalized it.
 */
export function verifyCertificate(
  pem: string,
  privateKey: string,
  spec: Pick<CertificateSpec, 'name' | 'identifiers'>,
  now: Date,
): VerifiedCertificate {
  const refuse = (what: string): never => {
    throw new CertificateMismatchError({
      what: `The certificate that the CA sent is not stored: ${what}.`,
      remedy: 'The current certificate stays in use. Tell the CA if this repeats.',
      certificate: spec.name,
    });
  };
  const certificates = read(pem, refuse);
  const [leaf, ...rest] = certificates;
  if (!leaf) return refuse('the reply holds no certificate');
  if (!leaf.checkPrivateKey(createPrivateKey(privateKey))) {
    throw new OrderSharedError({
      what: 'The order was finalized for another key, usually by another certificate with the same names.',
      remedy: 'A new order is placed.',
      certificate: spec.name,
    });
  }

  const names = dnsNames(leaf);
  const missing = spec.identifiers.filter((identifier) => !names.includes(identifier));
  if (missing.length > 0) refuse(`it lacks ${missing.join(', ')}`);

  const warnings: string[] = [];
  const extra = names.filter((name) => !spec.identifiers.includes(name));
  if (extra.length > 0) warnings.push(`it also names ${extra.join(', ')}`);

  const { validFromDate: notBefore, validToDate: notAfter } = leaf;
  if (notAfter <= now) refuse(`it expired ${notAfter.toISOString()}`);
  if (notBefore.getTime() > now.getTime() + clockSkew) refuse(`it is not valid before ${notBefore.toISOString()}`);
  if (notBefore > now) warnings.push(`it is valid from ${notBefore.toISOString()}, a little ahead of this clock`);

  if (rest.length > 0 && !rest.some((each) => isIssuer(each, leaf))) {
    refuse('none of the certificates that came with it has signed it');
  }
  const chain = issuersUpward(leaf, rest, now);
  for (const issuer of chain) {
    if (!issuer.ca) refuse(`its issuer ${nameOf(issuer)} is not a CA`);
    if (issuer.validToDate <= now) refuse(`its issuer ${nameOf(issuer)} expired ${issuer.validToDate.toISOString()}`);
  }
  if (chain.length === 0) warnings.push('it came without an intermediate');
  const needed = new Set([leaf, ...chain].map(({ fingerprint256 }) => fingerprint256));
  const others = rest.filter((each) => !needed.has(each.fingerprint256) && each.subject !== each.issuer);
  if (others.length > 0)
    warnings.push(`it came with others that do not belong to its chain: ${others.map(nameOf).join('; ')}`);

  return {
    certificate: toPem([leaf]),
    chain: toPem(chain),
    serialNumber: leaf.serialNumber.toLowerCase(),
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    issuer: leaf.issuer.split('\n').join(', '),
    keyType: keyTypeOf(leaf) ?? refuse('its key is of a type that was not asked for'),
    warnings,
  };
}

function read(pem: string, refuse: (what: string) => never): X509Certificate[] {
  try {
    return splitPem(pem);
  } catch (error) {
    return refuse(`it cannot be read (${error instanceof Error ? error.message : error})`);
  }
}

/** Lower case: DNS names have no case, and what was ordered is lower case. */
const dnsNames = (leaf: X509Certificate): string[] =>
  (leaf.subjectAltName ?? '')
    .split(', ')
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice('DNS:'.length).toLowerCase());

const nameOf = ({ subject }: X509Certificate): string => subject.replaceAll('\n', ', ');

const toPem = (certificates: readonly X509Certificate[]): string => certificates.map(String).join('');

/** `undefined`: none of ours. */
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
