import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyType } from '../../domain/contract/config.ts';

const generate = promisify(generateKeyPair);

/** Generates a private key for an account or a certificate, in PKCS#8 PEM. It exists only in memory and in its secret. */
export async function newPrivateKey(keyType: KeyType): Promise<string> {
  const { privateKey } = keyType.startsWith('RSA-')
    ? await generate('rsa', { modulusLength: Number(keyType.slice('RSA-'.length)) })
    : await generate('ec', { namedCurve: keyType });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
