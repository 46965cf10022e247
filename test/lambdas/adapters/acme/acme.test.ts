import { Client } from 'acme-client';
import { afterEach, expect, test } from 'vitest';
import { createAcme } from '../../../../lambdas/adapters/acme/acme.ts';
import {
  AcmeProblemError,
  AlreadyReplacedError,
  CaUnavailableError,
  ExternalAccountRequiredError,
  InvalidProfileError,
  NoDnsChallengeError,
  TermsNotAgreedError,
  UserActionRequiredError,
} from '../../../../lambdas/domain/contract/errors.ts';
import { type Answer, newKey, problem, type ScriptedCa, startScriptedCa } from './scripted-ca.ts';

const accountKey = newKey('P-256');
let now = new Date('2026-11-20T10:00:00.000Z');
const acme = createAcme({ userAgent: 'perennial/1.2.3 (+https://example.com)', now: () => now });

let started: ScriptedCa[] = [];
async function start(options?: Parameters<typeof startScriptedCa>[0]): Promise<ScriptedCa> {
  const ca = await startScriptedCa(options);
  started.push(ca);
  return ca;
}
afterEach(async () => {
  now = new Date('2026-11-20T10:00:00.000Z');
  acme.close();
  await Promise.all(started.map((ca) => ca.stop()));
  started = [];
});

const connect = (ca: ScriptedCa) => acme.connect(ca.issuer, { url: ca.url('/account/1'), privateKey: accountKey });

function orderAnswer(ca: ScriptedCa, more: object = {}): Answer & object {
  return {
    body: { status: 'pending', finalize: ca.url('/finalize/1'), authorizations: [ca.url('/authorization/1')], ...more },
  };
}

// ---- The account of a connection ------------------------------------------------------------------------------------

test('returns the URL of the account and the CAA identities in lower case without a trailing dot', async () => {
  const ca = await start({ meta: { caaIdentities: ['CA.example.', 'brand.example', 'ca.example', 7, '', null] } });
  expect(await connect(ca).account()).toEqual({
    url: ca.url('/account/1'),
    caaIdentities: ['ca.example', 'brand.example'],
  });
  expect(ca.newRequests()).toEqual(['GET /directory']);
});

test('sends no request for the account when the directory is cached', async () => {
  const ca = await start({ meta: { caaIdentities: ['ca.example'] } });
  ca.script('/new-order', { status: 201, headers: { location: ca.url('/order/1') }, ...orderAnswer(ca) });
  const authority = connect(ca);
  await authority.newOrder({ identifiers: ['example.com'], profile: null });
  ca.newRequests();
  expect((await authority.account()).caaIdentities).toEqual(['ca.example']);
  expect(ca.newRequests()).toEqual([]);
});

test.each([undefined, null, 'ca.example', { 0: 'ca.example' }, [['ca.example']]])(
  'a CA that gives its names as %j has none',
  async (caaIdentities) => {
    const ca = await start({ meta: { caaIdentities } });
    expect((await connect(ca).account()).caaIdentities).toEqual([]);
  },
);

test('keeps the first fifty of too many CAA identities', async () => {
  const ca = await start({ meta: { caaIdentities: Array.from({ length: 5000 }, (_, index) => `ca${index}.example`) } });
  expect((await connect(ca).account()).caaIdentities).toHaveLength(50);
});

// ---- Accounts -----------------------------------------------------------------------------------------------------

test('registers an account with its key and the agreement to the terms, and returns its URL', async () => {
  const ca = await start({ meta: { termsOfService: 'https://ca.example/terms' } });
  ca.script('/new-account', { status: 201, headers: { location: ca.url('/account/7') }, body: { status: 'valid' } });
  const issuer = { ...ca.issuer, contact: ['mailto:admin@example.com'] };

  expect(await acme.newAccount(issuer, accountKey)).toEqual({ url: ca.url('/account/7'), created: true });
  expect(ca.requests.at(-1)).toMatchObject({
    payload: { termsOfServiceAgreed: true, contact: ['mailto:admin@example.com'] },
    protected: { alg: 'ES256', jwk: { kty: 'EC', crv: 'P-256' } },
  });
  expect(ca.requests.at(-1)?.protected).not.toHaveProperty('kid');
});

