import type { IssuerInput, RegisteredAccount } from '../domain/contract/account-request.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { caaLines } from '../domain/rules/proof/caa.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';

export interface RegisterAccountPorts extends AccountPorts {
  readonly ledger: Pick<Ledger, 'recordAccount'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Makes our account at a CA where there is none. RFC 8555 §7.3. Run for every issuer after each deployment, so that a one-time external
 * account binding is used before it dies, a fallback is ready when it is needed, and CAA records are judged before the first order.
 *
 * An account that is stored is not asked about: running it again reads the CA's directory at most.
 */
export async function registerAccount(
  { issuer }: IssuerInput,
  { ledger, clock, ...ports }: RegisterAccountPorts,
): Promise<RegisteredAccount> {
  const ca = await ensureAccount(issuer, ports);
  const account = await ca.account();
  await ledger.recordAccount(issuer.directoryUrl, account, clock.now());
  // A CA that wants no proof uses no method.
  return { issuer: issuer.name, ...account, caa: caaLines(account, issuer.challenges === 'none' ? null : 'dns-01') };
}
