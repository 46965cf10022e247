import { CompromisedKeyError, UnexpectedError, UnreadableSecretError } from '../../../domain/contract/errors.ts';
import type { StagedOrder } from '../../../domain/ports/certificate-secrets.ts';
import { keyFingerprint } from '../../../domain/rules/certificate/key-fingerprint.ts';
import { putCandidate } from './certificate-versions.ts';
import { compromisedKeys } from './compromised-keys.ts';
import { membersOf, readVersion, type Secret, sha256 } from './secrets.ts';

/**
 * The private key of an order, stored before the CA may sign for it. Its version has an id made from the URL of the order, so the first
 * key that is staged for an order wins, and a repeated write changes nothing.
 */

/**
 * Id of the version with the key of an order. A CA may return the same order again after its key became compromised, so the ids of the keys that
 * replace it are numbered.
 */
const keyVersion = (orderUrl: string, replaced: number): string =>
  sha256(replaced === 0 ? orderUrl : `${orderUrl}#key ${replaced}`);

export async function stageKey(
  secret: Secret,
  { url: orderUrl, directoryUrl }: StagedOrder,
  privateKey: string,
): Promise<string> {
  const compromised = await compromisedKeys(secret);
  if (compromised.has(keyFingerprint(privateKey))) throw compromisedKey(secret, orderUrl);
  for (let replaced = 0; ; replaced++) {
    const version = keyVersion(orderUrl, replaced);
    if (await putCandidate(secret, version, { format: 1, orderUrl, directoryUrl, privateKey })) return privateKey;
    const staged = await readKey(secret, orderUrl, version);
    if (staged === null) {
      throw new UnexpectedError({
        what: `Secret ${secret.secret} has version ${version}, but does not return it yet.`,
        remedy: 'Nothing was finalized. The next run reads it again.',
        secret: secret.secret,
      });
    }
    if (!compromised.has(keyFingerprint(staged))) return staged;
  }
}

export async function stagedKey(secret: Secret, orderUrl: string): Promise<string | null> {
  const compromised = await compromisedKeys(secret);
  for (let replaced = 0; ; replaced++) {
    const staged = await readKey(secret, orderUrl, keyVersion(orderUrl, replaced));
    if (staged !== null && compromised.has(keyFingerprint(staged))) continue;
    if (staged === null && replaced > 0) throw compromisedKey(secret, orderUrl);
    return staged;
  }
}

const compromisedKey = ({ secret }: Secret, orderUrl: string): CompromisedKeyError =>
  new CompromisedKeyError({
    what: `The key for order ${orderUrl} is compromised, so nothing is issued or stored with it.`,
    remedy: 'The certificate is ordered again with a new key.',
    secret,
    order: orderUrl,
  });

async function readKey(secret: Secret, orderUrl: string, VersionId: string): Promise<string | null> {
  const version = await readVersion(secret, { VersionId });
  if (version === null) return null;
  const staged = membersOf(version.SecretString);
  if (staged.format === 1 && staged.orderUrl === orderUrl && typeof staged.privateKey === 'string') {
    return staged.privateKey;
  }
  throw new UnreadableSecretError({
    what: `Version ${VersionId} of secret ${secret.secret} is not the key staged for order ${orderUrl}. Another program wrote it.`,
    remedy: 'Start the renewal with force, for a new order with a new key.',
    secret: secret.secret,
    order: orderUrl,
  });
}
