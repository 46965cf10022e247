import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyType } from '../../domain/contract/config.ts';

const generate = promisify(generateKeyPair);

/** A new private key for an account or a certificate, PKCS#8 PEM. It exists in memory and in its secret, nowhere else. */
export async function newPrivateKey(keyType: KeyType): Promise<string> {
  const { privateKey } = keyType.startsWith('RSA-')
    ? await generate('rsa', { modulusLength: Number(keyType.slice('RSA-'.length)) })
    : await generate('ec', { namedCurve: keyType });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
