import type { Issuer } from '../rules/contract.ts';
import { AccountDoesNotExistError } from '../rules/errors.ts';
import type { AccountSecrets, Acme, CertificateAuthority } from '../rules/ports.ts';

export interface AccountPorts {
  readonly accounts: Pick<AccountSecrets, 'read'>;
  readonly acme: Pick<Acme, 'connect'>;
}

/** The CA, seen from the account that made the order. This room only reads accounts: the order room makes them. */
export async function accountAt(issuer: Issuer, { accounts, acme }: AccountPorts): Promise<CertificateAuthority> {
  const account = await accounts.read(issuer.directoryUrl);
  if (!account?.url) {
    throw new AccountDoesNotExistError(
      `The account at ${issuer.name} that made the order is gone from Secrets Manager: start the renewal again, it makes a new one.`,
    );
  }
  return acme.connect(issuer, { url: account.url, privateKey: account.privateKey });
}
