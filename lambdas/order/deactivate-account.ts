import { AccountDoesNotExistError, UnauthorizedError } from '../domain/contract/errors.ts';
import type { AccountOutput, IssuerInput } from '../domain/contract/steps.ts';
import type { StepLog } from '../domain/ports/runtime.ts';
import { accountKeyInUse } from './account-key-in-use.ts';
import type { AccountPorts } from './ensure-account.ts';

/**
 * Deactivates the account at a CA permanently. RFC 8555 §7.3.6. The CA finds the deactivated account by its key, so that key cannot be used again. A
 * new key without a URL replaces it, and the next order or deployment registers a new account. To prevent that, remove the issuer from the
 * configuration.
 *
 * In a second run the CA refuses the account, which means that it is deactivated. Later runs find no account URL and do nothing.
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
    log.warn(`${name} does not know the account any more, so it counts as deactivated.`, { account: url, error });
  }
  await accounts.replace(directoryUrl, account, { privateKey: await newPrivateKey('P-256'), url: null });
  return { issuer: name, account: url };
}
