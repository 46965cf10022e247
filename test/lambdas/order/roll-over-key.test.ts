import { describe, expect, test } from 'vitest';
import { AccountDoesNotExistError, CaUnavailableError } from '../../../lambdas/domain/contract/errors.ts';
import { ensureAccount } from '../../../lambdas/order/ensure-account.ts';
import { rollOverKey } from '../../../lambdas/order/roll-over-key.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { issuer, run } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const { directoryUrl } = issuer;

async function registered(): Promise<World> {
  const world = createWorld();
  await ensureAccount(issuer, world.ports);
  return world;
}

const rollOver = ({ ports }: World) => rollOverKey({ ...run, issuer }, ports);
const stored = ({ accounts }: World) => accounts.get(directoryUrl);

/** The CA knows the account by the key that is stored, and nothing is left of the change. */
async function expectOneLiveKey(world: World): Promise<void> {
  const account = stored(world);
  expect(account?.nextPrivateKey).toBeUndefined();
  expect(await world.acme.findAccount(issuer, account?.privateKey ?? '')).toBe(account?.url);
  expect(world.acme.accounts()).toEqual([account?.url]);
}

test('the account keeps its URL and gets a key that the old one says nothing about', async () => {
  const world = await registered();
  const before = stored(world);
  expect(await rollOver(world)).toEqual({ issuer: issuer.name, account: before?.url });
  expect(stored(world)?.privateKey).not.toBe(before?.privateKey);
  expect(stored(world)?.url).toBe(before?.url);
  expect(await world.acme.findAccount(issuer, before?.privateKey ?? '')).toBeNull();
  await expectOneLiveKey(world);
});

test('the new key is stored before the CA hears of it', async () => {
  const world = await registered();
  world.calls.meanwhile('acme.changeKey', () => {
    expect(stored(world)?.nextPrivateKey).toBeTypeOf('string');
  });
  await rollOver(world);
  expect(world.calls.names().filter((name) => /replace|changeKey/.test(name))).toEqual([
    'accounts.replace',
    'acme.changeKey',
    'accounts.replace',
  ]);
});

test('dying after any call and run again, it ends with one key, which is live', async () => {
  await interruptedAfterEachCall(registered, rollOver, (world) => expectOneLiveKey(world));
});

describe('a change whose end is not known', () => {
  test('and that the CA made is found and finished by the next order', async () => {
    const world = await registered();
    world.calls.loseReply('acme.changeKey');
    await expect(rollOver(world)).rejects.toThrow(CaUnavailableError);
    const next = stored(world)?.nextPrivateKey;

    await ensureAccount(issuer, world.ports);
    expect(stored(world)?.privateKey).toBe(next);
    await expectOneLiveKey(world);
  });

  test('and that never arrived leaves the old key in use, and goes on with the key that is stored', async () => {
    const world = await registered();
    const before = stored(world)?.privateKey;
    world.calls.answer('acme.changeKey', new CaUnavailableError({ what: 'down' }));
    await expect(rollOver(world)).rejects.toThrow(CaUnavailableError);
    const next = stored(world)?.nextPrivateKey;

    await ensureAccount(issuer, world.ports);
    expect(stored(world)?.privateKey).toBe(before);
    await rollOver(world);
    expect(stored(world)?.privateKey).toBe(next);
    await expectOneLiveKey(world);
  });
});

test('two at once change the key once and agree on it', async () => {
  const world = await registered();
  world.calls.meanwhile('accounts.replace', () => rollOver(world));
  await rollOver(world);
  expect(world.calls.names('acme.changeKey')).toHaveLength(1);
  await expectOneLiveKey(world);
});

test('without an account there is no key to change', async () => {
  await expect(rollOver(createWorld())).rejects.toThrow(AccountDoesNotExistError);
});

test('no key is in what it returns', async () => {
  expect(JSON.stringify(await rollOver(await registered()))).not.toMatch(/PRIVATE|BEGIN/);
});
