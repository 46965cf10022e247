import { CompromisedKeyError, UnexpectedError, UnreadableSecretError } from '../../../domain/contract/errors.ts';
import { certificateValueOf, compromisedLabel, putCandidate } from './certificate-versions.ts';
import { describeSecret, membersOf, readVersion, type Secret, sha256, versionLabelled } from './secrets.ts';

/**
 * The private key of an order, stored before the CA may sign for it. Its version has an id made from the URL of the order, so the first
 * key that is staged for an order wins, and a repeated write changes nothing.
 */

const keyVersion = (orderUrl: string): string => sha256(orderUrl);
/** Id of the version with the key that replaces a reused one. A CA may return the same order again, so the order cannot identify the key. */
const freshKeyVersion = (orderUrl: string): string => sha256(`${orderUrl}#fresh key`);

export async function stageKey(secret: Secret, orderUrl: string, privateKey: string): Promise<string> {
  const value = { format: 1, orderUrl, privateKey };
  if (await putCandidate(secret, keyVersion(orderUrl), value)) return privateKey;
  const staged = await stagedKey(secret, orderUrl).catch(async (error: unknown) => {
    if (!(error instanceof CompromisedKeyError)) throw error;
    // `false` if another execution was faster. Its key is used.
    const first = await putCandidate(secret, freshKeyVersion(orderUrl), value);
    return first ? privateKey : stagedKey(secret, orderUrl);
  });
  if (staged !== null) return staged;
  throw new UnexpectedError({
    what: `Secret ${secret.secret} has version ${keyVersion(orderUrl)}, but does not return it yet.`,
    remedy: 'Nothing was finalized. The next run reads it again.',
    secret: secret.secret,
  });
}

export async function stagedKey(secret: Secret, orderUrl: string): Promise<string | null> {
  const [staged, compromised] = await Promise.all([
    readKey(secret, orderUrl, keyVersion(orderUrl)),
    compromisedKey(secret),
  ]);
  // A reused key is an identical string.
  if (staged === null || staged !== compromised) return staged;
  const fresh = await readKey(secret, orderUrl, freshKeyVersion(orderUrl));
  if (fresh !== null) return fresh;
  throw new CompromisedKeyError({
    what: `The key that was reused for order ${orderUrl} is compromised, so nothing is stored with it.`,
    remedy: 'The certificate is ordered again with a new key.',
    secret: secret.secret,
    order: orderUrl,
  });
}

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

/** Returns the key of the version with the label COMPROMISED, or `null`. */
async function compromisedKey(secret: Secret): Promise<string | null> {
  const VersionId = versionLabelled(await describeSecret(secret), compromisedLabel);
  if (VersionId === null) return null;
  return certificateValueOf((await readVersion(secret, { VersionId }))?.SecretString)?.privateKey ?? null;
}
