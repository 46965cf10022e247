import type { IssuerInput, RegisteredAccount } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { caaLines } from '../domain/rules/proof/caa.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';
import { refreshAccount } from './refresh-account.ts';

export interface RegisterAccountPorts extends AccountPorts {
  readonly ledger: Pick<Ledger, 'recordAccount'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Registers the account at a CA if none is stored, and returns it with the CAA records that allow it. RFC 8555 §7.3. It runs for every issuer after
 * each deployment. So a one-time external account binding is used before it expires, the account of a fallback exists when it is needed, and CAA
 * records are checked before the first order.
 *
 * A stored account gets the contact and the tags of the configuration, which may have changed. The CA is asked whether the account is still valid, so
 * that a deployment reports an account that could not order. It is safe to run twice, because only a changed contact is sent.
 *
 * @throws AccountNotValidError if the account is deactivated or revoked
 */
export async function registerAccount(
  { issuer }: IssuerInput,
  { ledger, clock, ...ports }: RegisterAccountPorts,
): Promise<RegisteredAccount> {
  await refreshAccount(issuer, ports);
  const ca = await ensureAccount(issuer, ports);
  const account = await ca.account();
  await ports.accounts.tag(issuer.directoryUrl);
  await ledger.recordAccount(issuer.directoryUrl, account, clock.now());
  // A CA that requires no proof of control uses no validation method.
  return { issuer: issuer.name, ...account, caa: caaLines(account, issuer.challenges[0] ?? null) };
}