test('returns the URL of an account whose Location is relative, and keeps an absolute one as it is', async () => {
  const ca = await start();
  const unusual = ca.url('/x/../account/7');
  ca.script(
    '/new-account',
    { status: 201, headers: { location: 'account/7' } },
    { status: 201, headers: { location: unusual } },
  );
  expect(await acme.newAccount(ca.issuer, accountKey)).toMatchObject({ url: ca.url('/account/7') });
  expect(await acme.newAccount(ca.issuer, accountKey)).toMatchObject({ url: unusual });
});

test('returns an existing account after one request', async () => {
  const ca = await start();
  ca.script('/new-account', { status: 200, headers: { location: ca.url('/account/7') }, body: { status: 'valid' } });
  expect(await acme.newAccount(ca.issuer, accountKey)).toEqual({ url: ca.url('/account/7'), created: false });
  expect(ca.newRequests()).toEqual(['GET /directory', 'HEAD /new-nonce', 'POST /new-account']);
});

test('throws before a request when the terms are not agreed', async () => {
  const ca = await start({ meta: { termsOfService: 'https://ca.example/terms' } });
  const failed = acme.newAccount({ ...ca.issuer, termsOfServiceAgreed: false }, accountKey);
  await expect(failed).rejects.toThrow(TermsNotAgreedError);
  await expect(failed).rejects.toThrow('https://ca.example/terms');
  expect(ca.newRequests()).toEqual(['GET /directory']);
});

test('sends no agreement to a CA without terms', async () => {
  const ca = await start();
  ca.script('/new-account', { status: 201, headers: { location: ca.url('/account/7') } });
  await acme.newAccount({ ...ca.issuer, termsOfServiceAgreed: false }, accountKey);
  expect(ca.requests.at(-1)?.payload).toEqual({});
});

test('throws ExternalAccountRequiredError when the CA requires a binding', async () => {
  const ca = await start({ meta: { externalAccountRequired: true } });
  ca.script('/new-account', problem('externalAccountRequired', 403));
  await expect(acme.newAccount(ca.issuer, accountKey)).rejects.toThrow(ExternalAccountRequiredError);
});

test('rejects a new account without a Location', async () => {
  const ca = await start();
  ca.script('/new-account', { status: 201, body: { status: 'valid' } });
  await expect(acme.newAccount(ca.issuer, accountKey)).rejects.toThrow(/a new account .*without a Location header/);
});

// ---- Orders -------------------------------------------------------------------------------------------------------

test('sends identifiers and profile in a new order and returns its URL', async () => {
  const ca = await start({ meta: { profiles: { tlsserver: '45 days' } } });
  ca.script('/new-order', {
    ...orderAnswer(ca, { expires: '2026-11-27T10:00:00Z', profile: 'tlsserver' }),
    status: 201,
    headers: { location: ca.url('/order/1') },
  });
  const order = await connect(ca).newOrder({ identifiers: ['*.example.com', 'example.com'], profile: 'tlsserver' });

  expect(order).toEqual({
    url: ca.url('/order/1'),
    finalize: ca.url('/finalize/1'),
    status: 'pending',
    authorizations: [ca.url('/authorization/1')],
    expires: '2026-11-27T10:00:00Z',
    certificate: null,
    error: null,
    retryAfter: null,
  });
  expect(ca.requests.at(-1)).toMatchObject({
    payload: {
      identifiers: [
        { type: 'dns', value: '*.example.com' },
        { type: 'dns', value: 'example.com' },
      ],
      profile: 'tlsserver',
    },
    protected: { alg: 'ES256', kid: ca.url('/account/1'), url: ca.url('/new-order') },
  });
});

