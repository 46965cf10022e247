import { X509Certificate } from 'node:crypto';
import type { NewArnReason } from '../../contract/certificate-facts.ts';
import type { KeyType } from '../../contract/config.ts';

type Algorithm = 'RSA' | 'ECDSA';

const algorithmOf = (keyType: KeyType): Algorithm => (keyType.startsWith('RSA') ? 'RSA' : 'ECDSA');

/**
 * Returns the algorithm of the key that signed a certificate, or `null` for any other. OpenSSL names signatures `ecdsa-with-SHA384`,
 * `sha256WithRSAEncryption` or `rsassaPss`.
 */
function signingAlgorithm(certificate: string): Algorithm | null {
  const { signatureAlgorithm = '' } = new X509Certificate(certificate);
  if (/^ecdsa/i.test(signatureAlgorithm)) return 'ECDSA';
  return /rsa/i.test(signatureAlgorithm) ? 'RSA' : null;
}

/** Why ACM would reject an import, and what the operator has to do, each in sentences. */
interface ImportProblem {
  readonly why: string;
  readonly remedy: string;
}

/**
 * Returns why ACM would reject the import of this certificate, or `null` if no reason is known. "The cryptographic algorithm of an imported
 * certificate must match the algorithm of the signing CA" (https://docs.aws.amazon.com/acm/latest/APIReference/API_ImportCertificate.html).
 * The size limits are not checked, because the largest key of this project, RSA-4096, has 3.3 KB of the allowed 5 KB.
 */
export function importProblem({
  certificate,
  keyType,
}: {
  readonly certificate: string;
  readonly keyType: KeyType;
}): ImportProblem | null {
  const signer = signingAlgorithm(certificate);
  const own = algorithmOf(keyType);
  if (signer === null || signer === own) return null;
  const matching = signer === 'RSA' ? 'RSA-2048' : 'P-256';
  return {
    why: `The key of the certificate is ${keyType}, but the CA signed it with ${signer}. ACM requires the same algorithm for both keys.`,
    remedy: `Set keyType to '${matching}', choose an issuer that signs ${keyType} with ${own}, or remove the ACM regions of the certificate.`,
  };
}

/** An imported certificate as DescribeCertificate returns it. Missing fields are not compared. */
interface DescribedImport {
  /** Algorithm and size. This call returns them with a hyphen (RSA-2048), and other calls with an underscore. */
  readonly KeyAlgorithm?: string | undefined;
  readonly SubjectAlternativeNames?: readonly string[] | undefined;
  readonly KeyUsages?: readonly { readonly Name?: string | undefined }[] | undefined;
  readonly ExtendedKeyUsages?:
    | readonly { readonly Name?: string | undefined; readonly OID?: string | undefined }[]
    | undefined;
}

const clientAuthentication = '1.3.6.1.5.5.7.3.2';

/**
 * Returns why ACM would reject this certificate over the ARN of an earlier import, or `null` if no reason is known.
 * https://docs.aws.amazon.com/acm/latest/userguide/import-reimport.html
 *
 * "You can add or remove domain names. You cannot remove all of the domain names." This project assumes that at least one existing name must stay,
 * in the same spelling. A wildcard matches only itself. Values of Key Usage and Extended Key Usage may be added but not removed. The exceptions are
 * client authentication, and keyEncipherment of an ECDSA key. CAs omit keyEncipherment from RSA certificates in some profiles, for example in
 * `tlsserver` of Let's Encrypt.
 */
export function newArnReason(earlier: DescribedImport, certificate: string): NewArnReason | null {
  const leaf = parsed(certificate);
  if (!leaf) return null; // The error of ACM explains more than that of the parser.
  const { KeyAlgorithm: algorithm, SubjectAlternativeNames: names = [] } = earlier;
  if (algorithm !== undefined && algorithm.replace('-', '_') !== keyAlgorithmOf(leaf)) return 'keyChanged';
  const kept = dnsNames(leaf);
  if (names.length > 0 && !names.some((name) => kept.has(name.toLowerCase()))) return 'namesChanged';
  return losesUsage(earlier, leaf) ? 'usageRemoved' : null;
}

function parsed(certificate: string): X509Certificate | null {
  try {
    return new X509Certificate(certificate);
  } catch {
    return null;
  }
}

/** Returns the key algorithm and size as ACM names them. */
function keyAlgorithmOf({ publicKey }: X509Certificate): string {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  return publicKey.asymmetricKeyType === 'rsa' ? `RSA_${modulusLength}` : `EC_${namedCurve}`;
}

const dnsNames = ({ subjectAltName = '' }: X509Certificate): ReadonlySet<string> =>
  new Set([...subjectAltName.matchAll(/DNS:([^,]+)/g)].map(([, name = '']) => name.toLowerCase()));

function losesUsage({ KeyUsages = [], ExtendedKeyUsages = [] }: DescribedImport, leaf: X509Certificate): boolean {
  const keyUsages = keyUsagesOf(leaf.raw);
  const lostUsage = KeyUsages.some(
    ({ Name = '' }) =>
      // ANY and CUSTOM are not values of a certificate, so it cannot lack them.
      keyUsageNames.includes(Name) &&
      !keyUsages.has(Name) &&
      !(Name === 'KEY_ENCIPHERMENT' && leaf.publicKey.asymmetricKeyType === 'ec'),
  );
  // Node.js returns the OIDs of the extended key usages as `keyUsage`. Without the extension it is undefined, unlike its type.
  const extended = new Set(leaf.keyUsage ?? []);
  return (
    lostUsage || ExtendedKeyUsages.some(({ OID }) => OID && OID !== clientAuthentication && !extended.has(OID)) // NONE has no OID.
  );
}

/** ACM's names for the bits of Key Usage, from digitalSignature (bit 0) to decipherOnly (bit 8). */
const keyUsageNames: readonly string[] = [
  'DIGITAL_SIGNATURE',
  'NON_REPUDIATION',
  'KEY_ENCIPHERMENT',
  'DATA_ENCIPHERMENT',
  'KEY_AGREEMENT',
  'CERTIFICATE_SIGNING',
  'CRL_SIGNING',
  'ENCIPHER_ONLY',
  'DECIPHER_ONLY',
];

/**
 * Reads the Key Usage extension (RFC 5280 §4.2.1.3) from DER. It consists of its id, `01 01 ff` if it is critical, and an octet string (`04`, length)
 * with a bit string. The bit string consists of `03`, its length, the number of unused bits, and one or two bytes of bits with the first bit
 * leftmost.
 */
function keyUsagesOf(der: Buffer): ReadonlySet<string> {
  const id = Buffer.from('0603551d0f', 'hex');
  const at = der.indexOf(id);
  if (at < 0) return new Set();
  const value = der.subarray(at + id.length + (der[at + id.length] === 0x01 ? 3 : 0));
  const bits = value.subarray(5, 4 + (value[3] ?? 0));
  return new Set(keyUsageNames.filter((_, bit) => ((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0));
}
