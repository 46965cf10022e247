import type { Issuer } from '../domain/contract/config.ts';
import type { AccountSecrets, AcmeAccount } from '../domain/ports/account-secrets.ts';
import type { Acme } from '../domain/ports/acme.ts';

/**
 * The stored account with the key that is live. A change of key that died may have left two: the CA knows the account by one of them,
 * and newAccount with onlyReturnExisting says by which. RFC 8555 §7.3.1, §7.3.5. Where the next key is not live it stays stored, for
 * the change to go on with.
 */
export async function accountKeyInUse(
  issuer: Issuer,
  account: AcmeAccount,
  { accounts, acme }: { readonly accounts: Pick<AccountSecrets, 'replace'>; readonly acme: Pick<Acme, 'findAccount'> },
): Promise<AcmeAccount> {
  const { nextPrivateKey, url } = account;
  if (nextPrivateKey === undefined) return account;
  const changed = (await acme.findAccount(issuer, nextPrivateKey)) !== null;
  return changed ? accounts.replace(issuer.directoryUrl, account, { privateKey: nextPrivateKey, url }) : account;
}
