import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cut, notJson, overloaded, rateLimit, slow, withoutNonce } from '../boulder/misbehaviour.ts';
import { count, type MisbehavingCa, secondsToNextTry, startMisbehavingCa } from './misbehaving-ca.ts';
import { requestsTo } from './observed.ts';

/**
 * CAs that refuse for now, or do not answer. Each case has a certificate of its own, issued before without a disturbance unless it says so.
 * A disturbance must neither lose the certificate nor leave anything behind.
 */
const cutKinds = ['newNonce', 'newOrder', 'authorization', 'challenge', 'order', 'finalize', 'certificate'] as const;
const names = [
  ...['seconds', 'date', 'text', 'long', 'nonces', 'paused'],
  ...['page', 'page-later', 'silence', 'html', 'html-always', 'slow'],
  ...cutKinds.flatMap((kind) => [`before-${kind}`.toLowerCase(), `after-${kind}`.toLowerCase()]),
];
const unissued = ['before-authorization', 'after-authorization', 'before-challenge', 'after-challenge'];
const day = 86_400;

let ca: MisbehavingCa;
beforeAll(async () => {
  ca = await startMisbehavingCa({ names, unissued });
});
afterAll(() => ca?.d.stop());
afterEach(() => ca.behaveAgain());

describe('a CA with limits', () => {
  test.each(['seconds', 'date', 'text'] as const)(
    'is waited for after a 429 that gives its time as %s',
    async (told) => {
      const begin = Date.now();
      ca.script(told, 'newOrder', rateLimit(600, told));
      const { requests, waited } = await ca.succeeds(told);
      expect(count(requests, 'newOrder')).toBe(2);
      expect(waited).toHaveLength(1);
      // A date leaves less to wait for than 600 s, by the time that has passed since the reply.
      expect(waited[0]).toBeGreaterThanOrEqual(599 - (told === 'date' ? (Date.now() - begin) / 1000 : 0));
      expect(waited[0]).toBeLessThanOrEqual(661);
    },
  );

  test('is not asked again for a day after a 429 with that time', async () => {
    ca.always('long', 'newOrder', rateLimit(day, 'seconds'));
    const { requests } = await ca.fails('long', 'RateLimitedError', /too many new orders/);
    expect(count(requests, 'newOrder')).toBe(1);
    expect(await secondsToNextTry(ca.d, 'long')).toBeGreaterThanOrEqual(day);
  });

  test('is waited for after a 429 on newNonce', async () => {
    ca.script('nonces', 'newNonce', rateLimit(600, 'seconds'));
    ca.during(({ kind }) => kind !== 'newNonce', withoutNonce);
    const { waited } = await ca.succeeds('nonces');
    expect(waited).toHaveLength(1);
    expect(waited[0]).toBeGreaterThanOrEqual(600);
  });

  test('that paused the account is not asked again for a day, and its link is in the error without the token', async () => {
    const release = ca.boulder.pause(ca.identifierOf('paused'));
    const { run, requests } = await ca.fails('paused', 'AccountPausedError', /temporarily prevented/);
    release();
    expect(run.cause).toContain('https://boulder.example/sfe/v1/unpause');
    expect(run.cause).not.toContain('jwt=');
    expect(count(requests, 'newOrder')).toBe(1);
    expect(await secondsToNextTry(ca.d, 'paused')).toBeGreaterThanOrEqual(day);
  });
});

describe('a CA that cannot answer', () => {
  test('is asked again in place after one 503 with a page', async () => {
    ca.script('page', 'newOrder', overloaded());
    expect((await ca.succeeds('page')).waited).toEqual([]);
  });

  test('is asked again at the time that a 503 gives', async () => {
    ca.script('page-later', 'newOrder', overloaded(600));
    const { waited, requests } = await ca.succeeds('page-later');
    expect(waited).toHaveLength(1);
    expect(waited[0]).toBeGreaterThan(599);
    expect(count(requests, 'newOrder')).toBe(2);
  });

  test('but for 503s is asked on the retry schedule, then after a day', async () => {
    ca.during(() => true, overloaded());
    await ca.withShortestWaits(async () => {
      const { run, requests, waited } = await ca.renew('silence');
      expect(run).toMatchObject({ status: 'FAILED', error: 'CaUnavailableError' });
      expect(waited).toEqual([60, 600, 6000]);
      expect(requests).toHaveLength(16);
    });
    expect(await secondsToNextTry(ca.d, 'silence')).toBeGreaterThanOrEqual(day);
  });

  test('is asked again in place after one body that is not JSON', async () => {
    ca.script('html', 'newOrder', notJson);
    await ca.succeeds('html');
  });

  test('but for bodies that are not JSON is asked on the retry schedule', async () => {
    ca.always('html-always', 'newOrder', notJson);
    await ca.withShortestWaits(async () => {
      const { waited } = await ca.fails('html-always', 'CaUnavailableError', /nginx/);
      expect(waited).toEqual([60, 600, 6000]);
    });
  });

  // As 30 s to the 45 s that a reply may take by default.
  test('faster than in two thirds of the time that a reply may take is waited for', async () => {
    ca.during(() => true, slow(2));
    await ca.succeeds('slow');
  });

  test.each(cutKinds.flatMap((kind) => [['before', kind] as const, ['after', kind] as const]))(
    'since the connection was cut %s it received %s gets one order',
    async (when, kind) => {
      const name = `${when}-${kind}`.toLowerCase();
      ca.script(name, kind, cut(when));
      if (kind === 'newNonce') ca.during((each) => each.kind !== kind, withoutNonce);
      const mark = ca.d.local.pebble.requests().length;
      const { requests } = await ca.succeeds(name);
      const heard = requests.map((each) => `${each.kind} ${each.outcome}`).join(', ');
      expect(requests.filter(({ outcome }) => outcome === 'cut')).toHaveLength(1);
      expect(requestsTo(ca.d, '/order-plz', mark), heard).toBe(1);
      expect(requestsTo(ca.d, '/finalize-order', mark), heard).toBe(1);
    },
  );
});
