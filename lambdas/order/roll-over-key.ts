import { AccountDoesNotExistError, KeyRolloverUnsupportedError } from '../domain/contract/errors.ts';
import type { AccountOutput, IssuerInput } from '../domain/contract/steps.ts';
import { accountKeyInUse } from './account-key-in-use.ts';
import type { AccountPorts } from './ensure-account.ts';

/**
 * Changes the key of the account at a CA. RFC 8555 §7.3.5. The new key is stored beside the old one before the CA receives it, and replaces the old
 * one after the CA has accepted it. So the key that the CA accepts is stored at every moment, and `accountKeyInUse` finds out which one it is.
 * Functions read the secret at every call, so the next call signs with the new key.
 *
 * A run after an interruption continues with the stored new key. A run after a complete one changes the key again.
 *
 * @throws AccountDoesNotExistError if no account is registered
 * @throws KeyRolloverUnsupportedError if the CA does not change keys. The new key is then removed
 */
export async function rollOverKey({ issuer }: IssuerInput, ports: AccountPorts): Promise<AccountOutput> {
  const { accounts, acme, newPrivateKey } = ports;
  const { name, directoryUrl } = issuer;
  const account = await accounts.read(directoryUrl);
  if (!account?.url) {
    throw new AccountDoesNotExistError({
      what: 'No account key was changed.',
      why: `There is no account at ${name} (${directoryUrl}).`,
      remedy: 'Start the accounts workflow with {"action": "register"}, which registers one.',
      issuer: name,
    });
  }
  const staged = account.nextPrivateKey
    ? account
    : await accounts.replace(directoryUrl, account, { ...account, nextPrivateKey: await newPrivateKey('P-256') });
  const { url } = account;
  const seen = await accountKeyInUse(issuer, staged, ports);
  const kept = { url, ...(seen.contact && { contact: seen.contact }) };
  // Without a next key, the CA has accepted the new key already. The reply to an earlier call was lost, or another execution was faster.
  if (seen.nextPrivateKey) {
    await acme
      .changeKey(issuer, { url, privateKey: seen.privateKey }, seen.nextPrivateKey)
      .catch(async (error: unknown) => {
        // With a next key, every later call would first ask the CA which of the two keys it accepts.
        if (error instanceof KeyRolloverUnsupportedError)
          await accounts.replace(directoryUrl, seen, { ...kept, privateKey: seen.privateKey });
        throw error;
      });
    await accounts.replace(directoryUrl, seen, { ...kept, privateKey: seen.nextPrivateKey });
  }
  return { issuer: name, account: url };
}
