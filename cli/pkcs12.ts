import { randomBytes, type X509Certificate } from 'node:crypto';
import * as asn1 from 'asn1js';
import * as pkijs from 'pkijs';

/** PBKDF2 iterations, as OpenSSL 3 and Java 17 write at least 2,048 and 10,000. */
const iterations = 10_000;

/** Bag types, RFC 7292 §4.2 */
const keyBag = '1.2.840.113549.1.12.10.1.2';
const certificateBag = '1.2.840.113549.1.12.10.1.3';
/** Attributes of bags, RFC 2985 §5.5 */
const friendlyName = '1.2.840.113549.1.9.20';
const localKeyId = '1.2.840.113549.1.9.21';

export interface Pkcs12Content {
  /** The leaf certificate. */
  readonly certificate: X509Certificate;
  /** The issuing CA certificates. */
  readonly chain: readonly X509Certificate[];
  /** The private key as PKCS#8 DER. */
  readonly privateKey: Uint8Array;
  /** Name of the entry, which Java calls its alias. */
  readonly name: string;
}

/**
 * Returns a PKCS#12 file (RFC 7292) with the key, encrypted by PBES2 with AES-256-CBC, and the certificates. OpenSSL 3 and Java 17 read it. The MAC
 * uses SHA-256.
 */
export async function pkcs12(content: Pkcs12Content, password: string): Promise<Uint8Array> {
  const engine = new pkijs.CryptoEngine({ name: 'node', crypto: globalThis.crypto });
  const secret = new TextEncoder().encode(password).buffer as ArrayBuffer;
  const entry = attributes(content.name);
  const shrouded = new pkijs.PKCS8ShroudedKeyBag({ parsedValue: pkijs.PrivateKeyInfo.fromBER(content.privateKey) });
  const encryption = {
    password: secret,
    contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 },
    hmacHashAlgorithm: 'SHA-256',
    iterationCount: iterations,
  };
  // The types of pkijs leave out the name of the algorithm.
  await shrouded.makeInternalValues(encryption as never, engine);
  const key = new pkijs.SafeBag({ bagId: keyBag, bagValue: shrouded, bagAttributes: entry });
  const certificates = [content.certificate, ...content.chain].map(
    (each, index) =>
      new pkijs.SafeBag({
        bagId: certificateBag,
        bagValue: new pkijs.CertBag({ parsedValue: pkijs.Certificate.fromBER(each.raw) }),
        ...(index === 0 && { bagAttributes: entry }),
      }),
  );
  const safe = new pkijs.AuthenticatedSafe({
    parsedValue: {
      safeContents: [
        { privacyMode: 1, value: new pkijs.SafeContents({ safeBags: certificates }) },
        { privacyMode: 0, value: new pkijs.SafeContents({ safeBags: [key] }) },
      ],
    },
  });
  await safe.makeInternalValues({ safeContents: [encryption, {}] }, engine);
  const file = new pkijs.PFX({ parsedValue: { integrityMode: 0, authenticatedSafe: safe } });
  await file.makeInternalValues(
    { password: secret, iterations, pbkdf2HashAlgorithm: { name: 'SHA-256' }, hmacHashAlgorithm: 'SHA-256' } as never,
    engine,
  );
  return new Uint8Array(file.toSchema().toBER(false));
}

/** The attributes that connect the key with the leaf certificate. */
function attributes(name: string): pkijs.Attribute[] {
  return [
    new pkijs.Attribute({ type: friendlyName, values: [new asn1.BmpString({ value: name })] }),
    new pkijs.Attribute({
      type: localKeyId,
      values: [new asn1.OctetString({ valueHex: randomBytes(20).buffer.slice(0, 20) as ArrayBuffer })],
    }),
  ];
}
