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
/** A JWS whose signature nobody checks. `null`: POST-as-GET. */
const post = (path: string, payload: JsonObject | null = null, kid = account) => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jws = { protected: encode({ alg: 'ES256', kid }), payload: payload ? encode(payload) : '', signature: 'none' };
  return send('POST', new URL(path, boulder.directoryUrl).href, JSON.stringify(jws));
};
const newOrder = (names: readonly string[], more: object = {}, kid = account) =>
  post('/new-order', { identifiers: names.map((value) => ({ type: 'dns', value })), ...more }, kid);
const pathOf = ({ headers }: Answer) => new URL(String(headers.location)).pathname;

/** An order of these names, proven and issued. */
async function issue(names: readonly string[], more: object = {}): Promise<string> {
  const path = pathOf(await newOrder(names, more));
  const number = Number(path.split('/').at(-1));
  upstream.orders.set(number, { status: 'ready', authorization: 'valid' });
  await post(path);
  expect((await post(`/finalize/${number}`, { csr: 'x' })).status).toBe(200);
  return path;
}

/** An order of this name whose proof fails. */
async function failProof(name: string): Promise<Answer> {
  const ordered = await newOrder([name]);
  if (ordered.status !== 201) return ordered;
  const number = Number(pathOf(ordered).split('/').at(-1));
  upstream.orders.set(number, { status: 'invalid', authorization: 'invalid' });
  await post(`/authorization/${number}`);
  return ordered;
}

describe('the way through', () => {
  test('every URL leads through the proxy', async () => {
    const directory = await get('/directory');
    expect(directory.body.newOrder).toBe(new URL('/new-order', boulder.directoryUrl).href);
    const order = await newOrder(['a.example.com']);
    expect(String(order.headers.location)).toMatch(/^https:\/\/127\.0\.0\.2:/);
    expect(boulder.requests().map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ['directory', 200],
      ['newOrder', 201],
    ]);
  });

  test('a request is known by what its URL was named as, and by the identifiers it is about', async () => {
    const path = pathOf(await newOrder(['a.example.com']));
    await post(path);
    await post('/authorization/1');
    await post('/challenge/1', {});
    await post('/finalize/1', { csr: 'x' });
    const seen = boulder.requests(1).map(({ kind, identifiers }) => `${kind} ${identifiers}`);
    expect(seen).toEqual(['order', 'authorization', 'challenge', 'finalize'].map((kind) => `${kind} a.example.com`));
  });
});

