import type { Issuer } from '../domain/contract/config.ts';
import {
  AccountDoesNotExistError,
  AccountNotValidError,
  MalformedError,
  UnauthorizedError,
} from '../domain/contract/errors.ts';
import type { AccountSecrets, AcmeAccount } from '../domain/ports/account-secrets.ts';
import type { Acme } from '../domain/ports/acme.ts';

/**
 * Returns the stored account with the key that the CA accepts. An interrupted key change may have left two keys. The CA accepts one of them, and a
 * request for the account that the next key signs tells which (RFC 8555 §6.3, §7.3.5). If the CA does not accept the next key yet, that key stays stored
 * for the next try of the key change.
 */
export async function accountKeyInUse(
  issuer: Issuer,
  account: AcmeAccount,
  { accounts, acme }: { readonly accounts: Pick<AccountSecrets, 'replace'>; readonly acme: Pick<Acme, 'checkAccount'> },
): Promise<AcmeAccount> {
  const { nextPrivateKey, url, contact } = account;
  if (nextPrivateKey === undefined || url === null) return account;
  const changed = await acme.checkAccount(issuer, { url, privateKey: nextPrivateKey }).then(
    () => true,
    (error: unknown) => {
      if (!isRefusal(error)) throw error;
      return false;
    },
  );
  if (!changed) return account;
  return accounts.replace(issuer.directoryUrl, account, {
    privateKey: nextPrivateKey,
    url,
    ...(contact && { contact }),
  });
}

/**
 * Tells whether the CA refused the key. RFC 8555 defines no problem type for a wrong key. Boulder and Pebble answer `malformed`, others
 * `unauthorized`.
 */
const isRefusal = (error: unknown): boolean =>
  error instanceof AccountNotValidError ||
  error instanceof AccountDoesNotExistError ||
  error instanceof MalformedError ||
  error instanceof UnauthorizedError;
