import type { KeyType } from '../contract/config.ts';

/** A new private key, PKCS#8 PEM. */
export type NewPrivateKey = (keyType: KeyType) => Promise<string>;
