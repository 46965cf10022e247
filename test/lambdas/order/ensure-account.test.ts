import { describe, expect, test } from 'vitest';
import {
  AccountDoesNotExistError,
  CaUnavailableError,
  ExternalAccountBindingError,
  ExternalAccountRequiredError,
  MalformedError,
  UnauthorizedError,
} from '../../../lambdas/domain/contract/errors.ts';
import { ensureAccount } from '../../../lambdas/order/ensure-account.ts';
import { makePrivateKey } from '../../fakes/certificates.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { issuer } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const externalAccountBinding = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:binding-AbCdEf';
const bound = { ...issuer, externalAccountBinding };
const order = { identifiers: ['example.com'], profile: null };

function worldWithBinding(): World {
  const world = createWorld();
  world.acme.externalAccountKeys = new Map([['key-1', 'aG1hYw']]);
  world.externalAccountKeys.put(externalAccountBinding, { kid: 'key-1', hmacKey: 'aG1hYw' });
  return world;
}

test('the first use registers an account after it has stored the key', async () => {
  const world = createWorld();
  await ensureAccount(issuer, world.ports);
  expect(world.calls.names()).toEqual(['accounts.read', 'accounts.create', 'acme.newAccount', 'accounts.saveUrl']);
  expect(world.accounts.get(issuer.directoryUrl)?.url).toBe(world.acme.accounts()[0]);
});

test('no request is sent to the CA for a stored account', async () => {
  const world = createWorld();
  await ensureAccount(issuer, world.ports);
  const before = world.calls.made.length;
  await ensureAccount(issuer, world.ports);
  expect(world.calls.names().slice(before)).toEqual(['accounts.read']);
});

describe('an issuer with an external account binding', () => {
  test('gets the binding key from the configured secret', async () => {
    const world = worldWithBinding();
    await ensureAccount(bound, world.ports);
    expect(world.calls.made.find(({ name }) => name === 'acme.newAccount')?.args[2]).toEqual({
      kid: 'key-1',
      hmacKey: 'aG1hYw',
    });
    expect(world.acme.accounts()).toHaveLength(1);
  });

  test('is not bound again for a stored account, because the binding may have expired', async () => {
    const world = worldWithBinding();
    await ensureAccount(bound, world.ports);
    const before = world.calls.made.length;
    await ensureAccount(bound, world.ports);
    expect(world.calls.names().slice(before)).toEqual(['accounts.read']);
  });

  test('keeps an account whose registration was interrupted before its URL was stored, although the binding is used', async () => {
    const world = worldWithBinding();
    world.calls.answer('accounts.saveUrl', new Error('interrupted'));
    await expect(ensureAccount(bound, world.ports)).rejects.toThrow('interrupted');
    world.acme.externalAccountKeys = new Map();
    await ensureAccount(bound, world.ports);
    expect(world.accounts.get(issuer.directoryUrl)?.url).toBe(world.acme.accounts()[0]);
    expect(world.acme.accounts()).toHaveLength(1);
  });

  test.each([
    ['externalAccountRequired', new ExternalAccountRequiredError({ what: 'A binding is required.' })],
    ['malformed', new MalformedError({ what: 'A binding is required.' })],
    ['unauthorized', new UnauthorizedError({ what: 'A binding is required.' })],
  ])('is registered if the CA refuses each request without a binding as %s', async (_, refusal) => {
    const world = worldWithBinding();
    world.acme.refusesToFind = refusal;
    await ensureAccount(bound, world.ports);
    expect(world.acme.accounts()).toEqual([world.accounts.get(issuer.directoryUrl)?.url]);
  });

  test('is not registered if the CA is unavailable when it is asked for an account', async () => {
    const world = worldWithBinding();
    world.calls.answer('acme.findAccount', new CaUnavailableError({ what: 'down' }));
    await expect(ensureAccount(bound, world.ports)).rejects.toThrow(CaUnavailableError);
    expect(world.acme.accounts()).toEqual([]);
  });

  describe('that registers one account, used by another execution in the meantime', () => {
    /** Runs another execution right before this one sends its binding. */
    async function raced(
      prepare: (world: World) => void,
      other: (world: World) => unknown = (world) => ensureAccount(bound, world.ports),
    ) {
      const world = worldWithBinding();
      world.acme.bindsOnce = true;
      prepare(world);
      world.calls.meanwhile('acme.newAccount', () => other(world));
      const ca = await ensureAccount(bound, world.ports);
      expect(await ca.newOrder(order)).toMatchObject({ status: 'pending' });
      expect(world.acme.accounts()).toEqual([world.accounts.get(issuer.directoryUrl)?.url]);
    }

    test('leads to the account of that execution', async () => {
      await raced(() => undefined);
    });

    test('leads to the stored account if the CA refuses each request without a binding', async () => {
      await raced((world) => {
        world.acme.refusesToFind = new ExternalAccountRequiredError({ what: 'A binding is required.' });
      });
    });

    test('leads to the account that the CA finds by the key if that execution has not stored it yet', async () => {
      await raced(
        () => undefined,
        async ({ acme, accounts, externalAccountKeys }) => {
          const { privateKey = '' } = accounts.get(issuer.directoryUrl) ?? {};
          await acme.newAccount(bound, privateKey, await externalAccountKeys.read(externalAccountBinding));
        },
      );
    });
  });

  test('has no account if the secret is missing, and keeps the account key for the next attempt', async () => {
    const world = createWorld();
    await expect(ensureAccount(bound, world.ports)).rejects.toThrow(ExternalAccountBindingError);
    expect(world.acme.accounts()).toEqual([]);
    expect(world.accounts.get(issuer.directoryUrl)).toMatchObject({ url: null });
  });
});