describe('orders', () => {
  test('the same account and names get the open order again, whatever their sequence', async () => {
    const first = await newOrder(['b.example.com', 'a.example.com']);
    const again = await newOrder(['a.example.com', 'B.example.com']);
    expect([again.status, again.headers.location]).toEqual([201, first.headers.location]);
    expect(again.headers['replay-nonce']).toMatch(/^nonce-/);
    expect(upstream.orders.size).toBe(1);
  });

  test('another account, other names or another profile get an order of their own', async () => {
    await newOrder(['a.example.com']);
    await newOrder(['a.example.com'], {}, `${account}2`);
    await newOrder(['a.example.com', 'b.example.com']);
    await newOrder(['a.example.com'], { profile: 'shortlived' });
    expect(upstream.orders.size).toBe(4);
  });

  test('a ready order comes back as ready, an invalid, finalized or expired one does not', async () => {
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

  test('a replaced certificate is refused until its order is invalid', async () => {
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

  test('names covered by a wildcard beside them, and notAfter, are refused', async () => {
    const redundant = await newOrder(['*.example.com', 'www.example.com']);
    expect([redundant.status, redundant.body.detail]).toEqual([400, expect.stringContaining('redundant')]);
    expect((await newOrder(['*.example.com', 'example.com'])).status).toBe(201);
    expect((await newOrder(['a.example.com'], { notAfter: '2026-04-01T00:00:00Z' })).status).toBe(400);
  });

  test('an account lists no orders, and an order names neither what it replaces nor why its proofs failed', async () => {
    expect((await post('/new-account', {})).body).toEqual({ status: 'valid' });
    expect(await post(pathOf(await newOrder(['a.example.com'])))).not.toHaveProperty('body.replaces');
  });
});

describe('limits', () => {
  test('300 new orders of an account in 3 h, then one every 36 s; renewals of the same names are exempt', async () => {
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

  test('five certificates of the same names in a week; a renewal announced by ARI is exempt inside its window only', async () => {
    for (let count = 0; count < 5; count += 1) await issue(['a.example.com']);
    const refused = await newOrder(['a.example.com']);
    expect([refused.status, refused.body.detail]).toEqual([429, expect.stringContaining('exact set')]);
    expect(refused.headers['retry-after']).toBe(String((7 * 86_400) / 5));

    upstream.windows.set('aki.01', { start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' });
    upstream.windows.set('aki.02', { start: '2026-02-01T00:00:00Z', end: '2026-02-02T00:00:00Z' });
    expect((await newOrder(['a.example.com'], { replaces: 'aki.02' })).status).toBe(429);
    expect((await newOrder(['a.example.com'], { replaces: 'aki.01' })).status).toBe(201);
  });

  test('fifty certificates of a domain in a week', async () => {
    await startWith({ limits: { certificatesPerDomain: { capacity: 2, refill: 12_096 } } });
    await issue(['a.example.com']);
    await issue(['b.example.com']);
    expect((await newOrder(['c.example.com'])).body.detail).toContain('already issued for "example.com"');
    await issue(['a.example.com']);
    expect((await newOrder(['c.example.net'])).status).toBe(201);
  });

  test('five failed validations of a name an hour, over the orders it is in', async () => {
    for (let count = 0; count < 5; count += 1) expect((await failProof('a.example.com')).status).toBe(201);
    const refused = await newOrder(['a.example.com', 'b.example.com']);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '720']);
    expect(refused.body.detail).toContain('too many failed authorizations (5) for "a.example.com"');
    passed = 720;
    expect((await newOrder(['a.example.com'])).status).toBe(201);
  });

  test('giving up a pending authorization counts as a failed validation, once', async () => {
    await startWith({ limits: { failedAuthorizations: { capacity: 1, refill: 720 } } });
    await newOrder(['a.example.com']);
    await post('/authorization/1');
    await post('/authorization/1', { status: 'deactivated' });
    await post('/authorization/1', { status: 'deactivated' });
    expect((await newOrder(['a.example.com'])).headers['retry-after']).toBe('720');
  });

  test('after very many failures in a row the name is paused, with its way back in the text only', async () => {
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

  test('a success begins the count of failures in a row anew', async () => {
    await startWith({ limits: { consecutiveFailures: { capacity: 2, refill: 86_400 } } });
    await failProof('a.example.com');
    await newOrder(['a.example.com']);
    upstream.orders.set(2, { status: 'ready', authorization: 'valid' });
    await post('/authorization/2');
    await issue(['a.example.com']);
    await failProof('a.example.com');
    expect((await newOrder(['a.example.com'])).status).toBe(201);
  });

  test('an identifier that a test pauses is refused to every account until it is let go', async () => {
    const release = boulder.pause('a.example.com');
    expect((await newOrder(['a.example.com'])).status).toBe(429);
    release();
    expect((await newOrder(['a.example.com'])).status).toBe(201);
  });
});

describe('validation and issuance', () => {
  test('an order is processing for as long as it is told, with Retry-After 3', async () => {
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

  test('a second finalization is refused', async () => {
    await issue(['a.example.com']);
    const again = await post('/finalize/1', { csr: 'x' });
    expect([again.status, again.body.type]).toEqual([403, 'urn:ietf:params:acme:error:orderNotReady']);
  });

  test('CAA is looked at again when the authorization is seven hours old, and the order stays ready', async () => {
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

  test('CAA that forbids fails the proof, and the reason is in the challenge, not in the order', async () => {
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

  test('renewalInfo asks to come back in six hours, give or take', async () => {
    upstream.windows.set('aki.01', { start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' });
    expect((await get('/renewal-info/aki.01')).headers['retry-after']).toBe('21600');
  });

  test('only reasons of revocation that are the subscriber’s are taken', async () => {
    expect((await post('/revoke', { certificate: 'x', reason: 1 })).status).toBe(200);
    expect((await post('/revoke', { certificate: 'x', reason: 3 })).body.type).toContain('badRevocationReason');
  });
});

describe('what a test scripts', () => {
  test('happens so many times to what matches, then no more', async () => {
    boulder.next({ kind: 'newOrder', identifier: 'a.example.com' }, badNonce, 2);
    expect((await newOrder(['b.example.com'])).status).toBe(201);
    expect((await newOrder(['a.example.com'])).body.type).toContain('badNonce');
    expect((await newOrder(['a.example.com'])).headers['replay-nonce']).toMatch(/^nonce-/);
    expect((await newOrder(['a.example.com'])).status).toBe(201);
  });

  test('can be called off', async () => {
    const callOff = boulder.next('newOrder', badNonce, Number.POSITIVE_INFINITY);
    expect((await newOrder(['a.example.com'])).status).toBe(400);
    callOff();
    expect((await newOrder(['a.example.com'])).status).toBe(201);
  });

  test('429 tells the time in seconds, as a date, or in the text only', async () => {
    const answers = [];
    for (const told of ['seconds', 'date', 'text'] as const) {
      boulder.next('newNonce', rateLimit(90, told));
      answers.push(await get('/nonce'));
    }
    expect(answers.map(({ status, headers }) => [status, headers['retry-after']])).toEqual([
      [429, '90'],
      [429, 'Sun, 01 Mar 2026 12:01:30 GMT'],
      [429, undefined],
    ]);
    for (const { body } of answers) expect(body.detail).toContain('retry after 2026-03-01 12:01:30 UTC');
  });

  test('503 is a page without a nonce', async () => {
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

  test('a connection cut before the request went on, or after it was carried out', async () => {
    boulder.next('newOrder', cut('before'));
    await expect(newOrder(['a.example.com'])).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(upstream.orders.size).toBe(0);
    boulder.next('newOrder', cut('after'));
    await expect(newOrder(['a.example.com'])).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(upstream.orders.size).toBe(1);
    expect(pathOf(await newOrder(['a.example.com']))).toBe('/order/1');
    expect(boulder.requests().map(({ outcome }) => outcome)).toEqual(['cut', 'cut', 201]);
  });

  test('an order that stays processing, one that is invalid after ready, and one of an unknown status', async () => {
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

  test('alreadyReplaced, any other problem, a page instead of JSON, no nonce, a late answer', async () => {
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

  test('no renewalInfo, a window of the test’s own, a challenge without token', async () => {
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
