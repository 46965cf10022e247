import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { authorizationFrom } from '../../../../lambdas/adapters/acme/authorizations.ts';
import { directoryFrom } from '../../../../lambdas/adapters/acme/directory.ts';
import { alternatesOf, locationOf } from '../../../../lambdas/adapters/acme/headers.ts';
import { orderFrom } from '../../../../lambdas/adapters/acme/orders.ts';
import { problemDocument } from '../../../../lambdas/adapters/acme/problem-document.ts';
import { problemError } from '../../../../lambdas/adapters/acme/problems.ts';
import { excerpt, type Reply, retryAfter } from '../../../../lambdas/adapters/acme/replies.ts';
import { PerennialError } from '../../../../lambdas/domain/contract/errors.ts';
import { toLambdaError } from '../../../../lambdas/domain/contract/failure.ts';
import { hostileText, unprintable } from '../../hostile-text.ts';

const request = { issuer: 'ca', what: 'the order https://ca.example/order/1' };
const now = new Date('2026-11-20T10:00:00Z');
const url = 'https://ca.example/order/1';

/** Text that makes careless expressions slow, up to the largest reply. */
const longText = fc
  .tuple(
    fc.constantFrom(' ', '.', 'http://', '\n', '-----BEGIN', '<', '"', 'a', 'https://ca.example/'),
    fc.constantFrom(10, 3000, 100_000),
  )
  .map(([part, count]) => part.repeat(count));
const text = fc.oneof({ weight: 3, arbitrary: hostileText }, longText, fc.constantFrom('pending', 'example.com', url));
const scalar = fc.oneof({ weight: 4, arbitrary: text }, fc.constant(null), fc.integer(), fc.double(), fc.boolean());
const problem = fc.letrec((tie) => ({
  problem: fc.record(
    {
      type: text,
      status: scalar,
      detail: text,
      identifier: fc.oneof(scalar, fc.record({ type: text, value: text })),
      subproblems: fc.oneof({ depthSize: 'small' }, scalar, fc.array(tie('problem'), { maxLength: 3 })),
    },
    { requiredKeys: ['type'] },
  ),
})).problem;
const body = fc.oneof(
  scalar,
  problem,
  fc.record(
    {
      status: fc.oneof(scalar, fc.constantFrom('pending', 'valid')),
      finalize: fc.oneof(scalar, fc.constant(url)),
      authorizations: fc.oneof(scalar, fc.array(fc.oneof(text, fc.constant(url)), { maxLength: 200 })),
      expires: scalar,
      certificate: scalar,
      error: problem,
      identifier: fc.oneof(scalar, fc.record({ type: text, value: fc.oneof(text, fc.constant('example.com')) })),
      challenges: fc.array(fc.record({ type: text, url: text, status: text, token: text, error: problem }), {
        maxLength: 50,
      }),
      newNonce: fc.constant(url),
      newAccount: fc.constant(url),
      newOrder: fc.oneof(text, fc.constant(url)),
      renewalInfo: text,
      meta: fc.record({ termsOfService: text, profiles: fc.dictionary(text, text), caaIdentities: fc.array(text) }),
    },
    { requiredKeys: [] },
  ),
);
const reply: fc.Arbitrary<Reply> = fc.record({
  status: fc.constantFrom(200, 400, 429, 500, 503),
  headers: fc.record(
    { location: text, link: fc.oneof(text, fc.array(text)), 'retry-after': text },
    { requiredKeys: [] },
  ),
  data: body,
});

/** Checks all texts in what an adapter returns. */
function expectBounded(value: unknown): void {
  if (typeof value === 'string') {
    expect(value).not.toMatch(unprintable);
    expect(value.length).toBeLessThanOrEqual(2048);
  } else if (Array.isArray(value)) {
    expect(value.length).toBeLessThanOrEqual(100);
    value.forEach(expectBounded);
  } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(expectBounded);
}

