import type { Issuer } from '../domain/contract/config.ts';
import type { AccountSecrets, AcmeAccount } from '../domain/ports/account-secrets.ts';
import type { Acme } from '../domain/ports/acme.ts';

/**
 * Returns the stored account with the key that the CA accepts. An interrupted key change may have left two keys. The CA knows the account by one of
 * them, and newAccount with `onlyReturnExisting` tells which (RFC 8555 §7.3.1, §7.3.5). If the CA does not accept the next key yet, that key stays
 * stored for the next try of the key change.
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
