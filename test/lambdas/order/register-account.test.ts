import { expect, test } from 'vitest';
import { registerAccount } from '../../../lambdas/order/register-account.ts';
import { TermsNotAgreedError } from '../../../lambdas/rules/errors.ts';
import { dyingAfterEachCall } from '../../fakes/recorder.ts';
import { issuer, run } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const register = ({ ports }: World) => registerAccount({ ...run, issuer }, ports);

test('an issuer that nothing was ordered from has an account', async () => {
  const world = createWorld();
  expect(await register(world)).toEqual({ issuer: issuer.name, account: 'https://ca.test/account/1' });
  expect(world.accounts.get(issuer.directoryUrl)?.url).toBe('https://ca.test/account/1');
});

test('run after every deployment, it asks the CA once', async () => {
  const world = createWorld();
  await register(world);
  const asked = world.calls.names('acme').length;
  expect(await register(world)).toEqual({ issuer: issuer.name, account: 'https://ca.test/account/1' });
  expect(world.calls.names('acme')).toHaveLength(asked);
});

test('dying after any call and run again, it has made one account', async () => {
  await dyingAfterEachCall(createWorld, register, (world) => expect(world.acme.accounts()).toHaveLength(1));
});

test('terms that are not agreed to are an error with their name', async () => {
  const { ports } = createWorld();
  await expect(registerAccount({ ...run, issuer: { ...issuer, termsOfServiceAgreed: false } }, ports)).rejects.toThrow(
    TermsNotAgreedError,
  );
});
