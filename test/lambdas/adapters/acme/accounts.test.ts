import { createHmac, createPublicKey, verify } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAcme } from '../../../../lambdas/adapters/acme/acme.ts';
import {
  AccountDoesNotExistError,
  AccountNotValidError,
  AcmeProblemError,
  ContactRefusedError,
  ExternalAccountBindingError,
  ExternalAccountRequiredError,
  KeyRolloverUnsupportedError,
  RateLimitedError,
  UnauthorizedError,
} from '../../../../lambdas/domain/contract/errors.ts';
import { makeAuthority, makeLeaf, pemOf } from '../../../fakes/certificates.ts';
import { newKey, problem, problemType, type ScriptedCa, startScriptedCa } from './scripted-ca.ts';

const accountKey = newKey('P-256');
const now = new Date('2026-11-20T10:00:00.000Z');
const acme = createAcme({ userAgent: 'perennial/test', now: () => now });
const secretArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:zerossl-AbCdEf';
const binding = { kid: 'key-1', hmacKey: Buffer.from('a key of thirty-two bytes, just so').toString('base64url') };

let ca: ScriptedCa;
let account: { url: string; privateKey: string };
beforeEach(async () => {
  ca = await startScriptedCa();
  account = { url: ca.url('/account/1'), privateKey: accountKey };
});
afterEach(async () => {
  acme.close();
  await ca.stop();
});

interface Jws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}
const decoded = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString());
const jwkOf = (privateKey: string) => createPublicKey(privateKey).export({ format: 'jwk' });
const lastPayload = () => ca.requests.at(-1)?.payload;

// ---- External account binding -------------------------------------------------------------------------------------

test('sends a binding with the public key of the account, signed with the HMAC key for the URL of newAccount, without a nonce', async () => {
  ca.script('/new-account', { status: 201, headers: { location: ca.url('/account/7') } });
  expect(await acme.newAccount(ca.issuer, accountKey, binding)).toEqual({ url: ca.url('/account/7'), created: true });

  const { externalAccountBinding: jws } = lastPayload() as { externalAccountBinding: Jws };
  expect(decoded(jws.protected)).toEqual({ alg: 'HS256', kid: 'key-1', url: ca.url('/new-account') });
  expect(decoded(jws.payload)).toEqual(jwkOf(accountKey));
  const mac = createHmac('sha256', Buffer.from(binding.hmacKey, 'base64url'));
  expect(jws.signature).toBe(mac.update(`${jws.protected}.${jws.payload}`).digest('base64url'));
});

test('sends no binding field without a binding', async () => {
  ca.script('/new-account', { status: 201, headers: { location: ca.url('/account/7') } });
  await acme.newAccount(ca.issuer, accountKey);
  expect(lastPayload()).not.toHaveProperty('externalAccountBinding');
});

test.each([
  ['unauthorized', 403],
  ['malformed', 400],
  ['externalAccountRequired', 403],
])('names the secret for a new binding when one is rejected as %s', async (type, status) => {
  ca.script('/new-account', problem(type, status));
  const issuer = { ...ca.issuer, externalAccountBinding: secretArn };
  const failed = acme.newAccount(issuer, accountKey, binding);
  await expect(failed).rejects.toThrow(ExternalAccountBindingError);
  await expect(failed).rejects.toThrow(new RegExp(`Test of ${type}.*create a new one.*${secretArn}\\.$`));
  await expect(failed).rejects.toMatchObject({ problem: { type: `urn:ietf:params:acme:error:${type}`, status } });
  await expect(failed).rejects.not.toThrow(binding.hmacKey);
});

test('keeps the class of other errors with a binding, and of externalAccountRequired without one', async () => {
  ca.script('/new-account', problem('rateLimited', 429), problem('externalAccountRequired', 403));
  await expect(acme.newAccount(ca.issuer, accountKey, binding)).rejects.toThrow(RateLimitedError);
  const failed = acme.newAccount(ca.issuer, accountKey);
  await expect(failed).rejects.toThrow(ExternalAccountRequiredError);
  await expect(failed).rejects.toThrow(/Set externalAccountBinding of the issuer/);
});

