import type { AccountOutput, IssuerInput } from '../domain/contract/account-request.ts';
import { AccountDoesNotExistError } from '../domain/contract/errors.ts';
import { accountKeyInUse } from './account-key-in-use.ts';
import type { AccountPorts } from './ensure-account.ts';

/**
 * Gives our account at a CA a new key. RFC 8555 §7.3.5. The new key is stored beside the old one before the CA hears of it, and takes
 * its place when the CA has it: whichever is live is stored at every moment, and `accountKeyInUse` finds out which. Functions read the
 * secret at every call, so the next one signs with the new key.
 *
 * Run again after it died, it goes on with the key that is stored. Run again after it ended, it changes the key once more.
 */
export async function rollOverKey({ issuer }: IssuerInput, ports: AccountPorts): Promise<AccountOutput> {
  const { accounts, acme, newPrivateKey } = ports;
  const { name, directoryUrl } = issuer;
  const account = await accounts.read(directoryUrl);
  if (!account?.url) {
    throw new AccountDoesNotExistError({
      what: `There is no account at ${name} (${directoryUrl}) whose key could be changed.`,
      remedy: '{"action": "register"} makes one.',
      issuer: name,
    });
  }
  const staged = account.nextPrivateKey
    ? account
    : await accounts.replace(directoryUrl, account, { ...account, nextPrivateKey: await newPrivateKey('P-256') });
  const { url } = account;
  const seen = await accountKeyInUse(issuer, staged, ports);
  // No next key: it is live already, by a call whose reply was lost or by another run that was faster.
  if (seen.nextPrivateKey) {
    await acme.changeKey(issuer, { url, privateKey: seen.privateKey }, seen.nextPrivateKey);
    await accounts.replace(directoryUrl, seen, { privateKey: seen.nextPrivateKey, url });
  }
  return { issuer: name, account: url };
}