test('sends no profile field without a profile', async () => {
  const ca = await start();
  ca.script('/new-order', { ...orderAnswer(ca), status: 201, headers: { location: ca.url('/order/1') } });
  await connect(ca).newOrder({ identifiers: ['example.com'], profile: null });
  expect(ca.requests.at(-1)?.payload).not.toHaveProperty('profile');
});

test('sends replaces only where the directory has renewalInfo', async () => {
  const request = { identifiers: ['example.com'], profile: null, replaces: 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE' };
  for (const [without, replaces] of [
    [[], request.replaces],
    [['renewalInfo'], undefined],
  ] as const) {
    const ca = await start({ without });
    ca.script('/new-order', { ...orderAnswer(ca), status: 201, headers: { location: ca.url('/order/1') } });
    await connect(ca).newOrder(request);
    expect(ca.requests.at(-1)?.payload).toEqual({
      identifiers: [{ type: 'dns', value: 'example.com' }],
      ...(replaces === undefined ? {} : { replaces }),
    });
  }
});

test.each(['alreadyReplaced', 'conflict'])('%s with HTTP 409 is AlreadyReplacedError', async (type) => {
  const ca = await start();
  ca.script('/new-order', problem(type, 409));
  const failed = connect(ca).newOrder({ identifiers: ['example.com'], profile: null, replaces: 'a.b' });
  await expect(failed).rejects.toThrow(AlreadyReplacedError);
  await expect(failed).rejects.toMatchObject({ problem: { status: 409 } });
});

test('a conflict of an order without replaces is another error', async () => {
  const ca = await start();
  ca.script('/new-order', problem('conflict', 409));
  const failed = connect(ca).newOrder({ identifiers: ['example.com'], profile: null });
  await expect(failed).rejects.toThrow(AcmeProblemError);
  await expect(failed).rejects.not.toThrow(AlreadyReplacedError);
});

const profiles = { classic: 'The usual', shortlived: 'Six days' };

test.each([
  [{ profiles }, 'Its directory offers classic, shortlived. Use a profile that the CA offers, or none.'],
  [{ profiles: {} }, 'Its directory offers no profiles. Remove the profile, or use another CA.'],
  [undefined, 'Its directory offers no profiles. Remove the profile, or use another CA.'],
])('orders nothing for a profile that the directory does not offer: %j', async (meta, words) => {
  const ca = await start({ ...(meta && { meta }) });
  const failed = connect(ca).newOrder({ identifiers: ['example.com'], profile: 'clasic' });
  await expect(failed).rejects.toThrow(InvalidProfileError);
  await expect(failed).rejects.toThrow(`scripted does not offer the profile clasic, so nothing was ordered. ${words}`);
  expect(ca.newRequests()).toEqual(['GET /directory', 'GET /directory']);
});

test('reads the directory again before an order for a profile that the cached one does not have', async () => {
  const ca = await start();
  await connect(ca).account();
  const resources = {
    newNonce: ca.url('/new-nonce'),
    newAccount: ca.url('/new-account'),
    newOrder: ca.url('/new-order'),
  };
  ca.script('/directory', { nonce: null, body: { ...resources, meta: { profiles } } });
  const location = { location: ca.url('/order/1') };
  ca.script('/new-order', { ...orderAnswer(ca, { profile: 'shortlived' }), status: 201, headers: location });
  await connect(ca).newOrder({ identifiers: ['example.com'], profile: 'shortlived' });
  expect(ca.requests.at(-1)?.payload).toMatchObject({ profile: 'shortlived' });
});

test.each([
  [{}, 'The order has no profile.'],
  [{ profile: null }, 'The order has no profile.'],
  [{ profile: 'classic' }, 'The order has the profile classic.'],
])('does not use an order whose profile is %j in place of the requested one', async (given, words) => {
  const ca = await start({ meta: { profiles } });
  ca.script('/new-order', { ...orderAnswer(ca, given), status: 201, headers: { location: ca.url('/order/1') } });
  const failed = connect(ca).newOrder({ identifiers: ['example.com'], profile: 'shortlived' });
  await expect(failed).rejects.toThrow(InvalidProfileError);
  await expect(failed).rejects.toThrow(
    `scripted did not accept the profile shortlived, so its order ${ca.url('/order/1')} is not used. ${words}`,
  );
});

test('returns an order that is invalid at once with its own problem, whatever its profile', async () => {
  const ca = await start({ meta: { profiles } });
  const error = { type: 'urn:ietf:params:acme:error:rejectedIdentifier', detail: 'Not this name' };
  const location = { location: ca.url('/order/1') };
  ca.script('/new-order', { ...orderAnswer(ca, { status: 'invalid', error }), status: 201, headers: location });
  const order = await connect(ca).newOrder({ identifiers: ['example.com'], profile: 'shortlived' });
  expect(order).toMatchObject({ status: 'invalid', error });
});

test('accepts any profile of an order without a requested one', async () => {
  const ca = await start({ meta: { profiles } });
  const location = { location: ca.url('/order/1') };
  ca.script('/new-order', { ...orderAnswer(ca, { profile: 'classic' }), status: 201, headers: location });
  expect(await connect(ca).newOrder({ identifiers: ['example.com'], profile: null })).toMatchObject({
    status: 'pending',
  });
});

test('names the profiles of the directory if the CA refuses one of them', async () => {
  const ca = await start({ meta: { profiles } });
  ca.script('/new-order', problem('invalidProfile', 400));
  const failed = connect(ca).newOrder({ identifiers: ['example.com'], profile: 'classic' });
  await expect(failed).rejects.toThrow(InvalidProfileError);
  await expect(failed).rejects.toThrow(/a new order for example\.com.*offers \(classic, shortlived\)/);
});

test('names three of many identifiers in an error and counts the others', async () => {
  const ca = await start();
  ca.script('/new-order', problem('malformed', 400));
  const identifiers = ['a.example', 'b.example', 'c.example', 'd.example', 'e.example'];
  await expect(connect(ca).newOrder({ identifiers, profile: null })).rejects.toThrow(
    'refused a new order for a.example, b.example, c.example and 2 more.',
  );
});

test('rejects an order without a Location, because it could not be read again', async () => {
  const ca = await start();
  ca.script('/new-order', { ...orderAnswer(ca), status: 201 });
  await expect(connect(ca).newOrder({ identifiers: ['example.com'], profile: null })).rejects.toThrow(
    CaUnavailableError,
  );
});

test.each<[string | undefined, number | null]>([
  [undefined, null],
  ['3', 3],
  ['0', 1],
  ['Fri, 20 Nov 2026 10:00:20 GMT', 20],
  ['Fri, 20 Nov 2026 09:00:00 GMT', 1],
  ['999999', 86_400],
  ['nonsense', null],
])('an order with Retry-After %j has %j seconds', async (value, seconds) => {
  const ca = await start();
  ca.script('/order/1', {
    ...orderAnswer(ca, { status: 'processing' }),
    ...(value === undefined ? {} : { headers: { 'retry-after': value } }),
  });
  expect(await connect(ca).order(ca.url('/order/1'))).toMatchObject({ status: 'processing', retryAfter: seconds });
});

test('returns an order with an unknown status, its certificate URL and its problem', async () => {
  const ca = await start();
  ca.script(
    '/order/1',
    orderAnswer(ca, {
      status: 'simmering',
      certificate: ca.url('/certificate/1'),
      error: { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids it', status: 403 },
    }),
  );
  expect(await connect(ca).order(ca.url('/order/1'))).toMatchObject({
    status: 'simmering',
    certificate: ca.url('/certificate/1'),
    error: { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids it', status: 403 },
  });
});

test('sends the CSR to finalize and reads the order from the reply', async () => {
  const ca = await start();
  ca.script('/finalize/1', { ...orderAnswer(ca, { status: 'processing' }), headers: { 'retry-after': '15' } });
  const reference = { url: ca.url('/order/1'), finalize: ca.url('/finalize/1'), expires: null };
  const order = await connect(ca).finalize(reference, ['example.com'], newKey('P-384'));
  expect(order).toMatchObject({ url: ca.url('/order/1'), status: 'processing', retryAfter: 15 });
  expect(ca.requests.at(-1)?.payload).toEqual({ csr: expect.stringMatching(/^MI[\w-]+$/) });
});

test('returns the chain as sent, and rejects a body that is not PEM', async () => {
  const ca = await start();
  const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  ca.script(
    '/certificate/1',
    {
      body: pem,
      headers: { 'content-type': 'application/pem-certificate-chain', link: '</other>;rel="alternate"' },
    },
    { body: '<p>' },
  );
  const alternates = [new URL('/other', ca.url('/')).href];
  expect(await connect(ca).certificate(ca.url('/certificate/1'))).toEqual({ pem, alternates });
  await expect(connect(ca).certificate(ca.url('/certificate/1'))).rejects.toThrow(CaUnavailableError);
});

// ---- Links --------------------------------------------------------------------------------------------------------

const unpause = 'https://portal.example/sfe/v1/unpause?jwt=eyJhbGciOi.eyJz.c2ln';
const pausedReply = problem('rateLimited', 429, {
  detail: `Your account is temporarily prevented from requesting certificates for a.example. Please visit: ${unpause}`,
});

test.each([
  ['a pause', pausedReply, unpause],
  [
    'new terms',
    problem('userActionRequired', 403, { instance: 'https://ca.example/agreement?token=W8Ih3PswD' }),
    'https://ca.example/agreement?token=W8Ih3PswD',
  ],
  [
    'new terms in a header',
    { ...problem('userActionRequired', 403), headers: { link: '<https://ca.example/v2>;rel="terms-of-service"' } },
    'https://ca.example/v2',
  ],
])('returns the whole link of an order that is refused because of %s', async (_, reply, link) => {
  const ca = await start();
  ca.script('/new-order', reply);
  const request = { identifiers: ['example.com'], profile: 'classic' };
  expect(await connect(ca).accountLink(request)).toBe(link);
  expect(ca.requests.at(-1)?.payload).toEqual({
    identifiers: [{ type: 'dns', value: 'example.com' }],
    profile: 'classic',
  });
});

test('returns no link if the order is accepted, and throws other refusals without a link', async () => {
  const ca = await start();
  const limited = problem('rateLimited', 429, { detail: 'too many, see https://ca.example/limits?token=W8Ih3PswD' });
  ca.script('/new-order', { status: 201 }, limited, problem('userActionRequired', 403));
  const request = { identifiers: ['example.com'], profile: null };
  expect(await connect(ca).accountLink(request)).toBeNull();
  await expect(connect(ca).accountLink(request)).rejects.toThrow(/too many, see https:\/\/ca\.example\/limits\?…/);
  await expect(connect(ca).accountLink(request)).rejects.toThrow(UserActionRequiredError);
});

// ---- Authorizations and challenges --------------------------------------------------------------------------------

test('keeps the star, unknown challenge types and challenges without a token in an authorization', async () => {
  const ca = await start();
  const error = { type: 'urn:ietf:params:acme:error:dns', detail: 'NXDOMAIN' };
  ca.script('/authorization/1', {
    body: {
      status: 'invalid',
      wildcard: true,
      identifier: { type: 'dns', value: 'example.com' },
      challenges: [
        {
          type: 'dns-persist-01',
          url: ca.url('/challenge/1'),
          status: 'pending',
          'issuer-domain-names': ['ca.example'],
        },
        { type: 'dns-account-01', url: ca.url('/challenge/3'), status: 'pending', token: 'def' },
        { type: 'dns-01', url: ca.url('/challenge/2'), status: 'invalid', token: 'abc', error },
        { type: 'without-url' },
        null,
      ],
    },
  });
  expect(await connect(ca).authorization(ca.url('/authorization/1'))).toEqual({
    url: ca.url('/authorization/1'),
    status: 'invalid',
    identifier: '*.example.com',
    challenges: [
      { type: 'dns-persist-01', url: ca.url('/challenge/1'), status: 'pending', token: null, error: null },
      { type: 'dns-account-01', url: ca.url('/challenge/3'), status: 'pending', token: 'def', error: null },
      { type: 'dns-01', url: ca.url('/challenge/2'), status: 'invalid', token: 'abc', error },
    ],
  });
});

test('accepts a valid authorization without challenges', async () => {
  const ca = await start();
  ca.script('/authorization/1', {
    body: { status: 'PRE_APPROVED', identifier: { type: 'dns', value: 'example.com' } },
  });
  expect(await connect(ca).authorization(ca.url('/authorization/1'))).toMatchObject({
    status: 'PRE_APPROVED',
    challenges: [],
  });
});

test('rejects an authorization without an identifier', async () => {
  const ca = await start();
  ca.script('/authorization/1', { body: { status: 'pending' } });
  await expect(connect(ca).authorization(ca.url('/authorization/1'))).rejects.toThrow(
    'but without the field identifier in the form of RFC 8555.',
  );
});

const challenge = {
  type: 'dns-01',
  url: 'https://ca.example/1',
  status: 'pending',
  token: 'DGyRejmCefe7v4N',
  error: null,
};

test('computes the same TXT value as acme-client', async () => {
  const ca = await start();
  const client = new Client({ directoryUrl: ca.issuer.directoryUrl, accountKey });
  const expected = await client.getChallengeKeyAuthorization({
    type: 'dns-01',
    url: challenge.url,
    status: 'pending',
    token: challenge.token,
  });
  expect(connect(ca).challengeValue(challenge)).toBe(expected);
  expect(expected).toMatch(/^[\w-]{43}$/);
});

test.each([{ token: null }, { type: 'http-01' }])('rejects a challenge with %j', async (change) => {
  const authority = connect(await start());
  expect(() => authority.challengeValue({ ...challenge, ...change })).toThrow(NoDnsChallengeError);
});

test('sends an empty object to a challenge and ignores the reply', async () => {
  const ca = await start();
  ca.script('/challenge/1', { body: '<html>' });
  await connect(ca).respond(ca.url('/challenge/1'));
  expect(ca.requests.at(-1)).toMatchObject({ method: 'POST', payload: {} });
});

// ---- Requests -----------------------------------------------------------------------------------------------------

test('needs the directory and a nonce when cold, and one request for each call when warm', async () => {
  const ca = await start();
  ca.script('/new-order', { ...orderAnswer(ca), status: 201, headers: { location: ca.url('/order/1') } });
  ca.script('/order/1', orderAnswer(ca));
  ca.script('/finalize/1', orderAnswer(ca));
  const request = { identifiers: ['example.com'], profile: null };

  await connect(ca).newOrder(request);
  expect(ca.newRequests()).toEqual(['GET /directory', 'HEAD /new-nonce', 'POST /new-order']);

  const later = createAcme({ userAgent: 'perennial/test', now: () => now });
  const authority = later.connect(ca.issuer, { url: ca.url('/account/1'), privateKey: accountKey });
  const order = await authority.newOrder(request);
  await authority.order(order.url);
  await authority.finalize(order, ['example.com'], newKey('P-256'));
  later.close();
  expect(ca.newRequests()).toEqual(['POST /new-order', 'POST /order/1', 'POST /finalize/1']);
});

test('sends simultaneous requests one after another, over one connection and without another newNonce', async () => {
  const ca = await start();
  const paths = Array.from({ length: 20 }, (_, index) => `/authorization/${index}`);
  for (const path of paths)
    ca.script(path, { body: { status: 'valid', identifier: { type: 'dns', value: 'example.com' } } });
  const authority = connect(ca);

  await Promise.all(paths.map((path) => authority.authorization(ca.url(path))));
  expect(ca.newRequests()).toEqual(['GET /directory', 'HEAD /new-nonce', ...paths.map((path) => `POST ${path}`)]);
  expect(new Set(ca.requests.map(({ connection }) => connection))).toEqual(new Set([1]));
  expect(new Set(ca.requests.slice(2).map((each) => each.protected.nonce)).size).toBe(20);
});

test('continues with the next request after a failed one', async () => {
  const ca = await start();
  ca.script('/order/1', 'cut');
  ca.script('/order/2', orderAnswer(ca));
  const authority = connect(ca);
  const [first, second] = await Promise.allSettled([ca.url('/order/1'), ca.url('/order/2')].map(authority.order));
  expect([first?.status, second?.status]).toEqual(['rejected', 'fulfilled']);
});

test('does not use a closed connection again', async () => {
  const ca = await start();
  ca.script('/order/1', orderAnswer(ca));
  const authority = connect(ca);
  await authority.order(ca.url('/order/1'));
  acme.close();
  await authority.order(ca.url('/order/1'));
  expect(ca.requests.map(({ connection }) => connection)).toEqual([1, 1, 1, 2]);
});

test('does not use a nonce after a minute, and reads the directory again after an hour', async () => {
  const ca = await start();
  ca.script('/order/1', orderAnswer(ca));
  await connect(ca).order(ca.url('/order/1'));
  ca.newRequests();

  now = new Date('2026-11-20T10:01:01.000Z');
  await connect(ca).order(ca.url('/order/1'));
  expect(ca.newRequests()).toEqual(['HEAD /new-nonce', 'POST /order/1']);

  now = new Date('2026-11-20T11:00:01.000Z');
  await connect(ca).order(ca.url('/order/1'));
  expect(ca.newRequests()).toEqual(['GET /directory', 'HEAD /new-nonce', 'POST /order/1']);
});

test('repeats a request after badNonce with the nonce of that reply only', async () => {
  const ca = await start();
  ca.script('/order/1', { ...problem('badNonce', 400), nonce: 'from-badNonce' }, { ...orderAnswer(ca), nonce: null });
  const authority = connect(ca);
  await authority.order(ca.url('/order/1'));
  await authority.order(ca.url('/order/1'));
  const nonces = ca.requests.filter(({ path }) => path === '/order/1').map((each) => each.protected.nonce);
  expect(nonces).toEqual(['nonce-2', 'from-badNonce', expect.stringMatching(/^nonce-\d+$/)]);
  expect(ca.newRequests().filter((each) => each === 'HEAD /new-nonce')).toHaveLength(2);
});

test('throws after badNonce was repeated five times', async () => {
  const ca = await start();
  ca.script('/order/1', problem('badNonce', 400));
  const failed = connect(ca).order(ca.url('/order/1'));
  await expect(failed).rejects.toThrow(CaUnavailableError);
  await expect(failed).rejects.toMatchObject({ problem: { type: 'urn:ietf:params:acme:error:badNonce', status: 400 } });
  expect(ca.requests.filter(({ path }) => path === '/order/1')).toHaveLength(6);
});

test('sends the user agent with every request and the content type of a JWS with every POST', async () => {
  const ca = await start();
  ca.script('/order/1', orderAnswer(ca));
  await connect(ca).order(ca.url('/order/1'));
  expect(ca.requests.map(({ method, userAgent, contentType }) => ({ method, userAgent, contentType }))).toEqual([
    { method: 'GET', userAgent: 'perennial/1.2.3 (+https://example.com)', contentType: undefined },
    { method: 'HEAD', userAgent: 'perennial/1.2.3 (+https://example.com)', contentType: undefined },
    { method: 'POST', userAgent: 'perennial/1.2.3 (+https://example.com)', contentType: 'application/jose+json' },
  ]);
});