// ---- Contact ------------------------------------------------------------------------------------------------------

test.each([
  ['invalidContact', 400, 'The domain has no MX record'],
  ['unsupportedContact', 400, 'Only mailto is supported'],
  ['malformed', 400, 'Accounts must have at least one contact'],
])('asks for a contact, and not for a new binding, when one is rejected as %s', async (type, status, detail) => {
  ca.script('/new-account', problem(type, status, { detail }));
  for (const key of [binding, undefined]) {
    const failed = acme.newAccount({ ...ca.issuer, externalAccountBinding: secretArn }, accountKey, key);
    await expect(failed).rejects.toThrow(ContactRefusedError);
    await expect(failed).rejects.toThrow(
      new RegExp(`scripted refused a new account\\. .*${detail}.*Set contact of the issuer`),
    );
    await expect(failed).rejects.toMatchObject({ problem: { type: problemType(type), status } });
  }
});

test.each([
  'The external account binding is unknown. Please contact support.',
  'Invalid binding, contact us at help@ca.example',
  'Contact your account manager for a new key.',
  'Unknown kid (contact acme-support@ca.example)',
])('asks for a new binding if the text only says whom to contact: %s', async (detail) => {
  ca.script('/new-account', problem('malformed', 400, { detail }));
  const failed = acme.newAccount({ ...ca.issuer, externalAccountBinding: secretArn }, accountKey, binding);
  await expect(failed).rejects.toThrow(ExternalAccountBindingError);
});

// ---- Finding ------------------------------------------------------------------------------------------------------

test('finds an account by its key without registering one', async () => {
  ca.script('/new-account', { status: 200, headers: { location: ca.url('/account/7') } });
  expect(await acme.findAccount(ca.issuer, accountKey)).toBe(ca.url('/account/7'));
  expect(ca.requests.at(-1)).toMatchObject({
    payload: { onlyReturnExisting: true },
    protected: { jwk: jwkOf(accountKey) },
  });
});

test('returns null for a key without an account, and throws for a deactivated account', async () => {
  ca.script('/new-account', problem('accountDoesNotExist', 400), problem('unauthorized', 403));
  expect(await acme.findAccount(ca.issuer, accountKey)).toBeNull();
  await expect(acme.findAccount(ca.issuer, accountKey)).rejects.toThrow(UnauthorizedError);
});

// ---- Status and contact -------------------------------------------------------------------------------------------

test('accepts an account that is valid, with a POST-as-GET', async () => {
  ca.script('/account/1', { body: { status: 'valid' } });
  await acme.checkAccount(ca.issuer, account);
  expect(ca.requests.at(-1)).toMatchObject({ path: '/account/1', payload: '', protected: { kid: account.url } });
});

test('tells nothing about the account at a CA that does not support reading it', async () => {
  ca.script('/account/1', { status: 405, body: 'no' }, problem('serverInternal', 501));
  await acme.checkAccount(ca.issuer, account);
  await acme.checkAccount(ca.issuer, account);
  expect(ca.newRequests()).toHaveLength(4);
});

test.each([
  ['deactivated', { body: { status: 'deactivated' } }, 'is deactivated'],
  ['revoked', { body: { status: 'revoked' } }, 'is revoked'],
  ['deactivated, whose requests the CA refuses', problem('unauthorized', 403), 'Test of unauthorized'],
])('recognises an account that is %s', async (_, reply, words) => {
  ca.script('/account/1', reply);
  ca.script('/new-order', problem('unauthorized', 403));
  const order = { identifiers: ['example.com'], profile: null };
  for (const failed of [
    acme.checkAccount(ca.issuer, account),
    acme.updateContact(ca.issuer, account),
    acme.connect(ca.issuer, account).newOrder(order),
    acme.connect(ca.issuer, account).newOrder({ ...order, replaces: 'a.b' }),
  ]) {
    await expect(failed).rejects.toThrow(AccountNotValidError);
    await expect(failed).rejects.toThrow(new RegExp(`${account.url}.*${words}.*delete the account secret`));
  }
});

