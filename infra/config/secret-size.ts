import type { KeyType } from '../../lambdas/domain/contract/config.ts';
import type { Report } from './mistakes.ts';

/** Longest value of a secret, in bytes. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const mostBytes = 65_536;
/** Bytes of a private key in PKCS#8 PEM, with the escaped line feeds of JSON. */
const keyBytes: Readonly<Record<KeyType, number>> = {
  'P-256': 250,
  'P-384': 330,
  'RSA-2048': 1_760,
  'RSA-3072': 2_550,
  'RSA-4096': 3_340,
};
/** Bytes of a leaf in DER besides its names: RSA-4096 key 550, RSA-4096 signature 512, two SCTs 250, other fields and extensions 500. */
const leafBytes = 1_800;
/** Bytes of two intermediate certificates in PEM. */
const chainBytes = 4_000;
/** Bytes of all other fields. */
const otherBytes = 800;
/** PEM has 4 characters for 3 bytes, and each line of 64 has two more for the escaped line feed in JSON. */
const pemFactor = (4 / 3) * (66 / 64);

/**
 * Reports names that together make the value of the secret too large. The names are in it three times: in `certificate`, in `fullChain` and in
 * `identifiers`. Otherwise the CA would issue a certificate that cannot be stored.
 */
export function checkSecretSize(names: readonly string[], keyType: KeyType, path: string, report: Report): void {
  // In DER each name has two bytes more, or three from 128 characters on. In JSON it has two quotes and a comma.
  const inLeaf = names.reduce((sum, { length }) => sum + length + (length > 127 ? 3 : 2), 0);
  const inList = names.reduce((sum, { length }) => sum + length + 3, 0);
  const leaf = (leafBytes + inLeaf) * pemFactor;
  const bytes = Math.ceil(2 * leaf + 2 * chainBytes + keyBytes[keyType] + inList + otherBytes);
  if (bytes <= mostBytes) return;
  const characters = names.reduce((sum, { length }) => sum + length, 0);
  const problem = `${names.length} names have ${characters} characters, so the secret may have ${bytes} bytes`;
  report(path, problem, `expected names for a secret of at most ${mostBytes} bytes, or divide them among certificates`);
}
