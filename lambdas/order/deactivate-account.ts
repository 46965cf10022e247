import type { AccountOutput, IssuerInput } from '../domain/contract/account-request.ts';
import { AccountDoesNotExistError, UnauthorizedError } from '../domain/contract/errors.ts';
import type { StepLog } from '../domain/ports/runtime.ts';
import { accountKeyInUse } from './account-key-in-use.ts';
import type { AccountPorts } from './ensure-account.ts';

/**
 * Deactivates our account at a CA, for good. RFC 8555 §7.3.6. Its key is of no use any more, since the CA would find the deactivated
 * account by it: a fresh one takes its place, with no URL, so that the next order or deployment registers a new account. Whoever does
 * not want that takes the issuer out of the configuration.
 *
 * Run twice, the CA refuses the account the second time, which says that it is gone; after that nothing is left to deactivate.
 */
export async function deactivateAccount(
  { issuer }: IssuerInput,
  { log, ...ports }: AccountPorts & { readonly log: Pick<StepLog, 'warn'> },
): Promise<AccountOutput> {
  const { accounts, acme, newPrivateKey } = ports;
  const { name, directoryUrl } = issuer;
  const stored = await accounts.read(directoryUrl);
  if (!stored?.url) return { issuer: name, account: null };
  const account = await accountKeyInUse(issuer, stored, ports);
  const { privateKey } = account;
  const { url } = stored;
  try {
    await acme.deactivate(issuer, { url, privateKey });
  } catch (error) {
    if (!(error instanceof UnauthorizedError || error instanceof AccountDoesNotExistError)) throw error;
    log.warn(`${name} does not know the account any more: it counts as deactivated.`, { account: url, error });
  }
  await accounts.replace(directoryUrl, account, { privateKey: await newPrivateKey('P-256'), url: null });
  return { issuer: name, account: url };
}