test.each([
  ['valid', { body: { status: 'valid' } }],
  ['not readable', problem('serverInternal', 500)],
  ['not readable in time', { status: 429, body: '' }],
])('keeps the refusal of an order if the account is %s', async (_, reply) => {
  ca.script('/account/1', reply);
  ca.script('/new-order', problem('unauthorized', 403, { detail: 'Not this name' }));
  const failed = acme.connect(ca.issuer, account).newOrder({ identifiers: ['example.com'], profile: null });
  await expect(failed).rejects.toThrow(UnauthorizedError);
  await expect(failed).rejects.toThrow('Not this name');
});

test('an account that the CA has deleted does not exist, also if an order is refused as unauthorized', async () => {
  ca.script('/account/1', problem('accountDoesNotExist', 400));
  ca.script('/new-order', problem('unauthorized', 403));
  const failed = acme.connect(ca.issuer, account).newOrder({ identifiers: ['example.com'], profile: null });
  await expect(failed).rejects.toThrow(AccountDoesNotExistError);
});

test('sends the contact of the issuer, also an empty one, and names a contact that the CA does not accept', async () => {
  const missing = problem('malformed', 400, { detail: 'Accounts must have at least one contact.' });
  ca.script('/account/1', { body: { status: 'valid' } }, { body: {} }, problem('invalidContact', 400), missing);
  const contact = ['mailto:tls@example.com'];
  await acme.updateContact({ ...ca.issuer, contact }, account);
  expect(ca.requests.at(-1)).toMatchObject({
    path: '/account/1',
    payload: { contact },
    protected: { kid: account.url },
  });
  await acme.updateContact(ca.issuer, account);
  expect(lastPayload()).toEqual({ contact: [] });
  await expect(acme.updateContact(ca.issuer, account)).rejects.toThrow(ContactRefusedError);
  await expect(acme.updateContact(ca.issuer, account)).rejects.toThrow(ContactRefusedError);
});

// ---- Key change ---------------------------------------------------------------------------------------------------

test('signs a key change with the account around a JWS of the new key without a nonce', async () => {
  const newPrivateKey = newKey('P-256');
  ca.script('/key-change', { status: 200 });
  await acme.changeKey(ca.issuer, account, newPrivateKey);

  expect(ca.requests.at(-1)).toMatchObject({
    path: '/key-change',
    protected: { kid: account.url, url: ca.url('/key-change') },
  });
  const inner = lastPayload() as Jws;
  const header = { alg: 'ES256', url: ca.url('/key-change'), jwk: jwkOf(newPrivateKey) };
  expect(decoded(inner.protected)).toEqual(header);
  expect(decoded(inner.payload)).toEqual({ account: account.url, oldKey: jwkOf(accountKey) });
  const signed = Buffer.from(`${inner.protected}.${inner.payload}`);
  const key = { key: createPublicKey(newPrivateKey), dsaEncoding: 'ieee-p1363' } as const;
  expect(verify('sha256', signed, key, Buffer.from(inner.signature, 'base64url'))).toBe(true);
});

test('sends no key change to a CA without support for it', async () => {
  await expect(acme.changeKey({ ...ca.issuer, keyRollover: false }, account, newKey('P-256'))).rejects.toThrow(
    KeyRolloverUnsupportedError,
  );
  const without = await startScriptedCa({ without: ['keyChange'] });
  const failed = acme.changeKey(without.issuer, account, newKey('P-256'));
  await expect(failed).rejects.toThrow(/scripted does not change the key of an account/);
  expect(without.newRequests()).toEqual(['GET /directory']);
  await without.stop();
});

