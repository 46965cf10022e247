import type { KeyType } from '../contract/config.ts';
import type { Lookup } from './dns.ts';

/** The leaf that a server shows. */
export interface ShownCertificate {
  /** Hex, lower case. */
  readonly serialNumber: string;
  /** RFC 3339. */
  readonly notAfter: string;
}

export interface TlsEndpoints {
  /**
   * What a server shows to a client that asks by this name (`host:port`) and takes this kind of key, since it may hold an ECDSA and an
   * RSA certificate of the same names; to any client where it has none of that kind. Never throws.
   */
  shown(endpoint: string, keyType: KeyType): Promise<Lookup<ShownCertificate>>;
}
