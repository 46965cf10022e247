import type { Issuer } from '../domain/contract/config.ts';
import { AccountDoesNotExistError } from '../domain/contract/errors.ts';
import type { AccountSecrets } from '../domain/ports/account-secrets.ts';
import type { Acme, CertificateAuthority } from '../domain/ports/acme.ts';

export interface AccountPorts {
  readonly accounts: Pick<AccountSecrets, 'read'>;
  readonly acme: Pick<Acme, 'connect' | 'revoke'>;
}

/**
 * Returns the CA as the account that placed the order sees it. The certificate function only reads accounts. The order function registers them.
 *
 * @throws AccountDoesNotExistError if no registered account is stored
 */
export async function connectStoredAccount(
  issuer: Issuer,
  { accounts, acme }: AccountPorts,
): Promise<CertificateAuthority> {
  return acme.connect(issuer, await storedAccount(issuer, accounts));
}

/**
 * Returns the account that placed the order.
 *
 * @throws AccountDoesNotExistError if no registered account is stored
 */
export async function storedAccount(
  issuer: Issuer,
  accounts: AccountPorts['accounts'],
): Promise<{ readonly url: string; readonly privateKey: string }> {
  const account = await accounts.read(issuer.directoryUrl);
  if (!account?.url) {
    throw new AccountDoesNotExistError({
      what: 'The order cannot be continued.',
      why: `The account at ${issuer.name} that placed it is not in Secrets Manager.`,
      remedy: 'Start the renewal again. It registers a new account.',
      issuer: issuer.name,
    });
  }
  return { url: account.url, privateKey: account.privateKey };
}
