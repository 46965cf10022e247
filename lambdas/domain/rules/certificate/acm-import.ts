import { X509Certificate } from 'node:crypto';
import type { NewArnReason } from '../../contract/certificate-facts.ts';
import type { KeyType } from '../../contract/config.ts';

type Algorithm = 'RSA' | 'ECDSA';

const algorithmOf = (keyType: KeyType): Algorithm => (keyType.startsWith('RSA') ? 'RSA' : 'ECDSA');

/** Of the key that signed it, as OpenSSL names signatures: `ecdsa-with-SHA384`, `sha256WithRSAEncryption`, `rsassaPss`. */
function signingAlgorithm(certificate: string): Algorithm | null {
  const { signatureAlgorithm = '' } = new X509Certificate(certificate);
  if (/^ecdsa/i.test(signatureAlgorithm)) return 'ECDSA';
  return /rsa/i.test(signatureAlgorithm) ? 'RSA' : null;
}

/**
 * Why ACM will refuse to import this certificate, in words; `null`: nothing is known against it. "The cryptographic algorithm of an
 * imported certificate must match the algorithm of the signing CA"
 * (https://docs.aws.amazon.com/acm/latest/APIReference/API_ImportCertificate.html). Its limits of size are not looked at: the largest
 * of our keys, RSA-4096, has 3.3 KB of the 5 KB that are allowed.
 */
export function importProblem({
  certificate,
  keyType,
}: {
  readonly certificate: string;
  readonly keyType: KeyType;
}): string | null {
  const signer = signingAlgorithm(certificate);
  const own = algorithmOf(keyType);
  if (signer === null || signer === own) return null;
  const matching = signer === 'RSA' ? 'RSA-2048' : 'P-256';
  return (
    `its key is ${keyType} and the CA signed it with ${signer}: ACM takes a certificate only from a CA whose key is of the same ` +
    `algorithm. Set its keyType to '${matching}', choose an issuer that signs ${keyType} with ${own}, or deliver it to no ACM region`
  );
}

/** An import as DescribeCertificate shows it. Nothing is held against what is missing there. */
interface DescribedImport {
  /** Written with a hyphen (RSA-2048) by this call and with an underscore by others. */
  readonly KeyAlgorithm?: string | undefined;
  readonly SubjectAlternativeNames?: readonly string[] | undefined;
  readonly KeyUsages?: readonly { readonly Name?: string | undefined }[] | undefined;
  readonly ExtendedKeyUsages?:
    | readonly { readonly Name?: string | undefined; readonly OID?: string | undefined }[]
    | undefined;
}

const clientAuthentication = '1.3.6.1.5.5.7.3.2';

/**
 * Whether ACM's rules of a re-import keep this certificate from the ARN of an earlier one; `null`: nothing that is known.
 * https://docs.aws.amazon.com/acm/latest/userguide/import-reimport.html
 *
 * "You can add or remove domain names. You cannot remove all of the domain names": we take it that one of the names that are there now
 * has to stay, spelled the same (a wildcard stands for none but itself). Values of Key Usage and Extended Key Usage may come but not go,
 * except client authentication, and keyEncipherment of an ECDSA key. CAs leave the latter out of RSA certificates in some profiles,
 * Let's Encrypt's `tlsserver` for one.
 */
export function newArnReason(earlier: DescribedImport, certificate: string): NewArnReason | null {
  const leaf = parsed(certificate);
  if (!leaf) return null; // ACM's own refusal says more than the parser's.
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

/** As ACM names it. */
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
      // ANY and CUSTOM are no values that a certificate could have or lose.
      keyUsageNames.includes(Name) &&
      !keyUsages.has(Name) &&
      !(Name === 'KEY_ENCIPHERMENT' && leaf.publicKey.asymmetricKeyType === 'ec'),
  );
  // Node calls the extended ones keyUsage, by OID; undefined without the extension, whatever its type says.
  const extended = new Set(leaf.keyUsage ?? []);
  return (
    lostUsage || ExtendedKeyUsages.some(({ OID }) => OID && OID !== clientAuthentication && !extended.has(OID)) // NONE has no OID.
  );
}

/** ACM's names of the bits of Key Usage, from digitalSignature (0) to decipherOnly (8). */
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
 * The extension Key Usage (RFC 5280 §4.2.1.3) in DER: its id, `01 01 ff` when critical, then an octet string (`04`, length) of a bit
 * string: `03`, length, the number of unused bits, and one byte of bits or two, the first bit leftmost.
 */
function keyUsagesOf(der: Buffer): ReadonlySet<string> {
  const id = Buffer.from('0603551d0f', 'hex');
  const at = der.indexOf(id);
  if (at < 0) return new Set();
  const value = der.subarray(at + id.length + (der[at + id.length] === 0x01 ? 3 : 0));
  const bits = value.subarray(5, 4 + (value[3] ?? 0));
  return new Set(keyUsageNames.filter((_, bit) => ((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0));
}
