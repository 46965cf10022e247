import { X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { type Authority, makeAuthority, pemOf } from '../fakes/certificates.ts';

/** Wrong chains that a faulty CA might return. All their certificates have real signatures. */
export interface ForgedChains {
  /** Returns the issued leaf with an intermediate that did not sign it. */
  wrongIntermediate(issued: string): Promise<string>;
  /** Returns a leaf with the ordered names and another public key. */
  anotherKey(issued: string): Promise<string>;
  missingName(issued: string): Promise<string>;
  oneMoreName(issued: string): Promise<string>;
}

export async function makeForgedChains(): Promise<ForgedChains> {
  const root = await makeAuthority({ name: 'Forged Root' });
  const intermediate = await makeAuthority({ name: 'Forged Intermediate', issuer: root });
  const forged = async (issued: string, change: (leaf: Leaf) => Leaf) =>
    `${await leaf(intermediate, change(read(issued)))}${pemOf(intermediate.certificate)}`;
  return {
    wrongIntermediate: async (issued) => `${new X509Certificate(issued)}${pemOf(intermediate.certificate)}`,
    anotherKey: async (issued) => {
      const { publicKey } = await makeAuthority({ name: 'a key' }).then(({ keys }) => keys);
      return forged(issued, (each) => ({ ...each, publicKey }));
    },
    missingName: (issued) => forged(issued, (each) => ({ ...each, names: each.names.slice(1) })),
    oneMoreName: (issued) => forged(issued, (each) => ({ ...each, names: [...each.names, 'one-more.example'] })),
  };
}

interface Leaf {
  readonly names: readonly string[];
  readonly publicKey: x509.PublicKeyType;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly serialNumber: string;
}

function read(issued: string): Leaf {
  const certificate = new x509.X509Certificate(`${new X509Certificate(issued)}`);
  const alternative = certificate.getExtension(x509.SubjectAlternativeNameExtension);
  const names = alternative?.names.items.map(({ value }) => value) ?? [];
  const { publicKey, notBefore, notAfter, serialNumber } = certificate;
  return { names, publicKey, notBefore, notAfter, serialNumber };
}

async function leaf(issuer: Authority, { names, ...rest }: Leaf): Promise<string> {
  const keyId = issuer.certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId ?? '';
  const certificate = await x509.X509CertificateGenerator.create({
    ...rest,
    issuer: issuer.certificate.subject,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    signingKey: issuer.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      new x509.AuthorityKeyIdentifierExtension(keyId),
    ],
  });
  return pemOf(certificate);
}
