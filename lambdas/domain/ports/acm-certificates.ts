import type { NewArnReason } from '../contract/certificate-facts.ts';
import type { KeyType } from '../contract/config.ts';

export interface AcmCertificates {
  /** An import of ours, by its tags, among those of this key type that share a name with the certificate; `null`: none. */
  find(region: string, certificate: string, identifiers: readonly string[], keyType: KeyType): Promise<string | null>;
  /**
   * A first import carries tags; one over an ARN does not. `notFound`: the ARN is gone; a `NewArnReason`: ACM refuses this certificate
   * over this ARN, and takes it under a new one. Throws `ImportRefusedError`, `ImportLimitError`.
   */
  import(
    region: string,
    certificate: string,
    pem: { readonly certificate: string; readonly chain: string; readonly privateKey: string },
    arn: string | null,
  ): Promise<{ readonly arn: string } | 'notFound' | NewArnReason>;
}
