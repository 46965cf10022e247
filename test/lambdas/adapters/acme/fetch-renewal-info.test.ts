import { beforeEach, describe, expect, test } from 'vitest';
import { createRenewalInfos } from '../../../../lambdas/adapters/acme/fetch-renewal-info.ts';
import { type Answer, type ScriptedCa, startScriptedCa } from './scripted-ca.ts';

const id = 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE';
const info = `/renewal-info/${id}`;
const suggestedWindow = { start: '2026-11-25T00:00:00Z', end: '2026-11-26T12:00:00.5Z' };
const good: Answer & object = { body: { suggestedWindow }, headers: { 'retry-after': '21600' } };

let ca: ScriptedCa;
let now: string;
/** Each test has its own CA, because directories are cached by URL. */
beforeEach(async () => {
  now = '2026-11-23T10:00:00Z';
  ca = await startScriptedCa();
  ca.script('/directory', { body: { renewalInfo: ca.url('/renewal-info') } });
  return () => ca.stop();
});

async function ask(replyTimeout = 45, ids: readonly string[] = [id]) {
  const infos = createRenewalInfos({ userAgent: 'perennial/test', now: () => new Date(now) });
  const asked = ids.map((each) => infos.fetch({ ...ca.issuer, replyTimeout }, each));
  return (await Promise.all(asked).finally(infos.close))[0];
}

describe('a window', () => {
  test('has the Retry-After and the explanation URL', async () => {
    ca.script(info, { ...good, body: { suggestedWindow, explanationURL: 'https://ca.example/why?topic=drill' } });
    expect(await ask()).toEqual({
      start: new Date('2026-11-25T00:00:00Z'),
      end: new Date('2026-11-26T12:00:00.500Z'),
      explanationUrl: 'https://ca.example/why?topic=drill',
      retryAfter: 21_600,
    });
  });

  test('is fetched with one unsigned GET with the user agent', async () => {
    ca.script(info, good);
    await ask();
    expect(ca.newRequests()).toEqual(['GET /directory', `GET ${info}`]);
    expect(ca.requests.map(({ userAgent }) => userAgent)).toEqual(['perennial/test', 'perennial/test']);
  });

  test.each([
    ['a date', 'Mon, 23 Nov 2026 10:10:00 GMT', 600],
    ['nonsense', 'soon', null],
    ['a date that is over', 'Mon, 23 Nov 2026 09:00:00 GMT', 0],
  ])('is valid with %s as Retry-After', async (_, value, retryAfter) => {
    ca.script(info, { ...good, headers: { 'retry-after': value } });
    expect(await ask()).toMatchObject({ retryAfter });
  });

  test('is valid without Retry-After', async () => {
    ca.script(info, { body: { suggestedWindow } });
    expect(await ask()).toMatchObject({ start: new Date('2026-11-25T00:00:00Z'), retryAfter: null });
  });

  test('is valid with an offset from UTC', async () => {
    const window = { start: '2026-11-25T02:00:00+02:00', end: '2026-11-26T00:00:00Z' };
    ca.script(info, { body: { suggestedWindow: window } });
    expect(await ask()).toMatchObject({ start: new Date('2026-11-25T00:00:00Z') });
  });

  test.each([
    ['javascript:alert(1)'],
    [7],
    [`https://ca.example/${'x'.repeat(500)}`],
    ['https://ca.example/ and more'],
  ])('has no explanation URL for %j', async (explanationURL) => {
    ca.script(info, { ...good, body: { suggestedWindow, explanationURL } });
    expect(await ask()).toMatchObject({ explanationUrl: null, retryAfter: 21_600 });
  });

  test('is found where the URL in the directory is relative', async () => {
    ca.script('/directory', { body: { renewalInfo: 'renewal-info' } });
    ca.script(info, good);
    expect(await ask()).toMatchObject({ retryAfter: 21_600 });
  });

  test('is found where the URL in the directory ends with a slash', async () => {
    ca.script('/directory', { body: { renewalInfo: ca.url('/renewal-info/') } });
    ca.script(info, good);
    expect(await ask()).toMatchObject({ retryAfter: 21_600 });
  });
});

describe('a long-term failure', () => {
  const cases: readonly (readonly [string, Answer, string])[] = [
    ['an unknown certificate', { status: 404, body: { detail: 'unknown serial' } }, 'HTTP 404'],
    ['too many requests', { status: 429, body: 'slow down' }, 'HTTP 429: slow down'],
    ['a redirect to itself', { status: 301, headers: { location: '' } }, 'HTTP 301'],
    [
      'end before start',
      { body: { suggestedWindow: { start: suggestedWindow.end, end: suggestedWindow.start } } },
      'no valid window',
    ],
    [
      'end at start',
      { body: { suggestedWindow: { start: suggestedWindow.start, end: suggestedWindow.start } } },
      'no valid window',
    ],
    ['an invalid start', { body: { suggestedWindow: { ...suggestedWindow, start: '2026' } } }, 'no valid window'],
    [
      'an invalid month',
      { body: { suggestedWindow: { ...suggestedWindow, start: '2026-13-01T00:00:00Z' } } },
      'no valid window',
    ],
    ['no end', { body: { suggestedWindow: { start: suggestedWindow.start } } }, 'no valid window'],
    ['a window that is a list', { body: { suggestedWindow: [] } }, 'no suggestedWindow'],
    ['a list', { body: [] }, 'no suggestedWindow'],
    ['a page', { body: '<html>It works!</html>' }, 'no suggestedWindow: <html>It works!</html>'],
    ['an empty body', { body: '' }, 'an empty body'],
    ['a body without an end', { body: 'x'.repeat(200_000) }, 'more than 100000 bytes'],
    ['headers without an end', { headers: { 'x-long': 'x'.repeat(20_000) } }, 'HPE_HEADER_OVERFLOW'],
    ['another protocol', { status: 101, headers: { upgrade: 'other', connection: 'upgrade' } }, 'HTTP 101'],
  ];
  test.each(cases)('%s', async (_, answer, words) => {
    ca.script(info, answer);
    expect(await ask()).toEqual({ failed: expect.stringContaining(words), temporary: false, retryAfter: null });
  });

  test('is the result of an invalid directory', async () => {
    ca.script('/directory', { body: '<html>parked</html>' });
    expect(await ask()).toEqual({
      failed: expect.stringContaining('is not a directory'),
      temporary: false,
      retryAfter: null,
    });
  });
});

