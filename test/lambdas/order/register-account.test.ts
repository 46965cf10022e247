import { describe, expect, test } from 'vitest';
import {
  AccountNotValidError,
  ContactRefusedError,
  TermsNotAgreedError,
} from '../../../lambdas/domain/contract/errors.ts';
import { registerAccount } from '../../../lambdas/order/register-account.ts';
import { rollOverKey } from '../../../lambdas/order/roll-over-key.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { issuer, run } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const register = ({ ports }: World, at = issuer) => registerAccount({ ...run, issuer: at }, ports);

const url = 'https://ca.test/account/1';

test('registers an account before the first order, and returns the CAA records that allow only this account', async () => {
  const world = createWorld();
  expect(await register(world)).toEqual({
    issuer: issuer.name,
    url,
    caaIdentities: ['ca.test'],
    caa: [`0 issue "ca.test; validationmethods=dns-01; accounturi=${url}"`],
  });
  expect(world.accounts.get(issuer.directoryUrl)?.url).toBe(url);
});

test('saves the account in the ledger for the CAA check before the first order', async () => {
  const world = createWorld();
  await register(world);
  expect(await world.ledger.account(issuer.directoryUrl)).toEqual({
    url,
    caaIdentities: ['ca.test'],
    readAt: '2026-03-01T12:00:00.000Z',
  });
});

test('returns a CAA record without a validation method if the issuer requires no challenge', async () => {
  const { caa } = await register(createWorld(), { ...issuer, challenges: [] });
  expect(caa).toEqual([`0 issue "ca.test; accounturi=${url}"`]);
});

test('returns no CAA record if the directory of the issuer has no CAA identities', async () => {
  const world = createWorld();
  world.ca.caaIdentities = [];
  expect(await register(world)).toMatchObject({ url, caa: [] });
});

test('registers the account once and then asks only whether it is valid', async () => {
  const world = createWorld();
  const first = await register(world);
  const asked = world.calls.names('acme').length;
  expect(await register(world)).toEqual(first);
  expect(world.calls.names('acme').slice(asked)).toEqual(['acme.checkAccount']);
  expect(new Set(world.calls.names('ca.'))).toEqual(new Set(['ca.account']));
});

describe('the contact', () => {
  const contact = ['mailto:tls@example.com'];
  const registered = async () => {
    const world = createWorld();
    await register(world);
    return world;
  };
  const updates = (world: World) => world.calls.names('acme.updateContact').length;

  test('is sent with a new account, and not again', async () => {
    const world = createWorld();
    for (let time = 0; time < 2; time += 1) await register(world, { ...issuer, contact });
    expect(world.acme.contactOf(url)).toEqual(contact);
    expect(updates(world)).toBe(0);
  });

  test('is sent to the CA once after it has changed', async () => {
    const world = await registered();
    for (let time = 0; time < 2; time += 1) await register(world, { ...issuer, contact });
    expect(world.acme.contactOf(url)).toEqual(contact);
    await register(world);
    expect(world.acme.contactOf(url)).toEqual([]);
    expect(updates(world)).toBe(2);
  });

  test('that has changed reaches the CA in a run after an interruption at any call', async () => {
    await interruptedAfterEachCall(
      registered,
      (world) => register(world, { ...issuer, contact }),
      (world) => expect(world.acme.contactOf(url)).toEqual(contact),
    );
  });

  test('of an account that was found by its key is sent, because the CA may have another one', async () => {
    const world = createWorld();
    world.calls.answer('accounts.saveUrl', new Error('interrupted'));
    await expect(register(world)).rejects.toThrow('interrupted');
    await register(world, { ...issuer, contact });
    await register(world, { ...issuer, contact });
    expect(world.acme.contactOf(url)).toEqual(contact);
  });

  test('that the CA does not accept is an error, and is sent again at the next registration', async () => {
    const world = await registered();
    world.calls.answer('acme.updateContact', new ContactRefusedError({ what: 'No MX record.' }));
    await expect(register(world, { ...issuer, contact })).rejects.toThrow(ContactRefusedError);
    await register(world, { ...issuer, contact });
    expect(world.acme.contactOf(url)).toEqual(contact);
  });

  test('is kept by a key rollover, so that it is not sent again', async () => {
    const world = await registered();
    await rollOverKey({ ...run, issuer }, world.ports);
    await register(world);
    expect(updates(world)).toBe(0);
  });
});

test('throws AccountNotValidError for an account that has ended, before an order needs it', async () => {
  const world = createWorld();
  await register(world);
  world.acme.end(url);
  await expect(register(world)).rejects.toThrow(AccountNotValidError);
});

test('registers an account again that the CA has forgotten, with the same key', async () => {
  const world = createWorld();
  await register(world);
  const before = world.accounts.get(issuer.directoryUrl);
  world.acme.forgetAccounts();
  expect((await register(world)).url).toBe(world.acme.accounts()[0]);
  expect(world.accounts.get(issuer.directoryUrl)?.privateKey).toBe(before?.privateKey);
});

test('registers one account in a run after an interruption at any call', async () => {
  await interruptedAfterEachCall(createWorld, register, (world) => expect(world.acme.accounts()).toHaveLength(1));
});

test('throws TermsNotAgreedError without agreement to the terms', async () => {
  await expect(register(createWorld(), { ...issuer, termsOfServiceAgreed: false })).rejects.toThrow(
    TermsNotAgreedError,
  );
});
