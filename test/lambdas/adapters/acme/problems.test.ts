import { inspect } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAcme } from '../../../../lambdas/adapters/acme/acme.ts';
import * as errors from '../../../../lambdas/domain/contract/errors.ts';
import type { CertificateAuthority } from '../../../../lambdas/domain/ports/acme.ts';
import { type Answer, newKey, problem, problemType, type ScriptedCa, startScriptedCa } from './scripted-ca.ts';

const now = new Date('2026-11-20T10:00:00.000Z');
const accountKey = newKey('P-256');
const acme = createAcme({ userAgent: 'perennial/test', now: () => now });

let ca: ScriptedCa;
let authority: CertificateAuthority;
/** A connection that waits 0.3 s for a reply, for a CA that does not answer. */
let impatient: CertificateAuthority;
beforeEach(async () => {
  ca = await startScriptedCa();
  const account = { url: ca.url('/account/1'), privateKey: accountKey };
  authority = acme.connect(ca.issuer, account);
  impatient = acme.connect({ ...ca.issuer, replyTimeout: 0.3 }, account);
});
afterEach(async () => {
  acme.close();
  await ca.stop();
});

/** The error of reading an order with these replies. */
async function failure(answer: Answer, of = authority): Promise<errors.PerennialError> {
  ca.script('/order/1', answer);
  const error = await of.order(ca.url('/order/1')).catch((thrown: unknown) => thrown);
  if (!(error instanceof errors.PerennialError)) throw new Error('no named error', { cause: error });
  return error;
}

test.each([
  ['accountDoesNotExist', 400, errors.AccountDoesNotExistError],
  ['alreadyReplaced', 409, errors.AlreadyReplacedError],
  ['badCSR', 400, errors.BadCsrError],
  ['badNonce', 400, errors.CaUnavailableError],
  ['caa', 403, errors.CaaError],
  ['externalAccountRequired', 403, errors.ExternalAccountRequiredError],
  ['invalidProfile', 400, errors.InvalidProfileError],
  ['malformed', 400, errors.MalformedError],
  ['orderNotReady', 403, errors.OrderNotReadyError],
  ['rateLimited', 429, errors.RateLimitedError],
  ['rejectedIdentifier', 400, errors.RejectedIdentifierError],
  ['serverInternal', 500, errors.CaUnavailableError],
  ['unauthorized', 403, errors.UnauthorizedError],
  ['unsupportedIdentifier', 400, errors.UnsupportedIdentifierError],
  ['userActionRequired', 403, errors.UserActionRequiredError],
  ['alreadyRevoked', 400, errors.AcmeProblemError],
  ['badPublicKey', 400, errors.AcmeProblemError],
  ['badRevocationReason', 400, errors.AcmeProblemError],
  ['badSignatureAlgorithm', 400, errors.AcmeProblemError],
  ['compound', 400, errors.AcmeProblemError],
  ['connection', 400, errors.AcmeProblemError],
  ['dns', 400, errors.AcmeProblemError],
  ['incorrectResponse', 403, errors.AcmeProblemError],
  ['invalidContact', 400, errors.ContactRefusedError],
  ['tls', 400, errors.AcmeProblemError],
  ['unsupportedContact', 400, errors.ContactRefusedError],
  ['neverHeardOf', 400, errors.AcmeProblemError],
  ['constructor', 400, errors.AcmeProblemError],
  ['neverHeardOf', 500, errors.CaUnavailableError],
])('%s with HTTP %i has its own class with the problem document', async (type, status, kind) => {
  const error = await failure(problem(type, status));
  expect(error).toBeInstanceOf(kind);
  expect(error.problem).toEqual({ type: problemType(type), status, detail: `Test of ${type}` });
  expect(error.fields.issuer).toBe('scripted');
  expect(error.message).toContain(`scripted refused the order ${ca.url('/order/1')}.`);
  expect(error.message).toContain(`Test of ${type} (${type}, HTTP ${status})`);
});

