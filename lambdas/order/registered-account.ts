import type { Issuer } from '../rules/contract.ts';
import type { AccountSecrets, Acme, CertificateAuthority, NewPrivateKey } from '../rules/ports.ts';

export interface AccountPorts {
  readonly accounts: AccountSecrets;
  readonly acme: Acme;
  readonly newPrivateKey: NewPrivateKey;
}

/**
 * The CA, seen from our account there; made on first use. RFC 8555 §7.3. Key first, then the secret (who was first wins), then
 * newAccount, then its URL: dying in between leaves a key that the next call registers, never an account without its key.
 */
export async function registeredAccount(
  issuer: Issuer,
  { accounts, acme, newPrivateKey }: AccountPorts,
): Promise<CertificateAuthority> {
  const { directoryUrl } = issuer;
  const account =
    (await accounts.read(directoryUrl)) ?? (await accounts.create(directoryUrl, await newPrivateKey('P-256')));
  const { privateKey } = account;
  if (account.url) return acme.connect(issuer, { url: account.url, privateKey });
  const url = await acme.newAccount(issuer, privateKey);
  await accounts.saveUrl(directoryUrl, account, url);
  return acme.connect(issuer, { url, privateKey });
}