describe('an account that the CA no longer knows', () => {
  async function forgotten(): Promise<World> {
    const world = worldWithBinding();
    await ensureAccount(bound, world.ports);
    world.acme.forgetAccounts();
    return world;
  }

  test('is registered again with the same key, and then the order is placed', async () => {
    const world = await forgotten();
    const before = world.accounts.get(issuer.directoryUrl);
    const ca = await ensureAccount(bound, world.ports);
    const placed = await ca.newOrder(order);
    expect((await ca.order(placed.url)).status).toBe('pending');
    expect(await ca.authorization(placed.authorizations[0] ?? '')).toMatchObject({ identifier: 'example.com' });
    const after = world.accounts.get(issuer.directoryUrl);
    expect(after?.privateKey).toBe(before?.privateKey);
    expect(after?.url).toBe(world.acme.accounts()[0]);
    expect(after?.url).not.toBe(before?.url);
  });

  test('is registered again only once', async () => {
    const world = createWorld();
    await ensureAccount(issuer, world.ports);
    const ca = await ensureAccount(issuer, world.ports);
    for (let time = 0; time < 2; time += 1)
      world.calls.answer('ca.newOrder', new AccountDoesNotExistError({ what: 'The account does not exist.' }));
    await expect(ca.newOrder(order)).rejects.toThrow(AccountDoesNotExistError);
    expect(world.calls.names('ca.newOrder')).toHaveLength(2);
  });

  test('is not registered again to read its orders', async () => {
    const world = await forgotten();
    const ca = await ensureAccount(bound, world.ports);
    await expect(ca.order('https://ca.test/order/1')).rejects.toThrow(AccountDoesNotExistError);
    expect(world.acme.accounts()).toEqual([]);
  });
});

test('after an interrupted key change, requests are signed with the key that the CA accepts', async () => {
  const world = createWorld();
  await ensureAccount(issuer, world.ports);
  const stored = world.accounts.get(issuer.directoryUrl);
  if (!stored?.url) throw new Error('The account was registered above.');
  const nextPrivateKey = makePrivateKey();
  await world.acme.changeKey(issuer, { url: stored.url, privateKey: stored.privateKey }, nextPrivateKey);
  world.accounts.put(issuer.directoryUrl, { ...stored, nextPrivateKey });
  const ca = await ensureAccount(issuer, world.ports);
  expect((await ca.newOrder(order)).status).toBe('pending');
});

test('a run after an interruption at any call leaves one account with a stored key', async () => {
  await interruptedAfterEachCall(
    worldWithBinding,
    (world) => ensureAccount(bound, world.ports),
    (world, _, last) => {
      const stored = world.accounts.get(issuer.directoryUrl);
      expect(world.acme.accounts(), last).toEqual([stored?.url]);
    },
  );
});
