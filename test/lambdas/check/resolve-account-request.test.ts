import { describe, expect, test } from 'vitest';
import { resolveAccountRequest } from '../../../lambdas/check/resolve-account-request.ts';
import {
  InvalidInputError,
  KeyRolloverUnsupportedError,
  RenewalsInProgressError,
  UnknownCertificateError,
  UnknownIssuerError,
} from '../../../lambdas/domain/contract/errors.ts';
import { secretValue } from '../../fakes/certificate-authority.ts';
import { configOf, execution, issuer, otherExecution, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const elsewhere = { ...issuer, name: 'other-ca', directoryUrl: 'https://other.test/directory', keyRollover: false };
const www = specWith({ issuers: [issuer, elsewhere] });
const api = specWith({ name: 'api', identifiers: ['api.example.com'], issuer: elsewhere });
const config = configOf(www, api);

const resolve = (request: unknown, { ports }: World = createWorld()) =>
  resolveAccountRequest({ execution, request }, { ...ports, config });

const nothing = { issuers: [], issuer: null, spec: null, versionId: null, reason: null, executionName: null };

async function stored(): Promise<World> {
  const world = createWorld();
  const value = await secretValue({ identifiers: ['example.com'] });
  world.secrets.put('www', { current: { versionId: 'version-1', value } });
  return world;
}

test('registration concerns every configured issuer', async () => {
  expect(await resolve({ action: 'register' })).toEqual({
    ...nothing,
    action: 'register',
    issuers: [issuer, elsewhere],
  });
});

test('a deactivation names one issuer', async () => {
  const output = await resolve({ action: 'deactivate', issuer: 'other-ca' });
  expect(output).toEqual({ ...nothing, action: 'deactivate', issuer: elsewhere });
});

test('an issuer that is not configured is answered with those that are', async () => {
  const resolving = resolve({ action: 'deactivate', issuer: 'lets' });
  await expect(resolving).rejects.toThrow(UnknownIssuerError);
  await expect(resolving).rejects.toThrow('test-ca, other-ca');
});

describe('a change of key', () => {
  const request = { action: 'rollOverKey', issuer: 'test-ca' };

  test('names the issuer when no renewal is at work', async () => {
    expect(await resolve(request)).toEqual({ ...nothing, action: 'rollOverKey', issuer });
  });

  test('is refused for a CA that does not know it', async () => {
    await expect(resolve({ action: 'rollOverKey', issuer: 'other-ca' })).rejects.toThrow(KeyRolloverUnsupportedError);
  });

  test('waits for a renewal that may sign with the key, and names it', async () => {
    const world = createWorld();
    world.ledger.put('www', { lease: otherExecution });
    world.executions.setStatus(otherExecution, 'live');
    const resolving = resolve(request, world);
    await expect(resolving).rejects.toThrow(RenewalsInProgressError);
    await expect(resolving).rejects.toThrow(`www (${otherExecution})`);
  });

  test('does not wait for a renewal at other issuers', async () => {
    const world = createWorld();
    world.ledger.put('api', { lease: otherExecution });
    expect(await resolve(request, world)).toMatchObject({ issuer });
  });

  test.each(['ended', 'unknown'] as const)('does not wait for an execution that is %s', async (status) => {
    const world = createWorld();
    world.ledger.put('www', { lease: otherExecution });
    world.executions.setStatus(otherExecution, status);
    expect(await resolve(request, world)).toMatchObject({ issuer });
  });
});

describe('a revocation', () => {
  const request = { action: 'revoke', certificate: 'www', reason: 'keyCompromise' };

  test('names the version that is current now, and the renewal that follows', async () => {
    expect(await resolve(request, await stored())).toEqual({
      ...nothing,
      action: 'revoke',
      spec: expect.objectContaining({ name: 'www', specHash: www.specHash }),
      versionId: 'version-1',
      reason: 'keyCompromise',
      executionName: expect.stringMatching(/^www-revoked-[0-9a-f]{8}$/),
    });
  });

  test('waits while the certificate is being renewed', async () => {
    const world = await stored();
    world.ledger.put('www', { lease: otherExecution });
    world.executions.setStatus(otherExecution, 'live');
    await expect(resolve(request, world)).rejects.toThrow(RenewalsInProgressError);
  });

  test('of a certificate that was never stored says so', async () => {
    await expect(resolve(request)).rejects.toThrow('nothing to revoke');
  });

  test('of a certificate that is not configured says so', async () => {
    await expect(resolve({ ...request, certificate: 'shop' })).rejects.toThrow(UnknownCertificateError);
  });
});

test.each([
  ['nothing', {}, 'action'],
  ['an action that nobody knows', { action: 'delete' }, 'action'],
  ['no issuer', { action: 'rollOverKey' }, 'issuer'],
  ['a reason that no CA takes from us', { action: 'revoke', certificate: 'www', reason: 'caCompromise' }, 'reason'],
  ['a key that means nothing', { action: 'register', force: true }, 'force'],
  ['text', 'register', 'input'],
])('an input with %s is refused with what is wanted', async (_, request, named) => {
  const resolving = resolve(request);
  await expect(resolving).rejects.toThrow(InvalidInputError);
  await expect(resolving).rejects.toThrow(named);
  await expect(resolving).rejects.toThrow('{"action": "rollOverKey", "issuer": "letsencrypt"}');
});
