import type { Issuer } from '../domain/contract/config.ts';
import {
  ExternalAccountBindingError,
  ExternalAccountRequiredError,
  MalformedError,
  UnauthorizedError,
} from '../domain/contract/errors.ts';
import type { AcmeAccount } from '../domain/ports/account-secrets.ts';
import type { Acme, NewAccount } from '../domain/ports/acme.ts';
import type { AccountPorts } from './ensure-account.ts';

/** An account at a CA and its key. */
export interface Registered {
  readonly url: string;
  readonly privateKey: string;
}

type Ports = Pick<AccountPorts, 'accounts' | 'acme' | 'externalAccountKey'>;

/** Registers the account of a stored key and stores its URL. RFC 8555 §7.3. A second call finds the account by its key. */
export async function newAccount(issuer: Issuer, account: AcmeAccount, ports: Ports): Promise<Registered> {
  const { accounts, acme } = ports;
  const { directoryUrl, externalAccountBinding } = issuer;
  const { privateKey } = account;
  const { url, created } =
    externalAccountBinding === null
      ? await acme.newAccount(issuer, privateKey)
      : await bind(issuer, account, externalAccountBinding, ports);
  await accounts.saveUrl(directoryUrl, account, { url, ...(created && { contact: issuer.contact }) });
  return { url, privateKey };
}

/**
 * Returns the account with an external account binding. A binding may register one account only. So the CA is asked first whether an
 * interrupted execution has registered the account. If the binding is then refused, another execution may have been faster. The CA then knows
 * its account by the key, or the account is in the secret.
 */
async function bind(issuer: Issuer, account: AcmeAccount, secretArn: string, ports: Ports): Promise<NewAccount> {
  const { accounts, acme, externalAccountKey } = ports;
  const known = await findAccount(issuer, account.privateKey, acme);
  if (known !== null) return { url: known, created: false };
  try {
    return await acme.newAccount(issuer, account.privateKey, await externalAccountKey(secretArn));
  } catch (error) {
    if (!(error instanceof ExternalAccountBindingError)) throw error;
    const found = await findAccount(issuer, account.privateKey, acme);
    if (found !== null) return { url: found, created: false };
    // The request above has given the other execution time to store the URL.
    const { url = null, privateKey } = (await accounts.read(issuer.directoryUrl)) ?? {};
    // The URL of an account that the CA has forgotten is still stored.
    if (url === null || url === account.url || privateKey !== account.privateKey) throw error;
    return { url, created: false };
  }
}

/** Returns the URL of the account of this key. Some CAs refuse every newAccount without a binding, also with `onlyReturnExisting` (§7.3.1). */
async function findAccount(issuer: Issuer, privateKey: string, acme: Acme): Promise<string | null> {
  try {
    return await acme.findAccount(issuer, privateKey);
  } catch (error) {
    const refused =
      error instanceof ExternalAccountRequiredError ||
      error instanceof MalformedError ||
      error instanceof UnauthorizedError;
    if (!refused) throw error;
    return null;
  }
}
