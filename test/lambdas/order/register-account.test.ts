import { expect, test } from 'vitest';
import { TermsNotAgreedError } from '../../../lambdas/domain/contract/errors.ts';
import { registerAccount } from '../../../lambdas/order/register-account.ts';
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

test('registers the account once and then reads only the directory', async () => {
  const world = createWorld();
  const first = await register(world);
  const asked = world.calls.names('acme').length;
  expect(await register(world)).toEqual(first);
  expect(world.calls.names('acme')).toHaveLength(asked);
  expect(new Set(world.calls.names('ca.'))).toEqual(new Set(['ca.account']));
});

test('registers one account in a run after an interruption at any call', async () => {
  await interruptedAfterEachCall(createWorld, register, (world) => expect(world.acme.accounts()).toHaveLength(1));
});

test('throws TermsNotAgreedError without agreement to the terms', async () => {
  await expect(register(createWorld(), { ...issuer, termsOfServiceAgreed: false })).rejects.toThrow(
    TermsNotAgreedError,
  );
});
