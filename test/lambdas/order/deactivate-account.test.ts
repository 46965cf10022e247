import { expect, test } from 'vitest';
import { CaUnavailableError } from '../../../lambdas/domain/contract/errors.ts';
import { deactivateAccount } from '../../../lambdas/order/deactivate-account.ts';
import { ensureAccount } from '../../../lambdas/order/ensure-account.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { issuer, run } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const { directoryUrl } = issuer;

async function registered(): Promise<World> {
  const world = createWorld();
  await ensureAccount(issuer, world.ports);
  return world;
}

const deactivate = ({ ports }: World) => deactivateAccount({ ...run, issuer }, ports);

test('the account is deactivated at the CA', async () => {
  const world = await registered();
  expect(await deactivate(world)).toEqual({ issuer: issuer.name, account: 'https://ca.test/account/1' });
  expect(world.acme.accounts()).toEqual([]);
});

test('the next order registers a new account with a new key', async () => {
  const world = await registered();
  const before = world.accounts.get(directoryUrl)?.privateKey;
  await deactivate(world);
  await ensureAccount(issuer, world.ports);
  expect(world.accounts.get(directoryUrl)).toMatchObject({ url: 'https://ca.test/account/2' });
  expect(world.accounts.get(directoryUrl)?.privateKey).not.toBe(before);
});

test('a run after an interruption at any call leaves no account and no URL', async () => {
  await interruptedAfterEachCall(registered, deactivate, (world) => {
    expect(world.acme.accounts()).toEqual([]);
    expect(world.accounts.get(directoryUrl)?.url).toBeNull();
  });
});

test('an account that the CA refuses counts as deactivated, with a warning in the log', async () => {
  const world = await registered();
  world.acme.forgetAccounts();
  await deactivate(world);
  expect(world.accounts.get(directoryUrl)?.url).toBeNull();
  expect(world.log.messages('warn')).toEqual([expect.stringContaining('does not know the account')]);
});

test('the stored account does not change if the CA is unavailable', async () => {
  const world = await registered();
  const before = world.accounts.get(directoryUrl);
  world.calls.answer('acme.deactivate', new CaUnavailableError({ what: 'down' }));
  await expect(deactivate(world)).rejects.toThrow(CaUnavailableError);
  expect(world.accounts.get(directoryUrl)).toEqual(before);
});

test('nothing is done if no account is stored', async () => {
  const world = createWorld();
  expect(await deactivate(world)).toEqual({ issuer: issuer.name, account: null });
  expect(world.calls.names('acme')).toEqual([]);
});
