import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startExecution } from '../../local/executions.ts';
import { cut, notJson, overloaded, rateLimit, slow, withoutNonce } from '../boulder/misbehaviour.ts';
import { count, type MisbehavingCa, secondsToNextAttempt, startMisbehavingCa } from './misbehaving-ca.ts';
import { requestsTo } from './observed.ts';

// CAs that reject requests for a time, or do not answer. Each case has its own certificate, which the first deployment issues unless it
// is in `unissued`. No case may lose the certificate, or leave TXT values or leases.

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

describe('a CA with rate limits', () => {
  test.each(['seconds', 'date', 'text'] as const)(
    'gets the next order at the time in its 429, given as %s',
    async (form) => {
      const begin = Date.now();
      ca.script(form, 'newOrder', rateLimit(600, form));
      const { requests, waited } = await ca.succeeds(form);
      expect(count(requests, 'newOrder')).toBe(2);
      expect(waited).toHaveLength(1);
      // After a time in whole seconds, the wait is shorter than 600 s by the time since the reply and by up to a second.
      expect(waited[0]).toBeGreaterThanOrEqual(form === 'seconds' ? 600 : 599 - (Date.now() - begin) / 1000);
      expect(waited[0]).toBeLessThanOrEqual(661);
    },
  );

  test('gets no order for a day after a 429 with a Retry-After of a day', async () => {
    ca.always('long', 'newOrder', rateLimit(day, 'seconds'));
    const { requests } = await ca.fails('long', 'RateLimitedError', /too many new orders/);
    expect(count(requests, 'newOrder')).toBe(1);
    expect(await secondsToNextAttempt(ca.d, 'long')).toBeGreaterThanOrEqual(day);
  });

  test('gets the next request at the time in a 429 to newNonce', async () => {
    ca.script('nonces', 'newNonce', rateLimit(600, 'seconds'));
    ca.during(({ kind }) => kind !== 'newNonce', withoutNonce);
    const { waited } = await ca.succeeds('nonces');
    expect(waited).toHaveLength(1);
    expect(waited[0]).toBeGreaterThanOrEqual(600);
  });

  test('that paused the account gets no order for a day, and only the action accountLink shows its link with the token', async () => {
    const release = ca.boulder.pause(ca.identifierOf('paused'));
    const { run, requests } = await ca.fails('paused', 'AccountPausedError', /temporarily prevented/);
    const [, accounts = ''] = Object.entries(ca.d.outputs).find(([name]) => name.endsWith('AccountsArn')) ?? [];
    const asked = await startExecution(ca.d.local, accounts, { action: 'accountLink', certificate: 'paused' });
    expect((await ca.d.ended(asked)).output).toMatchObject({
      link: 'https://boulder.example/sfe/v1/unpause?jwt=a.secret.token',
    });
    release();
    expect(run.cause).toContain('https://boulder.example/sfe/v1/unpause');
    expect(run.cause).not.toContain('jwt=');
    expect(count(requests, 'newOrder')).toBe(1);
    expect(await secondsToNextAttempt(ca.d, 'paused')).toBeGreaterThanOrEqual(day);
  });
});

describe('a faulty CA', () => {
  test('gets the request again in the same attempt after one 503 with HTML', async () => {
    ca.script('page', 'newOrder', overloaded());
    expect((await ca.succeeds('page')).waited).toEqual([]);
  });

  test('gets the next order at the time in a 503', async () => {
    ca.script('page-later', 'newOrder', overloaded(600));
    const { waited, requests } = await ca.succeeds('page-later');
    expect(waited).toHaveLength(1);
    expect(waited[0]).toBeGreaterThan(599);
    expect(count(requests, 'newOrder')).toBe(2);
  });

  test('that always replies with 503 gets requests on the retry schedule, and then after a day', async () => {
    ca.during(() => true, overloaded());
    await ca.withShortestWaits(async () => {
      const { run, requests, waited } = await ca.renew('silence');
      expect(run).toMatchObject({ status: 'FAILED', error: 'CaUnavailableError' });
      expect(waited).toEqual([60, 600, 6000]);
      expect(requests).toHaveLength(16);
    });
    expect(await secondsToNextAttempt(ca.d, 'silence')).toBeGreaterThanOrEqual(day);
  });

  test('gets the request again in the same attempt after one body that is not JSON', async () => {
    ca.script('html', 'newOrder', notJson);
    await ca.succeeds('html');
  });

  test('that never replies with JSON gets requests on the retry schedule', async () => {
    ca.always('html-always', 'newOrder', notJson);
    await ca.withShortestWaits(async () => {
      const { waited } = await ca.fails('html-always', 'CaUnavailableError', /nginx/);
      expect(waited).toEqual([60, 600, 6000]);
    });
  });

  // 2 s of 3 s are the same part as 30 s of the default limit of 45 s.
  test('that takes two thirds of the reply timeout for each reply issues the certificate', async () => {
    ca.during(() => true, slow(2));
    await ca.succeeds('slow');
  });

  test.each(cutKinds.flatMap((kind) => [['before', kind] as const, ['after', kind] as const]))(
    'that cuts the connection %s it handles a request for %s gets one order and one finalize request',
    async (when, kind) => {
      const name = `${when}-${kind}`.toLowerCase();
      ca.script(name, kind, cut(when));
      if (kind === 'newNonce') ca.during((each) => each.kind !== kind, withoutNonce);
      const mark = ca.d.local.pebble.requests().length;
      const { requests } = await ca.succeeds(name);
      const outcomes = requests.map((each) => `${each.kind} ${each.outcome}`).join(', ');
      expect(requests.filter(({ outcome }) => outcome === 'cut')).toHaveLength(1);
      expect(requestsTo(ca.d, '/order-plz', mark), outcomes).toBe(1);
      expect(requestsTo(ca.d, '/finalize-order', mark), outcomes).toBe(1);
    },
  );
});
