import { expect, test } from 'vitest';
import { TermsNotAgreedError } from '../../../lambdas/domain/contract/errors.ts';
import { registerAccount } from '../../../lambdas/order/register-account.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { issuer, run } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const register = ({ ports }: World, at = issuer) => registerAccount({ ...run, issuer: at }, ports);

const url = 'https://ca.test/account/1';

test('an issuer that nothing was ordered from has an account, and the records that lock a domain to it are said', async () => {
  const world = createWorld();
  expect(await register(world)).toEqual({
    issuer: issuer.name,
    url,
    caaIdentities: ['ca.test'],
    caa: [`0 issue "ca.test; validationmethods=dns-01; accounturi=${url}"`],
  });
  expect(world.accounts.get(issuer.directoryUrl)?.url).toBe(url);
});

test('the account is noted for the check of CAA before the first order', async () => {
  const world = createWorld();
  await register(world);
  expect(await world.ledger.account(issuer.directoryUrl)).toEqual({
    url,
    caaIdentities: ['ca.test'],
    readAt: '2026-03-01T12:00:00.000Z',
  });
});

test('an issuer that wants no proof is bound to no method', async () => {
  const { caa } = await register(createWorld(), { ...issuer, challenges: 'none' });
  expect(caa).toEqual([`0 issue "ca.test; accounturi=${url}"`]);
});

test('an issuer whose directory does not say by which name it is allowed has no record', async () => {
  const world = createWorld();
  world.ca.caaIdentities = [];
  expect(await register(world)).toMatchObject({ url, caa: [] });
});

test('run after every deployment, it makes the account once and looks at the directory only', async () => {
  const world = createWorld();
  const first = await register(world);
  const asked = world.calls.names('acme').length;
  expect(await register(world)).toEqual(first);
  expect(world.calls.names('acme')).toHaveLength(asked);
  expect(new Set(world.calls.names('ca.'))).toEqual(new Set(['ca.account']));
});

test('dying after any call and run again, it has made one account', async () => {
  await interruptedAfterEachCall(createWorld, register, (world) => expect(world.acme.accounts()).toHaveLength(1));
});

test('terms that are not agreed to are an error with their name', async () => {
  await expect(register(createWorld(), { ...issuer, termsOfServiceAgreed: false })).rejects.toThrow(
    TermsNotAgreedError,
  );
});
