import https from 'node:https';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Boulder, type BoulderOptions, startBoulder } from './boulder.ts';
import { type JsonObject, objectOf } from './exchange.ts';
import {
  alreadyReplaced,
  badNonce,
  cut,
  invalidAfterReady,
  notJson,
  overloaded,
  processing,
  rateLimit,
  refuse,
  slow,
  suggest,
  unknownStatus,
  withoutNonce,
  withoutRenewalInfo,
  withoutToken,
} from './misbehaviour.ts';
import { startTinyUpstream, type TinyUpstream } from './tiny-upstream.ts';

const account = 'https://boulder.example/account/1';
const start = new Date('2026-03-01T12:00:00Z');

let upstream: TinyUpstream;
let boulder: Boulder;
let passed: number;

beforeEach(async () => {
  passed = 0;
  upstream = await startTinyUpstream();
  await startWith({});
});
afterEach(async () => {
  await boulder.stop();
  await upstream.stop();
});

async function startWith(options: Partial<BoulderOptions>): Promise<void> {
  await boulder?.stop();
  const now = () => new Date(start.getTime() + passed * 1000);
  boulder = await startBoulder({ upstream, now, random: () => 0.5, ...options });
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: JsonObject;
  readonly text: string;
}

async function send(method: string, url: string, body?: string): Promise<Answer> {
  const headers = { 'user-agent': 'test', 'content-type': 'application/jose+json' };
  return new Promise((resolve, reject) => {
    const outgoing = https.request(url, { method, ca: boulder.trustedRoots, agent: false, headers });
    outgoing.on('error', reject);
    outgoing.on('response', async (incoming) => {
      const read = await text(incoming);
      const { statusCode: status = 0, headers: received } = incoming;
      resolve({ status, headers: received, body: objectOf(read), text: read });
    });
    outgoing.end(body);
  });
}

const get = (path: string) => send('GET', new URL(path, boulder.directoryUrl).href);
/** Sends a POST with a JWS. Its signature is not valid, because the upstream does not verify it. `null` is a POST-as-GET. */
const post = (path: string, payload: JsonObject | null = null, kid = account) => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jws = { protected: encode({ alg: 'ES256', kid }), payload: payload ? encode(payload) : '', signature: 'none' };
  return send('POST', new URL(path, boulder.directoryUrl).href, JSON.stringify(jws));
};
const newOrder = (names: readonly string[], more: object = {}, kid = account) =>
  post('/new-order', { identifiers: names.map((value) => ({ type: 'dns', value })), ...more }, kid);
const pathOf = ({ headers }: Answer) => new URL(String(headers.location)).pathname;

/** Orders these names, proves and finalizes them. Returns the path of the order. */
async function issue(names: readonly string[], more: object = {}): Promise<string> {
  const path = pathOf(await newOrder(names, more));
  const number = Number(path.split('/').at(-1));
  upstream.orders.set(number, { status: 'ready', authorization: 'valid' });
  await post(path);
  expect((await post(`/finalize/${number}`, { csr: 'x' })).status).toBe(200);
  return path;
}

/** Orders this name and fails its validation. Returns the reply to newOrder. */
async function failProof(name: string): Promise<Answer> {
  const ordered = await newOrder([name]);
  if (ordered.status !== 201) return ordered;
  const number = Number(pathOf(ordered).split('/').at(-1));
  upstream.orders.set(number, { status: 'invalid', authorization: 'invalid' });
  await post(`/authorization/${number}`);
  return ordered;
}

