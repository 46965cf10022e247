import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { NewArnReason, Validity } from '../../lambdas/domain/contract/certificate-facts.ts';
import type { KeyType } from '../../lambdas/domain/contract/config.ts';
import { type Tags, tags } from '../../lambdas/domain/contract/environment.ts';
import { ImportRefusedError } from '../../lambdas/domain/contract/errors.ts';
import type { AcmCertificates, ImportDescription, SimilarImport } from '../../lambdas/domain/ports/acm-certificates.ts';
import { keyTypeOf, splitPem } from '../../lambdas/domain/rules/certificate/verify-certificate.ts';

/** OID of client authentication, the only extended key usage that a re-import may remove. */
const clientAuthentication = '1.3.6.1.5.5.7.3.2';

interface Import {
  /** Stack in the tags of the import. */
  readonly stack: string;
  /** Name of the certificate in the tags of the import. */
  readonly tag: string;
  /** Position among all imports. The latest import has the highest number. */
  readonly imported: number;
  readonly names: readonly string[];
  readonly keyType: KeyType | undefined;
  /** OIDs of the extended key usages. */
  readonly usages: readonly string[];
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly chainLength: number;
  /** The operator's tags. */
  readonly tags: Tags;
}

/** ACM in memory, for the regions that a test adds. It parses and checks each import, as ACM does. */
export class FakeAcm implements AcmCertificates {
  /** The operator's tags. */
  tags: Tags = {};
  readonly #stack: string;
  readonly #shared: { readonly regions: Map<string, Map<string, Import>>; count: number };

  constructor(stack = 'Perennial', shared = { regions: new Map<string, Map<string, Import>>(), count: 0 }) {
    this.#stack = stack;
    this.#shared = shared;
  }

  // ---- for tests

  addRegion(region: string): void {
    this.#shared.regions.set(region, new Map());
  }

  /** Returns the same ACM for another stack. */
  of(stack: string): AcmCertificates {
    return new FakeAcm(stack, this.#shared);
  }

  arns(region: string): string[] {
    return [...this.#region(region).keys()];
  }

  get(region: string, arn: string): Import {
    const found = this.#region(region).get(arn);
    if (!found) throw new Error(`The fake ACM in ${region} has no certificate ${arn}.`);
    return found;
  }

  delete(region: string, arn: string): void {
    this.#region(region).delete(arn);
  }

  /** Removes all tags of an import, as an operator may do. */
  removeTags(region: string, arn: string): void {
    this.#region(region).set(arn, { ...this.get(region, arn), stack: '', tag: '', tags: {} });
  }

  // ---- the port

  async find(
    region: string,
    certificate: string,
    identifiers: readonly string[],
    keyType: KeyType,
  ): Promise<string | null> {
    const found = [...this.#region(region)]
      .filter(([, each]) => each.stack === this.#stack && each.tag === certificate && each.keyType === keyType)
      .filter(([, { names }]) => names.some((name) => identifiers.includes(name.toLowerCase())));
    return found.toSorted(([, a], [, b]) => b.imported - a.imported)[0]?.[0] ?? null;
  }

  async similar(
    region: string,
    certificate: string,
    identifiers: readonly string[],
    keyType: KeyType,
  ): Promise<readonly SimilarImport[]> {
    const wanted = new Set(identifiers);
    return [...this.#region(region)]
      .filter(([, each]) => each.stack !== this.#stack && each.tag === certificate && each.keyType === keyType)
      .filter(([, { names }]) => names.some((name) => wanted.has(name.toLowerCase())))
      .toSorted(([, a], [, b]) => b.imported - a.imported)
      .map(([arn, { stack }]) => ({ arn, tag: tags.stack, value: stack, expected: this.#stack }));
  }

  async list(region: string): Promise<ReadonlyMap<string, Validity>> {
    return new Map(
      [...this.#region(region)].map(([arn, { notBefore, notAfter }]) => [arn, { notBefore, notAfter }] as const),
    );
  }

  async describe(region: string, certificate: string, arn: string): Promise<ImportDescription | null> {
    const found = this.#region(region).get(arn);
    if (!found) return null;
    const { notBefore, notAfter, serialNumber } = found;
    const there: Tags = { ...found.tags, [tags.stack]: found.stack, [tags.certificate]: found.tag };
    const wanted = { ...this.tags, [tags.stack]: this.#stack, [tags.certificate]: certificate };
    const differentTags = Object.entries(wanted).flatMap(([tag, expected]) =>
      there[tag] === expected ? [] : [{ tag, value: there[tag] || null, expected }],
    );
    return { notBefore, notAfter, serialNumber, differentTags };
  }

  async tag(region: string, _certificate: string, arn: string): Promise<'tagged' | 'notFound'> {
    const imports = this.#region(region);
    const before = imports.get(arn);
    if (!before) return 'notFound';
    imports.set(arn, { ...before, tags: { ...before.tags, ...this.tags } });
    return 'tagged';
  }

  async import(
    region: string,
    certificate: string,
    pem: { readonly certificate: string; readonly chain: string; readonly privateKey: string },
    arn: string | null,
  ): Promise<{ readonly arn: string } | 'notFound' | NewArnReason> {
    const imports = this.#region(region);
    const read = readImport(pem);
    const imported = ++this.#shared.count;
    if (arn === null) {
      const made = `arn:aws:acm:${region}:111122223333:certificate/${imported}`;
      imports.set(made, { ...read, imported, stack: this.#stack, tag: certificate, tags: this.tags });
      return { arn: made };
    }
    const before = imports.get(arn);
    if (!before) return 'notFound';
    if (before.keyType !== read.keyType) return 'keyChanged';
    if (!before.names.some((name) => read.names.includes(name))) return 'namesChanged';
    if (before.usages.some((usage) => !read.usages.includes(usage))) return 'usageRemoved';
    imports.set(arn, { ...before, ...read, imported });
    return { arn };
  }

  #region(region: string): Map<string, Import> {
    const imports = this.#shared.regions.get(region);
    if (!imports) throw new Error(`The fake ACM has no region ${region}. Add it with addRegion.`);
    return imports;
  }
}

function readImport({
  certificate,
  chain,
  privateKey,
}: {
  readonly certificate: string;
  readonly chain: string;
  readonly privateKey: string;
}): Omit<Import, 'stack' | 'tag' | 'imported' | 'tags'> {
  const leaf = new X509Certificate(certificate);
  if (splitPem(certificate).length !== 1)
    throw new ImportRefusedError({ what: 'The certificate field must hold one certificate.', region: 'eu-west-1' });
  if (!leaf.checkPrivateKey(createPrivateKey(privateKey)))
    throw new ImportRefusedError({ what: 'The key does not match the certificate.', region: 'eu-west-1' });
  const [issuer] = splitPem(chain);
  if (issuer && issuer.publicKey.asymmetricKeyType !== leaf.publicKey.asymmetricKeyType) {
    throw new ImportRefusedError({ what: 'The key algorithm differs from the signing CA.', region: 'eu-west-1' });
  }
  return {
    names: (leaf.subjectAltName ?? '').replaceAll('DNS:', '').split(', '),
    keyType: keyTypeOf(leaf),
    // Node.js gives the extended key usages in `keyUsage`, or undefined without the extension.
    usages: (leaf.keyUsage ?? []).filter((usage) => usage !== clientAuthentication),
    serialNumber: leaf.serialNumber.toLowerCase(),
    notBefore: leaf.validFromDate.toISOString(),
    notAfter: leaf.validToDate.toISOString(),
    chainLength: splitPem(chain).length,
  };
}
