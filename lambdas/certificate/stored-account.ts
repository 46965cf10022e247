import type { Issuer } from '../domain/contract/config.ts';
import { AccountDoesNotExistError } from '../domain/contract/errors.ts';
import type { AccountSecrets } from '../domain/ports/account-secrets.ts';
import type { Acme, CertificateAuthority } from '../domain/ports/acme.ts';

export interface AccountPorts {
  readonly accounts: Pick<AccountSecrets, 'read'>;
  readonly acme: Pick<Acme, 'connect'>;
}

/** The CA, seen from the account that made the order. This function only reads accounts. The order function makes them. */
export async function connectStoredAccount(
  issuer: Issuer,
  { accounts, acme }: AccountPorts,
): Promise<CertificateAuthority> {
  const account = await accounts.read(issuer.directoryUrl);
  if (!account?.url) {
    throw new AccountDoesNotExistError({
      what: `The account at ${issuer.name} that made the order is not in Secrets Manager.`,
      remedy: 'Start the renewal again: it makes a new account.',
      issuer: issuer.name,
    });
  }
  return acme.connect(issuer, { url: account.url, privateKey: account.privateKey });
}
