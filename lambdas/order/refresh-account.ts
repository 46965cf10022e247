import { isDeepStrictEqual } from 'node:util';
import type { Issuer } from '../domain/contract/config.ts';
import { AccountDoesNotExistError } from '../domain/contract/errors.ts';
import { accountKeyInUse } from './account-key-in-use.ts';
import type { AccountPorts } from './ensure-account.ts';
import { newAccount } from './new-account.ts';

/**
 * Sends a changed contact to the CA (RFC 8555 §7.3.2), and otherwise asks the CA whether the account is valid. An account that the CA has forgotten is
 * registered again with the same key. Nothing is sent if no account is registered.
 *
 * The contact that the CA has is stored with the account, so a contact is sent once. An interrupted call sends it again, with the same effect.
 *
 * @throws AccountNotValidError if the account is deactivated or revoked
 * @throws ContactRefusedError if the CA does not accept the contact
 */
export async function refreshAccount(issuer: Issuer, ports: AccountPorts): Promise<void> {
  const { accounts, acme } = ports;
  const { directoryUrl, contact } = issuer;
  const stored = await accounts.read(directoryUrl);
  if (!stored?.url) return;
  const account = await accountKeyInUse(issuer, stored, ports);
  const signer = { url: stored.url, privateKey: account.privateKey };
  try {
    if (isDeepStrictEqual(account.contact, contact)) {
      await acme.checkAccount(issuer, signer);
    } else {
      await acme.updateContact(issuer, signer);
      await accounts.replace(directoryUrl, account, { ...account, contact });
    }
  } catch (error) {
    if (!(error instanceof AccountDoesNotExistError)) throw error;
    await newAccount(issuer, account, ports);
  }
}