describe('a temporary failure', () => {
  const cases: readonly (readonly [string, Answer, string])[] = [
    ['a page of a load balancer', { status: 503, body: '<html>Service Unavailable</html>' }, 'HTTP 503: <html>Service'],
    ['a fault of the CA', { status: 500, body: { detail: 'no database' } }, 'no database'],
    ['a connection cut', 'cut', 'ECONNRESET'],
    ['a connection cut in the middle', 'cut in the middle', 'no reply'],
  ];
  test.each(cases)('%s', async (_, answer, words) => {
    ca.script(info, answer);
    expect(await ask()).toEqual({ failed: expect.stringContaining(words), temporary: true, retryAfter: null });
  });

  test.each([
    [503, '3600', { temporary: true, retryAfter: 3600 }],
    [503, 'Mon, 23 Nov 2026 10:10:00 GMT', { temporary: true, retryAfter: 600 }],
    [429, '86400', { temporary: false, retryAfter: 86_400 }],
    [503, 'soon', { temporary: true, retryAfter: null }],
  ])('has the Retry-After of HTTP %i: %s', async (status, header, failure) => {
    ca.script(info, { status, body: 'busy', headers: { 'retry-after': header } });
    expect(await ask()).toMatchObject(failure);
  });

  test.each(['silence', 'endless'] as const)('is the result of %s after the reply timeout', async (answer) => {
    ca.script(info, answer);
    expect(await ask(0.3)).toEqual({
      failed: expect.stringContaining('within 0.3 s'),
      temporary: true,
      retryAfter: null,
    });
  });

  test('is the result of a directory that is down, which is read again by the next fetch', async () => {
    ca.script('/directory', { status: 503, body: 'down' }, { body: { renewalInfo: ca.url('/renewal-info') } });
    ca.script(info, good);
    expect(await ask()).toEqual({
      failed: expect.stringContaining('/directory with HTTP 503'),
      temporary: true,
      retryAfter: null,
    });
    expect(await ask()).toMatchObject({ retryAfter: 21_600 });
  });
});

describe('the directory', () => {
  test('without renewalInfo means that the CA has no ARI', async () => {
    ca.script('/directory', { body: { newNonce: ca.url('/new-nonce') } });
    expect(await ask()).toBe('unsupported');
    expect(await ask()).toBe('unsupported');
    expect(ca.newRequests()).toEqual(['GET /directory']);
  });

  test('is found behind redirects', async () => {
    ca.script('/directory', { status: 301, headers: { location: 'moved' } });
    ca.script('/moved', { status: 307, headers: { location: ca.url('/moved-again') } });
    ca.script('/moved-again', { body: { renewalInfo: ca.url('/renewal-info') } });
    ca.script(info, good);
    expect(await ask()).toMatchObject({ retryAfter: 21_600 });
  });

  test('is read once for ten simultaneous fetches', async () => {
    const ids = Array.from({ length: 10 }, (_, index) => `key.${index}`);
    await ask(45, ids);
    expect(ca.newRequests().filter((each) => each === 'GET /directory')).toHaveLength(1);
  });

  test('is cached for an hour', async () => {
    ca.script(info, good);
    await ask();
    now = '2026-11-23T10:59:59Z';
    await ask();
    expect(ca.newRequests()).toEqual(['GET /directory', `GET ${info}`, `GET ${info}`]);
    now = '2026-11-23T11:00:00Z';
    await ask();
    expect(ca.newRequests()).toEqual(['GET /directory', `GET ${info}`]);
  });
});

test('a closed port is a temporary failure, and an unknown name a long-term one', async () => {
  const infos = createRenewalInfos({ userAgent: 'perennial/test', now: () => new Date(now) });
  const asking = (directoryUrl: string) => infos.fetch({ ...ca.issuer, directoryUrl }, id).finally(infos.close);
  expect(await asking('http://127.0.0.1:1/directory')).toEqual({
    failed: expect.stringContaining('ECONNREFUSED'),
    temporary: true,
    retryAfter: null,
  });
  expect(await asking('ftp://ca.example/directory')).toEqual({
    failed: expect.any(String),
    temporary: false,
    retryAfter: null,
  });
});