test('keeps identifier, subproblems and Retry-After of a problem document', async () => {
  const error = await failure({
    ...problem('rejectedIdentifier', 400, {
      identifier: { type: 'dns', value: '*.example.com' },
      subproblems: [
        { type: problemType('caa'), detail: 'CAA forbids it', identifier: { type: 'dns', value: 'a.example.com' } },
        { type: problemType('malformed') },
      ],
    }),
    headers: { 'retry-after': 'Fri, 20 Nov 2026 11:00:00 GMT' },
  });
  expect(error.problem).toEqual({
    type: problemType('rejectedIdentifier'),
    status: 400,
    detail: 'Test of rejectedIdentifier',
    identifier: '*.example.com',
    retryAfter: 3600,
    subproblems: [
      { type: problemType('caa'), detail: 'CAA forbids it', identifier: 'a.example.com' },
      { type: problemType('malformed') },
    ],
  });
  expect(error.message).toContain('(rejectedIdentifier, HTTP 400, for *.example.com, retry after 3600 s)');
});

const agreement = 'https://ca.example/agreement';
test.each([
  ['its instance', { instance: agreement }, {}, agreement],
  ['its instance, without the token in the query', { instance: `${agreement}?token=W8Ih3PswD` }, {}, `${agreement}?…`],
  ['its instance, without the token in the fragment', { instance: `${agreement}#W8Ih3PswD` }, {}, `${agreement}?…`],
  [
    'its instance, before the terms',
    { instance: agreement },
    { link: '<https://ca.example/terms>;rel="terms-of-service"' },
    agreement,
  ],
  ['the terms', {}, { link: `<https://ca.example/>;rel="index", <${agreement}>;rel="terms-of-service"` }, agreement],
  ['no link that is not https or http', { instance: 'javascript:alert(1)' }, {}, undefined],
])('userActionRequired keeps %s', async (_, more, headers, instance) => {
  const error = await failure({ ...problem('userActionRequired', 403, more), headers });
  expect(error).toBeInstanceOf(errors.UserActionRequiredError);
  expect(error.problem?.instance).toBe(instance);
  if (instance) expect(error.message).toContain(`(userActionRequired, HTTP 403, see ${instance})`);
  expect(inspect(error, { depth: 9 })).not.toMatch(/W8Ih3PswD|javascript/);
});

test('reads Retry-After in seconds', async () => {
  const error = await failure({ ...problem('rateLimited', 429), headers: { 'retry-after': '2231' } });
  expect(error.problem?.retryAfter).toBe(2231);
});

test.each([
  ['2026-11-20 10:37:11 UTC', 2231],
  ['2026-11-20T10:37:11Z', 2231],
  ['2026-11-20 09:00:00 UTC', 0],
])('reads the time %s from the text of a rate limit without Retry-After', async (time, seconds) => {
  const detail = `too many certificates (5) already issued for this exact set of identifiers, retry after ${time}: see https://ca.example/limits`;
  const error = await failure(problem('rateLimited', 429, { detail }));
  expect(error).toBeInstanceOf(errors.RateLimitedError);
  expect(error.problem?.retryAfter).toBe(seconds);
});

test('prefers the header of a rate limit to its text, and does not read the text of other problems', async () => {
  const detail = 'retry after 2026-11-20 10:37:11 UTC';
  const headers = { 'retry-after': '60' };
  expect((await failure({ ...problem('rateLimited', 429, { detail }), headers })).problem?.retryAfter).toBe(60);
  expect((await failure(problem('malformed', 400, { detail }))).problem).not.toHaveProperty('retryAfter');
  const odd = problem('rateLimited', 429, { detail: 'retry after 2026-99-99 10:37:11 UTC' });
  expect((await failure(odd)).problem).not.toHaveProperty('retryAfter');
});

const pausedDetail =
  'Your account is temporarily prevented from requesting certificates for www.example.com and possibly others. ' +
  'Please visit: https://portal.example/sfe/v1/unpause?jwt=eyJhbGciOi.eyJz.c2ln';

test('a paused account has its own class with the link and the remedy', async () => {
  const error = await failure(problem('rateLimited', 429, { detail: pausedDetail }));
  expect(error).toBeInstanceOf(errors.AccountPausedError);
  expect(error.message).toContain('https://portal.example/sfe/v1/unpause');
  expect(error.message).toMatch(/Fix the cause of the failed validations, then end the pause.*action accountLink/);
  expect(inspect(error, { depth: 5 })).not.toContain('eyJ');
});

