import { describe, expect, test } from 'vitest';
import {
  readKnownAccounts,
  withKnownKeys,
} from '../../../../../lambdas/adapters/aws/secrets-manager/known-account-keys.ts';
import { keyFingerprint } from '../../../../../lambdas/domain/rules/certificate/key-fingerprint.ts';
import { deactivateAccount } from '../../../../../lambdas/order/deactivate-account.ts';
import { ensureAccount } from '../../../../../lambdas/order/ensure-account.ts';
import { rollOverKey } from '../../../../../lambdas/order/roll-over-key.ts';
import { issuer, run } from '../../../../fakes/specs.ts';
import { createWorld } from '../../../../fakes/world.ts';
import { accountSecretsBehaviour } from './account-secrets-behaviour.ts';

const { directoryUrl } = issuer;
const planted = { privateKey: 'planted', url: null, version: '9' };

function knownWorld() {
  const world = createWorld();
  const accounts = withKnownKeys(world.accounts, world.ledger);
  return { ...world, known: accounts, ports: { ...world.ports, accounts } };
}

describe('account secrets with known keys', () => {
  accountSecretsBehaviour(() => knownWorld().known);
});

describe('an account key', () => {
  test('that another writer has put into the secret is not used, and nothing is sent to the CA', async () => {
    const { accounts, ports, calls } = knownWorld();
    await ensureAccount(issuer, ports);
    accounts.put(directoryUrl, planted);
    const before = calls.names().length;
    await expect(ensureAccount(issuer, ports)).rejects.toMatchObject({ name: 'AccountKeyUnknownError' });
    await expect(ensureAccount(issuer, ports)).rejects.toThrow(`account#${directoryUrl}`);
    expect(calls.names().slice(before)).not.toContainEqual(expect.stringMatching(/^acme\./));
  });

  test('that another writer has put beside the current one as the next key is not used', async () => {
    const { accounts, ports } = knownWorld();
    await ensureAccount(issuer, ports);
    const current = accounts.get(directoryUrl) ?? planted;
    accounts.put(directoryUrl, { ...current, nextPrivateKey: 'planted' });
    await expect(ensureAccount(issuer, ports)).rejects.toMatchObject({ name: 'AccountKeyUnknownError' });
  });

  test('is not written over by the key of another writer that was faster', async () => {
    const { accounts, known } = knownWorld();
    accounts.put(directoryUrl, planted);
    await expect(known.create(directoryUrl, 'own')).rejects.toMatchObject({ name: 'AccountKeyUnknownError' });
  });

  test('is known before it is stored', async () => {
    const { accounts, ledger, known } = knownWorld();
    const saved: (readonly string[])[] = [];
    const create = accounts.create.bind(accounts);
    accounts.create = async (...args) => {
      saved.push(await ledger.accountKeys(directoryUrl));
      return create(...args);
    };
    await known.create(directoryUrl, 'own');
    expect(saved).toEqual([[keyFingerprint('own')]]);
  });

  test('is accepted after the loss of the ledger, and is the only one that is accepted from then on', async () => {
    const { accounts, ports, ledger } = knownWorld();
    accounts.put(directoryUrl, { privateKey: 'kept', url: 'https://ca.test/account/1', version: '1' });
    await ensureAccount(issuer, ports);
    expect(await ledger.accountKeys(directoryUrl)).toEqual([keyFingerprint('kept')]);
    accounts.put(directoryUrl, planted);
    await expect(ensureAccount(issuer, ports)).rejects.toMatchObject({ name: 'AccountKeyUnknownError' });
  });

  test('stays usable after a rollover and after a deactivation', async () => {
    const { ports, known } = knownWorld();
    await ensureAccount(issuer, ports);
    await rollOverKey({ ...run, issuer }, ports);
    await ensureAccount(issuer, ports);
    await deactivateAccount({ ...run, issuer }, ports);
    await ensureAccount(issuer, ports);
    expect((await known.read(directoryUrl))?.url).not.toBeNull();
  });

  test('is checked by a function that only reads accounts, and no fingerprint is saved by it', async () => {
    const { accounts, ledger, known } = knownWorld();
    const reading = readKnownAccounts(accounts, ledger);
    accounts.put(directoryUrl, { ...planted, privateKey: 'kept' });
    expect(await reading.read(directoryUrl)).toMatchObject({ privateKey: 'kept' });
    expect(await ledger.accountKeys(directoryUrl)).toEqual([]);
    await known.read(directoryUrl);
    accounts.put(directoryUrl, planted);
    await expect(reading.read(directoryUrl)).rejects.toMatchObject({ name: 'AccountKeyUnknownError' });
    expect(await reading.read('https://other.test/directory')).toBeNull();
  });
});