describe('the proxy', () => {
  test('serves every URL under its own host', async () => {
    const directory = await get('/directory');
    expect(directory.body.newOrder).toBe(new URL('/new-order', boulder.directoryUrl).href);
    const order = await newOrder(['a.example.com']);
    expect(String(order.headers.location)).toMatch(/^https:\/\/127\.0\.0\.2:/);
    expect(boulder.requests().map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ['directory', 200],
      ['newOrder', 201],
    ]);
  });

  test('learns the kind and the identifiers of each request from the objects that named its URL', async () => {
    const path = pathOf(await newOrder(['a.example.com']));
    await post(path);
    await post('/authorization/1');
    await post('/challenge/1', {});
    await post('/finalize/1', { csr: 'x' });
    const seen = boulder.requests(1).map(({ kind, identifiers }) => `${kind} ${identifiers}`);
    expect(seen).toEqual(['order', 'authorization', 'challenge', 'finalize'].map((kind) => `${kind} a.example.com`));
  });
});

describe('newOrder', () => {
  test('returns the open order for the same account and the same names in any order', async () => {
    const first = await newOrder(['b.example.com', 'a.example.com']);
    const again = await newOrder(['a.example.com', 'B.example.com']);
    expect([again.status, again.headers.location]).toEqual([201, first.headers.location]);
    expect(again.headers['replay-nonce']).toMatch(/^nonce-/);
    expect(upstream.orders.size).toBe(1);
  });

  test('creates a new order for another account, other names or another profile', async () => {
    await newOrder(['a.example.com']);
    await newOrder(['a.example.com'], {}, `${account}2`);
    await newOrder(['a.example.com', 'b.example.com']);
    await newOrder(['a.example.com'], { profile: 'shortlived' });
    expect(upstream.orders.size).toBe(4);
  });

  test('returns an open order that is ready, but none that is invalid, finalized or expired', async () => {
    const path = pathOf(await newOrder(['a.example.com']));
    upstream.orders.set(1, { status: 'ready', authorization: 'valid' });
    await post('/authorization/1');
    expect((await newOrder(['a.example.com'])).body.status).toBe('ready');
    await post('/finalize/1', { csr: 'x' });
    expect(pathOf(await newOrder(['a.example.com']))).not.toBe(path);

    await failProof('b.example.com');
    expect(pathOf(await newOrder(['b.example.com']))).toBe('/order/4');

    passed = 24 * 3600;
    expect(pathOf(await newOrder(['a.example.com']))).toBe('/order/5');
  });

  test('rejects a second replacement of a certificate until the first order is invalid', async () => {
    upstream.windows.set('aki.01', { start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' });
    await newOrder(['a.example.com'], { replaces: 'aki.01' });
    const again = await newOrder(['a.example.com'], { replaces: 'aki.01' });
    expect([again.status, again.body.type]).toEqual([409, 'urn:ietf:params:acme:error:alreadyReplaced']);
    expect(pathOf(await newOrder(['a.example.com']))).toBe('/order/1');

    upstream.orders.set(1, { status: 'invalid', authorization: 'invalid' });
    await post('/order/1');
    expect((await newOrder(['a.example.com'], { replaces: 'aki.01' })).status).toBe(201);
    expect((await newOrder(['a.example.com'], { replaces: 'aki.02' })).status).toBe(404);
  });

  test('rejects names that a wildcard in the same order covers, and notAfter', async () => {
    const redundant = await newOrder(['*.example.com', 'www.example.com']);
    expect([redundant.status, redundant.body.detail]).toEqual([400, expect.stringContaining('redundant')]);
    expect((await newOrder(['*.example.com', 'example.com'])).status).toBe(201);
    expect((await newOrder(['a.example.com'], { notAfter: '2026-04-01T00:00:00Z' })).status).toBe(400);
  });

  test('creates orders that do not show what they replace, and accounts have no list of orders', async () => {
    expect((await post('/new-account', {})).body).toEqual({ status: 'valid' });
    expect(await post(pathOf(await newOrder(['a.example.com'])))).not.toHaveProperty('body.replaces');
  });
});

describe('rate limits', () => {
  test('allow 300 new orders of an account in 3 h and then one every 36 s, and exempt renewals of the same names', async () => {
    await startWith({ limits: { newOrders: { capacity: 3, refill: 36 } } });
    await issue(['renewed.example.com']);
    await newOrder(['a.example.com']);
    await newOrder(['b.example.com']);
    const refused = await newOrder(['c.example.com']);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '36']);
    expect(refused.body.detail).toContain('too many new orders');
    expect(refused.body.detail).toContain('retry after 2026-03-01 12:00:36 UTC: see');
    await issue(['renewed.example.com']);
    expect((await newOrder(['c.example.com'], {}, `${account}2`)).status).toBe(201);
    passed = 36;
    expect((await newOrder(['c.example.com'])).status).toBe(201);
  });

  test('allow five certificates with the same names in a week, and exempt an ARI renewal only inside its window', async () => {
    for (let count = 0; count < 5; count += 1) await issue(['a.example.com']);
    const refused = await newOrder(['a.example.com']);
    expect([refused.status, refused.body.detail]).toEqual([429, expect.stringContaining('exact set')]);
    expect(refused.headers['retry-after']).toBe(String((7 * 86_400) / 5));

    upstream.windows.set('aki.01', { start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' });
    upstream.windows.set('aki.02', { start: '2026-02-01T00:00:00Z', end: '2026-02-02T00:00:00Z' });
    expect((await newOrder(['a.example.com'], { replaces: 'aki.02' })).status).toBe(429);
    expect((await newOrder(['a.example.com'], { replaces: 'aki.01' })).status).toBe(201);
  });

  test('allow fifty certificates of a domain in a week', async () => {
    await startWith({ limits: { certificatesPerDomain: { capacity: 2, refill: 12_096 } } });
    await issue(['a.example.com']);
    await issue(['b.example.com']);
    expect((await newOrder(['c.example.com'])).body.detail).toContain('already issued for "example.com"');
    await issue(['a.example.com']);
    expect((await newOrder(['c.example.net'])).status).toBe(201);
  });

  test('allow five failed validations of a name in an hour, in all orders together', async () => {
    for (let count = 0; count < 5; count += 1) expect((await failProof('a.example.com')).status).toBe(201);
    const refused = await newOrder(['a.example.com', 'b.example.com']);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '720']);
    expect(refused.body.detail).toContain('too many failed authorizations (5) for "a.example.com"');
    passed = 720;
    expect((await newOrder(['a.example.com'])).status).toBe(201);
  });

  test('count a deactivated pending authorization once as a failed validation', async () => {
    await startWith({ limits: { failedAuthorizations: { capacity: 1, refill: 720 } } });
    await newOrder(['a.example.com']);
    await post('/authorization/1');
    await post('/authorization/1', { status: 'deactivated' });
    await post('/authorization/1', { status: 'deactivated' });
    expect((await newOrder(['a.example.com'])).headers['retry-after']).toBe('720');
  });

  test('pause a name after very many failures in a row, with a link in the text and without Retry-After', async () => {
    await startWith({
      limits: {
        consecutiveFailures: { capacity: 2, refill: 86_400 },
        failedAuthorizations: { capacity: 99, refill: 1 },
      },
    });
    await failProof('a.example.com');
    await failProof('a.example.com');
    const refused = await newOrder(['a.example.com']);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, undefined]);
    expect(refused.body.detail).toMatch(/temporarily prevented .* a\.example\.com .* Please visit: https:/);
    expect((await newOrder(['b.example.com'])).status).toBe(201);
  });

  test('reset the count of failures in a row after a success', async () => {
    await startWith({ limits: { consecutiveFailures: { capacity: 2, refill: 86_400 } } });
    await failProof('a.example.com');
    await newOrder(['a.example.com']);
    upstream.orders.set(2, { status: 'ready', authorization: 'valid' });
    await post('/authorization/2');
    await issue(['a.example.com']);
    await failProof('a.example.com');
    expect((await newOrder(['a.example.com'])).status).toBe(201);
  });

  test('reject an identifier that a test pauses, until the test ends the pause', async () => {
    const release = boulder.pause('a.example.com');
    expect((await newOrder(['a.example.com'])).status).toBe(429);
    release();
    expect((await newOrder(['a.example.com'])).status).toBe(201);
  });
});