/** Runs a function of the adapter. Its result or its error is bounded. Any other error fails the test. */
function expectBoundedResult(run: () => unknown): void {
  try {
    expectBounded(run());
  } catch (error) {
    if (!(error instanceof PerennialError)) throw error;
    expectBounded(error.fields);
    expectBounded(error.problem);
    const thrown = toLambdaError(error);
    expect(thrown.message.split('\n').length).toBeLessThanOrEqual(2);
    expect(JSON.stringify({ errorMessage: thrown.message }).length).toBeLessThan(32_768);
  }
}

describe('what a CA sends', () => {
  test('is bounded in length, depth and characters, whatever it is', () => {
    fc.assert(
      fc.property(reply, (given) => {
        expectBoundedResult(() => orderFrom(given, url, request, now));
        expectBoundedResult(() => authorizationFrom(given, url, request));
        expectBoundedResult(() => directoryFrom({ ...given, url }, request, now));
        expectBoundedResult(() => locationOf(given, url, request));
        expectBoundedResult(() => alternatesOf(given, url));
        expectBoundedResult(() => problemDocument(given.data));
        expectBoundedResult(() => excerpt(given.data));
        expectBoundedResult(() => retryAfter(given, now));
        expectBoundedResult(() => {
          throw problemError(given, request, now);
        });
      }),
    );
  });

  test('has subproblems one level deep', () => {
    fc.assert(
      fc.property(problem, (given) => {
        for (const part of problemDocument(given)?.subproblems ?? []) expect(part.subproblems).toBeUndefined();
      }),
    );
  });

  test('has at most 100 subproblems and 20 challenges', () => {
    const problem = { type: 'about:blank', subproblems: Array.from({ length: 150 }, () => ({ type: 'about:blank' })) };
    expect(problemDocument(problem)?.subproblems).toHaveLength(100);
    const challenges = Array.from({ length: 50 }, () => ({ type: 'dns-01', url }));
    const data = { status: 'pending', identifier: { type: 'dns', value: 'example.com' }, challenges };
    expect(authorizationFrom({ status: 200, headers: {}, data }, url, request).challenges).toHaveLength(20);
  });

  test.each([
    ['links', 'http://'],
    ['spaces', ' '],
    ['full stops', '.'],
    ['queries', 'https://a?'],
  ])('may be a problem document of 280 KB of %s', (_, part) => {
    const data = { type: 'about:blank', detail: part.repeat(280_000 / part.length) };
    const error = problemError({ status: 400, headers: {}, data }, request, now);
    expect(error.problem?.detail?.length ?? 0).toBeLessThanOrEqual(1000);
  });

  test('may be nested more deeply than JSON can be written', () => {
    const data: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
    expect(() => orderFrom({ status: 200, headers: {}, data }, url, request, now)).toThrow(
      'It sent deeply nested JSON.',
    );
  });

  test.each([
    ['more than 100 authorizations', { authorizations: Array.from({ length: 101 }, () => url) }],
    ['a status of two words', { status: 'pending now' }],
    ['a finalize URL with a line break', { finalize: `${url}\n` }],
    ['a finalize URL of more than 2,048 characters', { finalize: `https://ca.example/${'x'.repeat(2048)}` }],
    ['a finalize URL of another scheme', { finalize: 'javascript:alert(1)' }],
  ])('is no order with %s', (_, change) => {
    const data = { status: 'pending', finalize: url, authorizations: [url], ...change };
    expect(() => orderFrom({ status: 200, headers: {}, data }, url, request, now)).toThrow(PerennialError);
  });

  test('is no authorization with an identifier of more than 253 characters', () => {
    const data = { status: 'pending', identifier: { type: 'dns', value: 'x'.repeat(254) }, challenges: [] };
    expect(() => authorizationFrom({ status: 200, headers: {}, data }, url, request)).toThrow(PerennialError);
  });
});
