import { AccountKeyUnknownError } from '../../../domain/contract/errors.ts';
import type { AccountSecrets, AcmeAccount } from '../../../domain/ports/account-secrets.ts';
import type { Ledger } from '../../../domain/ports/ledger.ts';
import { keyFingerprint } from '../../../domain/rules/certificate/key-fingerprint.ts';

/**
 * Returns the secrets of accounts, limited to the keys that this stack has made. The ledger has the fingerprints of the keys that were ever stored for a
 * directory. A secret with another key is refused, because another writer has put the key there, and this stack would prove all names for that
 * writer's account.
 *
 * A fingerprint is saved before its key is stored, so an interruption leaves a fingerprint without a key, and never a key that is refused. Without any
 * fingerprint, as after the loss of the ledger, the key of a secret with the tag of this stack is accepted and its fingerprint is saved.
 */
export function withKnownKeys(
  accounts: AccountSecrets,
  ledger: Pick<Ledger, 'accountKeys' | 'recordAccountKey'>,
): AccountSecrets {
  const save = (directoryUrl: string, ...keys: readonly (string | undefined)[]) =>
    Promise.all(
      keys.flatMap((key) => (key === undefined ? [] : ledger.recordAccountKey(directoryUrl, keyFingerprint(key)))),
    );

  async function known(directoryUrl: string, account: AcmeAccount): Promise<AcmeAccount> {
    const { privateKey, nextPrivateKey } = account;
    const saved = await ledger.accountKeys(directoryUrl);
    if (saved.length === 0) await save(directoryUrl, privateKey, nextPrivateKey);
    else assertKnown(directoryUrl, saved, [privateKey, ...(nextPrivateKey === undefined ? [] : [nextPrivateKey])]);
    return account;
  }

  return {
    ...accounts,
    async read(directoryUrl) {
      const account = await accounts.read(directoryUrl);
      return account && known(directoryUrl, account);
    },
    async create(directoryUrl, privateKey) {
      await save(directoryUrl, privateKey);
      return known(directoryUrl, await accounts.create(directoryUrl, privateKey));
    },
    async saveUrl(directoryUrl, ...given) {
      return known(directoryUrl, await accounts.saveUrl(directoryUrl, ...given));
    },
    async replace(directoryUrl, before, after) {
      await save(directoryUrl, after.privateKey, after.nextPrivateKey);
      return known(directoryUrl, await accounts.replace(directoryUrl, before, after));
    },
  };
}

/** The same for a function that only reads accounts and does not write to their items in the ledger. */
export function readKnownAccounts(
  accounts: Pick<AccountSecrets, 'read'>,
  ledger: Pick<Ledger, 'accountKeys'>,
): Pick<AccountSecrets, 'read'> {
  return {
    async read(directoryUrl) {
      const account = await accounts.read(directoryUrl);
      if (account === null) return null;
      const saved = await ledger.accountKeys(directoryUrl);
      if (saved.length > 0) assertKnown(directoryUrl, saved, [account.privateKey]);
      return account;
    },
  };
}

function assertKnown(directoryUrl: string, saved: readonly string[], keys: readonly string[]): void {
  if (keys.every((key) => saved.includes(keyFingerprint(key)))) return;
  throw new AccountKeyUnknownError({
    what: `The account key for ${directoryUrl} is not used, because this stack has not made it.`,
    why: 'The ledger has the fingerprints of all account keys of this stack, and not that of the key in the secret.',
    remedy:
      'Find out who changed the secret, and restore its earlier version. If you stored the key yourself, remove the attribute accountKeys of the item ' +
      `account#${directoryUrl} from the ledger table, and the next run accepts it.`,
  });
}