test('a rate limit with a time is not a pause, nor is the text of another problem', async () => {
  const limited = { ...problem('rateLimited', 429, { detail: pausedDetail }), headers: { 'retry-after': '60' } };
  expect(await failure(limited)).toBeInstanceOf(errors.RateLimitedError);
  expect(await failure(problem('malformed', 400, { detail: pausedDetail }))).toBeInstanceOf(errors.MalformedError);
});

test('removes the token from the link that ends a pause', async () => {
  const error = await failure(
    problem('rateLimited', 429, { detail: 'Paused. Please visit: https://portal.example/unpause?jwt=eyJhbGciOi.eyJz' }),
  );
  expect(error.problem?.detail).toBe('Paused. Please visit: https://portal.example/unpause?…');
  expect(error.message).not.toContain('eyJ');
});

test.each([
  [503, '<html><h1>503 Service Temporarily Unavailable</h1></html>', errors.CaBusyError],
  [502, '', errors.CaBusyError],
  [500, { type: 'about:blank' }, errors.CaBusyError],
  [429, '<html>Slow down</html>', errors.RateLimitedError],
  [404, '', errors.MalformedError],
  [410, '<html>Not here</html>', errors.MalformedError],
  [403, '<html>Not you</html>', errors.CaUnavailableError],
  [301, '', errors.CaUnavailableError],
  [400, { message: 'no problem document' }, errors.CaUnavailableError],
])('HTTP %i without a problem document is %s', async (status, body, kind) => {
  const error = await failure({ status, body, headers: { 'retry-after': '90' } });
  expect(error).toBeInstanceOf(kind);
  expect(error.problem).toEqual({ type: 'about:blank', status, retryAfter: 90 });
  expect(error.message).toContain(`HTTP ${status}`);
});

test.each([500, 502, 503, 504])(
  'HTTP %i may be repeated without Retry-After, and not before the time of one',
  async (status) => {
    const page = '<html><h1>Service Temporarily Unavailable</h1></html>';
    expect(await failure({ status, body: page })).toBeInstanceOf(errors.CaUnavailableError);
    const busy = await failure({ status, body: page, headers: { 'retry-after': '120' } });
    expect(busy).toBeInstanceOf(errors.CaBusyError);
    expect(busy.problem?.retryAfter).toBe(120);
    expect(busy.message).toContain(`HTTP ${status}, retry after 120 s). The next attempt waits for that time.`);
  },
);

test.each(['serverInternal', 'neverHeardOf'])('%s with HTTP 500 and Retry-After is CaBusyError', async (type) => {
  const error = await failure({ ...problem(type, 500), headers: { 'retry-after': '30' } });
  expect(error).toBeInstanceOf(errors.CaBusyError);
  expect(error.problem).toEqual({ type: problemType(type), status: 500, detail: `Test of ${type}`, retryAfter: 30 });
});

test.each([401, 403])('a page with HTTP %i asks whether the CA blocks the client', async (status) => {
  const error = await failure({ status, body: '<html>Access denied</html>' });
  expect(error).toBeInstanceOf(errors.CaUnavailableError);
  expect(error.message).toContain(
    `It sent <html>Access denied</html> (HTTP ${status}). If this repeats, ask the CA whether it blocks requests from AWS Lambda.`,
  );
});

test('a rate limit stays one with HTTP 503 and Retry-After', async () => {
  const error = await failure({ ...problem('rateLimited', 503), headers: { 'retry-after': '30' } });
  expect(error).toBeInstanceOf(errors.RateLimitedError);
});

test('sends one request for a 503, without sleeping or repeating', async () => {
  await failure({ status: 503, headers: { 'retry-after': '86400' } });
  expect(ca.requests.filter(({ path }) => path === '/order/1')).toHaveLength(1);
});

test.each(['cut', 'cut in the middle'] as const)('keeps the cause of a connection %s', async (answer) => {
  const error = await failure(answer);
  expect(error).toBeInstanceOf(errors.CaUnavailableError);
  expect(error.cause).toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|ERR_BAD_RESPONSE)$/) });
  expect(error.message).toContain(`No reply to POST ${ca.url('/order/1')}`);
});

test('keeps the cause of a refused connection', async () => {
  await ca.stop();
  const error = await failure({});
  expect(error).toBeInstanceOf(errors.CaUnavailableError);
  expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
});

