import type { KeyType } from '../contract/config.ts';
import type { Lookup } from './dns.ts';

/** The leaf certificate that a server presents. */
export interface ShownCertificate {
  /** Serial number in lower-case hex. */
  readonly serialNumber: string;
  /** Time at which it expires, in RFC 3339. */
  readonly notAfter: string;
}

/** TLS servers that present certificates. */
export interface TlsEndpoints {
  /**
   * Returns the certificate that `host:port` presents to a client that accepts this kind of key only, because a server may have an ECDSA and an
   * RSA certificate. If it has none of this kind, returns the one for a client that accepts both kinds. Never throws.
   */
  shown(endpoint: string, keyType: KeyType): Promise<Lookup<ShownCertificate>>;
}
