import { describe, expect, test } from 'vitest';
import {
  AccountDoesNotExistError,
  CaUnavailableError,
  KeyRolloverUnsupportedError,
} from '../../../lambdas/domain/contract/errors.ts';
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

/** Expects that the CA accepts the stored key, and that no next key is stored. */
async function expectOneLiveKey(world: World): Promise<void> {
  const account = stored(world);
  expect(account?.nextPrivateKey).toBeUndefined();
  expect(await world.acme.findAccount(issuer, account?.privateKey ?? '')).toBe(account?.url);
  expect(world.acme.accounts()).toEqual([account?.url]);
}

test('the account keeps its URL, and the CA no longer accepts the old key', async () => {
  const world = await registered();
  const before = stored(world);
  expect(await rollOver(world)).toEqual({ issuer: issuer.name, account: before?.url });
  expect(stored(world)?.privateKey).not.toBe(before?.privateKey);
  expect(stored(world)?.url).toBe(before?.url);
  expect(await world.acme.findAccount(issuer, before?.privateKey ?? '')).toBeNull();
  await expectOneLiveKey(world);
});

test('the new key is stored before it is sent to the CA', async () => {
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

test('a run after an interruption at any call leaves one key, which the CA accepts', async () => {
  await interruptedAfterEachCall(registered, rollOver, (world) => expectOneLiveKey(world));
});

describe('an interrupted key change', () => {
  test('that the CA has made is completed by the next order', async () => {
    const world = await registered();
    world.calls.loseReply('acme.changeKey');
    await expect(rollOver(world)).rejects.toThrow(CaUnavailableError);
    const next = stored(world)?.nextPrivateKey;

    await ensureAccount(issuer, world.ports);
    expect(stored(world)?.privateKey).toBe(next);
    await expectOneLiveKey(world);
  });

  test('that the CA has not made leaves the old key in use, and the next run continues with the stored new key', async () => {
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

describe('a CA that does not change keys', () => {
  const refusal = new KeyRolloverUnsupportedError({ what: 'Not here.', issuer: issuer.name });

  test('leaves the old key in use and no new key in the secret, so that later calls ask for one key only', async () => {
    const world = await registered();
    const before = stored(world);
    world.calls.answer('acme.changeKey', refusal);
    await expect(rollOver(world)).rejects.toThrow(KeyRolloverUnsupportedError);
    expect(stored(world)).toMatchObject({ privateKey: before?.privateKey, url: before?.url });
    await expectOneLiveKey(world);
    const asked = world.calls.names('acme.').length;
    await ensureAccount(issuer, world.ports);
    expect(world.calls.names('acme.')).toHaveLength(asked);
  });

  test('also removes a new key that an interrupted run has stored', async () => {
    const world = await registered();
    world.calls.answer('acme.changeKey', new CaUnavailableError({ what: 'down' }));
    await expect(rollOver(world)).rejects.toThrow(CaUnavailableError);
    world.calls.answer('acme.changeKey', refusal);
    await expect(rollOver(world)).rejects.toThrow(KeyRolloverUnsupportedError);
    await expectOneLiveKey(world);
  });
});

test('two runs at the same time change the key once', async () => {
  const world = await registered();
  world.calls.meanwhile('accounts.replace', () => rollOver(world));
  await rollOver(world);
  expect(world.calls.names('acme.changeKey')).toHaveLength(1);
  await expectOneLiveKey(world);
});

test('throws AccountDoesNotExistError without an account', async () => {
  await expect(rollOver(createWorld())).rejects.toThrow(AccountDoesNotExistError);
});

test('the output contains no key', async () => {
  expect(JSON.stringify(await rollOver(await registered()))).not.toMatch(/PRIVATE|BEGIN/);
});
