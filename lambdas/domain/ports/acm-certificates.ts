import type { NewArnReason, Validity } from '../contract/certificate-facts.ts';
import type { KeyType } from '../contract/config.ts';

/** A tag of an import that has another value than this stack sets. */
export interface TagDifference {
  readonly tag: string;
  /** Value on the import. `null` if the import does not have the tag. */
  readonly value: string | null;
  /** Value that this stack sets. */
  readonly expected: string;
}

/** An import that has all tags of a certificate of this stack but one. */
export interface SimilarImport extends TagDifference {
  readonly arn: string;
}

/** An import with the details that need a call for each ARN. */
export interface ImportDescription extends Validity {
  /** Serial number of the leaf certificate, in hexadecimal and lower case, as in `CertificateFacts`. */
  readonly serialNumber: string;
  /** Tags of this stack and of the operator that are missing or have another value. */
  readonly differentTags: readonly TagDifference[];
}

/** Certificates in ACM, by region. */
export interface AcmCertificates {
  /** The ARN of an import with the tags of this stack and certificate, this key type and a name in common. `null` if there is none. */
  find(region: string, certificate: string, identifiers: readonly string[], keyType: KeyType): Promise<string | null>;
  /** Returns the imports that `find` would return if one of their tags had another value. */
  similar(
    region: string,
    certificate: string,
    identifiers: readonly string[],
    keyType: KeyType,
  ): Promise<readonly SimilarImport[]>;
  /**
   * Lists all imports of a region by ARN, also those of other stacks. An import of the last minutes may be missing.
   *
   * @throws RegionUnavailableError
   * @throws UnexpectedError if the region has too many certificates
   */
  list(region: string): Promise<ReadonlyMap<string, Validity>>;
  /** Describes an import of a certificate of this stack. Returns `null` if the ARN does not exist. */
  describe(region: string, certificate: string, arn: string): Promise<ImportDescription | null>;
  /**
   * Sets the operator's tags on an import. Other tags stay. Returns `notFound` if the ARN does not exist.
   *
   * @throws ImportRefusedError
   */
  tag(region: string, certificate: string, arn: string): Promise<'tagged' | 'notFound'>;
  /**
   * Imports a certificate. A first import has tags, among them the operator's, and an import over an ARN has none. Returns `notFound` if the ARN does
   * not exist, and a `NewArnReason` if ACM rejects the certificate over this ARN but accepts it under a new one.
   *
   * @throws ImportRefusedError
   * @throws ImportLimitError
   */
  import(
    region: string,
    certificate: string,
    pem: { readonly certificate: string; readonly chain: string; readonly privateKey: string },
    arn: string | null,
  ): Promise<{ readonly arn: string } | 'notFound' | NewArnReason>;
}
