import type { NewArnReason } from '../contract/certificate-facts.ts';
import type { KeyType } from '../contract/config.ts';

/** Certificates in ACM, by region. */
export interface AcmCertificates {
  /** The ARN of an import with the tags of this stack and certificate, this key type and a name in common. `null` if there is none. */
  find(region: string, certificate: string, identifiers: readonly string[], keyType: KeyType): Promise<string | null>;
  /**
   * Imports a certificate. A first import has tags, and an import over an ARN has none. Returns `notFound` if the ARN does not exist, and a
   * `NewArnReason` if ACM rejects the certificate over this ARN but accepts it under a new one.
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