test.each(['silence', 'endless'] as const)('%s ends at the timeout', async (answer) => {
  const error = await failure(answer, impatient);
  expect(error).toBeInstanceOf(errors.CaUnavailableError);
  expect(error.message).toContain('no complete reply within 0.3 s');
});

test('an invalid URL from the CA is CaUnavailableError', async () => {
  const error = await authority.order('nonsense').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'CaUnavailableError', cause: { code: 'ERR_INVALID_URL' } });
});

test('does not read a reply of more than a megabyte to its end', async () => {
  const error = await failure({ body: 'x'.repeat(1_100_000) });
  expect(error).toBeInstanceOf(errors.CaUnavailableError);
  expect(error.message).toContain('maxContentLength');
});

test.each([
  ['gzip', gzipSync(Buffer.alloc(20_000_000))],
  ['br', brotliCompressSync(Buffer.alloc(20_000_000))],
] as const)('does not decompress more than a megabyte of a reply with %s', async (encoding, body) => {
  expect(body.length).toBeLessThan(100_000);
  const error = await failure({ headers: { 'content-encoding': encoding }, body });
  expect(error).toBeInstanceOf(errors.CaUnavailableError);
  expect(error.message).toContain('maxContentLength');
});

test('does not read headers without an end', async () => {
  const error = await failure({ headers: { 'x-long': 'x'.repeat(20_000) } });
  expect(error).toMatchObject({ name: 'CaUnavailableError', cause: { code: 'HPE_HEADER_OVERFLOW' } });
});

test('a reply that switches to another protocol ends at the timeout', async () => {
  const error = await failure({ status: 101, headers: { upgrade: 'other', connection: 'upgrade' } }, impatient);
  expect(error).toMatchObject({ name: 'CaUnavailableError', message: expect.stringContaining('within 0.3 s') });
});

test.each([
  ['HTML', '<html>Welcome to the portal</html>', '<html>Welcome to the portal</html>'],
  ['nothing', '', 'an empty body'],
  ['a list', [1, 2], '[1,2]'],
  ['an order without finalize', { status: 'pending', authorizations: [] }, '{"status":"pending","authorizations":[]}'],
  ['an order with odd authorizations', { status: 'pending', finalize: 'https://x', authorizations: [1] }, '{"status":'],
])('shows what was received for %s in place of an order', async (_, body, shown) => {
  const error = await failure({ body });
  expect(error).toBeInstanceOf(errors.CaUnavailableError);
  expect(error.message).toContain('replied to the order');
  expect(error.message).toContain(shown);
  expect(error.problem).toEqual({ type: 'about:blank', status: 200 });
});

test('names newNonce and the directory in their errors', async () => {
  ca.script('/new-nonce', { status: 503, nonce: null });
  expect((await failure({})).message).toContain(`refused newNonce ${ca.url('/new-nonce')}`);
  ca.script('/new-nonce', { nonce: null });
  expect((await failure({})).message).toContain('without a Replay-Nonce header');

  const other = await startScriptedCa();
  other.script('/directory', { body: { newNonce: 'https://ca.example/nonce', newAccount: 7 } });
  const lost = acme.connect(other.issuer, { url: other.url('/account/1'), privateKey: accountKey });
  await expect(lost.order(other.url('/order/1'))).rejects.toThrow(
    /directory.* but without the fields newAccount and newOrder in the form of RFC 8555\./,
  );
  await other.stop();
});

test('has neither a key nor a signed payload in an error', async () => {
  const certificateKey = newKey('P-256');
  const secrets = [accountKey, certificateKey].flatMap((pem) => pem.split('\n').slice(1, 3));
  for (const answer of [problem('badCSR', 400), 'cut', 'silence', { status: 503 }, { body: 'odd' }] as const) {
    ca.script('/finalize/1', answer);
    const order = { url: ca.url('/order/1'), finalize: ca.url('/finalize/1'), expires: null };
    const of = answer === 'silence' ? impatient : authority;
    const error = await of.finalize(order, ['example.com'], certificateKey).catch((thrown: unknown) => thrown);
    const shown = inspect(error, { depth: 20, showHidden: true });
    for (const secret of [...secrets, 'BEGIN', '"signature"', '"protected"']) expect(shown).not.toContain(secret);
  }
});