describe('validation and issuance', () => {
  test('an order is processing for the configured time, with Retry-After 3', async () => {
    await startWith({ processing: 600 });
    const path = await issue(['a.example.com']);
    passed = 599;
    const before = await post(path);
    expect([before.body.status, before.headers['retry-after'], before.body.certificate]).toEqual([
      'processing',
      '3',
      undefined,
    ]);
    passed = 600;
    const after = await post(path);
    expect([after.body.status, after.headers['retry-after']]).toEqual(['valid', undefined]);
    expect(after.body.certificate).toContain('/certificate/1');
  });

  test('a second finalize request is rejected', async () => {
    await issue(['a.example.com']);
    const again = await post('/finalize/1', { csr: 'x' });
    expect([again.status, again.body.type]).toEqual([403, 'urn:ietf:params:acme:error:orderNotReady']);
  });

  test('CAA is checked again at finalize when the authorization is seven hours old, and the order stays ready', async () => {
    const path = pathOf(await newOrder(['a.example.com']));
    upstream.orders.set(1, { status: 'ready', authorization: 'valid' });
    await post('/authorization/1');
    const allow = boulder.forbidByCaa('a.example.com');
    passed = 7 * 3600;
    const refused = await post('/finalize/1', { csr: 'x' });
    expect([refused.status, refused.body.type]).toEqual([403, 'urn:ietf:params:acme:error:caa']);
    expect((await post(path)).body.status).toBe('ready');
    allow();
    expect((await post('/finalize/1', { csr: 'x' })).status).toBe(200);
  });

  test('CAA that forbids issuance fails the validation, and the challenge has the reason but not the order', async () => {
    boulder.forbidByCaa('a.example.com');
    const path = pathOf(await newOrder(['a.example.com']));
    await post('/authorization/1');
    await post('/challenge/1', {});
    const order = await post(path);
    expect([order.body.status, order.body.error]).toEqual(['invalid', undefined]);
    const { body } = await post('/authorization/1');
    expect(body).toMatchObject({
      status: 'invalid',
      challenges: [{ error: { type: 'urn:ietf:params:acme:error:caa' } }],
    });
    expect((await post('/challenge/1', {})).status).toBe(400);
  });

  test('renewalInfo has a Retry-After of about six hours', async () => {
    upstream.windows.set('aki.01', { start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' });
    expect((await get('/renewal-info/aki.01')).headers['retry-after']).toBe('21600');
  });

  test('a revocation is accepted only with a reason code that subscribers may use', async () => {
    expect((await post('/revoke', { certificate: 'x', reason: 1 })).status).toBe(200);
    expect((await post('/revoke', { certificate: 'x', reason: 3 })).body.type).toContain('badRevocationReason');
  });
});

describe('a behaviour that a test sets', () => {
  test('applies to the given number of matching requests', async () => {
    boulder.next({ kind: 'newOrder', identifier: 'a.example.com' }, badNonce, 2);
    expect((await newOrder(['b.example.com'])).status).toBe(201);
    expect((await newOrder(['a.example.com'])).body.type).toContain('badNonce');
    expect((await newOrder(['a.example.com'])).headers['replay-nonce']).toMatch(/^nonce-/);
    expect((await newOrder(['a.example.com'])).status).toBe(201);
  });

  test('can be cancelled', async () => {
    const cancel = boulder.next('newOrder', badNonce, Number.POSITIVE_INFINITY);
    expect((await newOrder(['a.example.com'])).status).toBe(400);
    cancel();
    expect((await newOrder(['a.example.com'])).status).toBe(201);
  });

  test('can reply with 429 and the time in seconds, as a date, or only in the text', async () => {
    const answers = [];
    for (const retryAfter of ['seconds', 'date', 'text'] as const) {
      boulder.next('newNonce', rateLimit(90, retryAfter));
      answers.push(await get('/nonce'));
    }
    expect(answers.map(({ status, headers }) => [status, headers['retry-after']])).toEqual([
      [429, '90'],
      [429, 'Sun, 01 Mar 2026 12:01:30 GMT'],
      [429, undefined],
    ]);
    for (const { body } of answers) expect(body.detail).toContain('retry after 2026-03-01 12:01:30 UTC');
  });

  test('can reply with 503 and an HTML page without a nonce', async () => {
    boulder.next('newOrder', overloaded(5));
    const { status, headers, text: page } = await newOrder(['a.example.com']);
    expect([status, headers['retry-after'], headers['content-type'], headers['replay-nonce']]).toEqual([
      503,
      '5',
      'text/html',
      undefined,
    ]);
    expect(page).toContain('<h1>503</h1>');
  });

  test('can cut the connection before or after the CA has handled the request', async () => {
    boulder.next('newOrder', cut('before'));
    await expect(newOrder(['a.example.com'])).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(upstream.orders.size).toBe(0);
    boulder.next('newOrder', cut('after'));
    await expect(newOrder(['a.example.com'])).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(upstream.orders.size).toBe(1);
    expect(pathOf(await newOrder(['a.example.com']))).toBe('/order/1');
    expect(boulder.requests().map(({ outcome }) => outcome)).toEqual(['cut', 'cut', 201]);
  });

  test('can keep an order processing, make it invalid after ready, or give it an unknown status', async () => {
    boulder.next('finalize', processing(10));
    const path = await issue(['a.example.com']);
    expect((await post(path)).body.status).toBe('processing');
    passed = 10;
    boulder.next('order', unknownStatus('waiting'));
    expect((await post(path)).body.status).toBe('waiting');
    expect((await post(path)).body.status).toBe('valid');

    boulder.next('finalize', invalidAfterReady({ type: 'serverInternal', status: 500, detail: 'the signer is gone' }));
    const other = await issue(['b.example.com']);
    const { body } = await post(other);
    expect([body.status, body.error]).toEqual(['invalid', expect.objectContaining({ detail: 'the signer is gone' })]);
    expect(upstream.orders.get(2)?.status).toBe('ready');
  });

  test('can reply with any problem, with HTML instead of JSON, without a nonce, or late', async () => {
    boulder.next('newOrder', alreadyReplaced);
    expect((await newOrder(['a.example.com'])).status).toBe(409);
    boulder.next('newOrder', refuse({ type: 'rejectedIdentifier', status: 400, detail: 'forbidden by policy' }));
    expect((await newOrder(['a.example.com'])).body.detail).toBe('forbidden by policy');
    boulder.next('newOrder', notJson);
    expect((await newOrder(['a.example.com'])).text).toContain('<title>');
    boulder.next('newOrder', withoutNonce);
    expect((await newOrder(['a.example.com'])).headers['replay-nonce']).toBeUndefined();
    const waits: number[] = [];
    boulder.next(
      'directory',
      slow(0.2, async (milliseconds) => waits.push(milliseconds)),
    );
    expect((await get('/directory')).body).toHaveProperty('newOrder');
    expect(waits).toEqual([200]);
  });

  test('can remove renewalInfo, set its window, or remove the token of a challenge', async () => {
    boulder.next('directory', withoutRenewalInfo);
    expect((await get('/directory')).body).not.toHaveProperty('renewalInfo');
    boulder.next('renewalInfo', suggest({ start: '2026-03-02T00:00:00Z', end: '2026-03-01T00:00:00Z' }, null));
    const { headers, body } = await get('/renewal-info/aki.01');
    expect([headers['retry-after'], body]).toEqual([
      undefined,
      { suggestedWindow: { start: '2026-03-02T00:00:00Z', end: '2026-03-01T00:00:00Z' } },
    ]);
    await newOrder(['a.example.com']);
    boulder.next('authorization', withoutToken);
    expect((await post('/authorization/1')).text).not.toContain('token');
    expect((await post('/authorization/1')).text).toContain('token');
  });
});
