import type { AccountOutput, IssuerInput } from '../rules/account-request.ts';
import { type AccountPorts, registeredAccount } from './registered-account.ts';

/**
 * Makes our account at a CA where there is none. RFC 8555 §7.3. Run for every issuer after each deployment, so that a one-time external
 * account binding is used before it dies, and a fallback is ready when it is needed.
 *
 * An account that is stored is not asked about, so running it twice costs the CA nothing.
 */
export async function registerAccount({ issuer }: IssuerInput, ports: AccountPorts): Promise<AccountOutput> {
  await registeredAccount(issuer, ports);
  const account = await ports.accounts.read(issuer.directoryUrl);
  return { issuer: issuer.name, account: account?.url ?? null };
}
