import { createHash, createPublicKey } from 'node:crypto';

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

/**
 * Returns the SHA-256 hash, in hexadecimal, of the public key that belongs to a private key. Equal keys have equal fingerprints, also if their PEM
 * texts differ. A text that is no private key has the hash of the text.
 */
export function keyFingerprint(privateKey: string): string {
  try {
    return sha256(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  } catch {
    return sha256(privateKey);
  }
}
