import type { KeyType } from '../contract/config.ts';

/** Generates a private key in PKCS#8 PEM. */
export type NewPrivateKey = (keyType: KeyType) => Promise<string>;