test.each([
  ['404 malformed', problem('malformed', 404), /scripted refused|does not change the key/],
  ['404 without a problem document', { status: 404, body: 'no such page' }, /no such page/],
  ['405 unauthorized', problem('unauthorized', 405), /HTTP 405/],
  ['501 serverInternal', problem('serverInternal', 501), /HTTP 501/],
])('throws KeyRolloverUnsupportedError for a refusal with %s, with the words of the CA', async (_, reply, words) => {
  ca.script('/key-change', reply);
  const failed = acme.changeKey(ca.issuer, account, newKey('P-256'));
  await expect(failed).rejects.toThrow(KeyRolloverUnsupportedError);
  await expect(failed).rejects.toThrow(words);
});

test('throws when another account has the new key', async () => {
  ca.script('/key-change', problem('conflict', 409));
  const failed = acme.changeKey(ca.issuer, account, newKey('P-256'));
  await expect(failed).rejects.toThrow(AcmeProblemError);
  await expect(failed).rejects.toThrow(`a new key for the account ${account.url}`);
});

// ---- Deactivation -------------------------------------------------------------------------------------------------

test('deactivates an account at its own URL', async () => {
  ca.script('/account/1', { body: { status: 'deactivated' } });
  await acme.deactivate(ca.issuer, account);
  expect(ca.requests.at(-1)).toMatchObject({
    path: '/account/1',
    payload: { status: 'deactivated' },
    protected: { kid: account.url },
  });
});

// ---- Revocation ---------------------------------------------------------------------------------------------------

async function issued(privateKey: string) {
  const root = await makeAuthority({ name: 'Root' });
  const leaf = await makeLeaf(root, { identifiers: ['example.com'], privateKey, serialNumber: '0a0b' });
  const der = Buffer.from(leaf.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64').toString('base64url');
  return { chain: leaf + pemOf(root.certificate), reversed: pemOf(root.certificate) + leaf, der };
}

test.each(['chain', 'reversed'] as const)('revokes the leaf of a chain with a reason: %s', async (order) => {
  const { der, ...chains } = await issued(newKey('P-256'));
  ca.script('/revoke-cert', { status: 200 });
  await acme.revoke(ca.issuer, account, chains[order], 4);
  expect(ca.requests.at(-1)).toMatchObject({
    path: '/revoke-cert',
    payload: { certificate: der, reason: 4 },
    protected: { kid: account.url },
  });
});

test.each([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['RSA-2048', 'RS256'],
] as const)("a certificate's own key of %s signs with %s and needs no account", async (kind, alg) => {
  const certificateKey = newKey(kind);
  const { chain } = await issued(certificateKey);
  ca.script('/revoke-cert', { status: 200 });
  await acme.revoke(ca.issuer, { certificateKey }, chain, 1);
  expect(ca.requests.at(-1)).toMatchObject({ payload: { reason: 1 }, protected: { alg, jwk: jwkOf(certificateKey) } });
  expect(ca.requests.at(-1)?.protected).not.toHaveProperty('kid');
});

test('accepts alreadyRevoked, and names the serial number in other errors', async () => {
  const { chain } = await issued(newKey('P-256'));
  ca.script('/revoke-cert', problem('alreadyRevoked', 400), problem('badRevocationReason', 400));
  await acme.revoke(ca.issuer, account, chain, 1);
  await expect(acme.revoke(ca.issuer, account, chain, 2)).rejects.toThrow(
    /scripted refused the revocation of certificate 0a0b\. .*Test of badRevocationReason/,
  );
});

test('names the next step for a CA without revokeCert', async () => {
  const without = await startScriptedCa({ without: ['revokeCert'] });
  const { chain } = await issued(newKey('P-256'));
  await expect(acme.revoke(without.issuer, account, chain, 1)).rejects.toThrow(/has no revokeCert/);
  await without.stop();
});
