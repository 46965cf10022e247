import { describe, expect, test } from 'vitest';
import { resolveAccountRequest } from '../../../lambdas/check/resolve-account-request.ts';
import {
  InvalidInputError,
  KeyRolloverUnsupportedError,
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

const nothing = {
  issuers: [],
  issuer: null,
  spec: null,
  versionId: null,
  reason: null,
  executionName: null,
  until: null,
};

async function stored(): Promise<World> {
  const world = createWorld();
  const value = await secretValue({ identifiers: ['example.com'] });
  world.secrets.put('www', { current: { versionId: 'version-1', value } });
  return world;
}

test('a registration returns every configured issuer', async () => {
  expect(await resolve({ action: 'register' })).toEqual({
    ...nothing,
    action: 'register',
    issuers: [issuer, elsewhere],
  });
});

test('a deactivation returns the named issuer', async () => {
  const output = await resolve({ action: 'deactivate', issuer: 'other-ca' });
  expect(output).toEqual({ ...nothing, action: 'deactivate', issuer: elsewhere });
});

test('rejects an unknown issuer with the names of the configured ones', async () => {
  const resolving = resolve({ action: 'deactivate', issuer: 'lets' });
  await expect(resolving).rejects.toThrow(UnknownIssuerError);
  await expect(resolving).rejects.toThrow('test-ca, other-ca');
});

describe('a request for the link of a CA', () => {
  test('returns the certificate with its configured issuer', async () => {
    const output = await resolve({ action: 'accountLink', certificate: 'www' });
    expect(output).toMatchObject({ ...nothing, action: 'accountLink', spec: { name: 'www', issuer } });
  });

  test('returns the certificate with the fallback issuer that it names', async () => {
    const output = await resolve({ action: 'accountLink', certificate: 'www', issuer: 'other-ca' });
    expect(output.spec?.issuer).toEqual(elsewhere);
  });

  test.each([
    ['an issuer that the certificate does not have', { certificate: 'api', issuer: 'test-ca' }, UnknownIssuerError],
    ['an unknown certificate', { certificate: 'none' }, UnknownCertificateError],
    ['no certificate', { issuer: 'test-ca' }, InvalidInputError],
  ])('is rejected with %s', async (_, fields, error) => {
    await expect(resolve({ action: 'accountLink', ...fields })).rejects.toThrow(error);
  });
});

describe('a key change', () => {
  const request = { action: 'rollOverKey', issuer: 'test-ca' };

  test('returns the issuer', async () => {
    expect(await resolve(request)).toEqual({ ...nothing, action: 'rollOverKey', issuer });
  });

  test('is rejected for a CA that does not support it', async () => {
    await expect(resolve({ action: 'rollOverKey', issuer: 'other-ca' })).rejects.toThrow(KeyRolloverUnsupportedError);
  });
});

describe('a revocation', () => {
  const request = { action: 'revoke', certificate: 'www', reason: 'keyCompromise' };

  test('returns the current version and the name of the execution that replaces it', async () => {
    expect(await resolve(request, await stored())).toEqual({
      ...nothing,
      action: 'revoke',
      spec: expect.objectContaining({ name: 'www', specHash: www.specHash }),
      versionId: 'version-1',
      reason: 'keyCompromise',
      executionName: expect.stringMatching(/^www-revoked-[0-9a-f]{8}$/),
    });
  });

  test('is accepted while the certificate is being renewed, so that a compromised key is marked at once', async () => {
    const world = await stored();
    world.ledger.put('www', { lease: otherExecution });
    world.executions.setStatus(otherExecution, 'live');
    expect(await resolve(request, world)).toMatchObject({ versionId: 'version-1' });
  });

  test('is rejected for a certificate that was never stored', async () => {
    await expect(resolve(request)).rejects.toThrow('nothing to revoke');
  });

  test('is rejected for a certificate that is not configured', async () => {
    await expect(resolve({ ...request, certificate: 'shop' })).rejects.toThrow(UnknownCertificateError);
  });
});

test.each([
  ['no field', {}, 'action'],
  ['an unknown action', { action: 'delete' }, 'action'],
  ['no issuer', { action: 'rollOverKey' }, 'issuer'],
  ['a reason that only a CA may give', { action: 'revoke', certificate: 'www', reason: 'caCompromise' }, 'reason'],
  ['an unknown field', { action: 'register', force: true }, 'force'],
  ['text instead of an object', 'register', 'input'],
])('rejects an input with %s, and the error names the field and a valid input', async (_, request, named) => {
  const resolving = resolve(request);
  await expect(resolving).rejects.toThrow(InvalidInputError);
  await expect(resolving).rejects.toThrow(named);
  await expect(resolving).rejects.toThrow('{"action": "rollOverKey", "issuer": "letsencrypt"}');
});
