import { describe, expect, test } from 'vitest';
import type { OrderBucket } from '../../../../../lambdas/domain/ports/ledger.ts';
import type { SavedRenewalInfo } from '../../../../../lambdas/domain/ports/ledger-certificate.ts';
import {
  availableOrders,
  debitedBucket,
  isCountedOrder,
} from '../../../../../lambdas/domain/rules/renewal/order-bucket.ts';
import { factsWith, specWith } from '../../../../fakes/specs.ts';

const limit = { burst: 250, everySeconds: 36 };
const at = '2026-03-01T12:00:00.000Z';
const later = (seconds: number) => new Date(Date.parse(at) + 1000 * seconds);
const holding = (tokens: number): OrderBucket => ({ tokens, at, debits: {} });

describe('the available orders', () => {
  test.each<[string, OrderBucket | null, number, number]>([
    ['of a bucket without debits', null, 0, 250],
    ['right after a debit', holding(17), 0, 17],
    ['36 s later', holding(17), 36, 18],
    ['less than 36 s later', holding(17), 35, 17],
    ['18 s after half a token was left', holding(0.5), 18, 1],
    ['of an empty bucket', holding(0.9), 0, 0],
    ['three hours after the bucket was empty', holding(0), 3 * 3600, 250],
    ['of a bucket that was larger before a deployment', holding(1450), 0, 250],
    ['by a clock that is behind', holding(17), -60, 17],
  ])('%s', (_, bucket, seconds, expected) => {
    expect(availableOrders(bucket, limit, later(seconds))).toBe(expected);
  });
});

describe('a debit', () => {
  test('takes one token from what has been refilled, and keeps fractions', () => {
    expect(debitedBucket(holding(17), 'e', limit, later(18))).toMatchObject({
      tokens: 16.5,
      at: later(18).toISOString(),
    });
  });

  test('of an empty bucket changes nothing, because the CA refuses that order and does not count it', () => {
    expect(debitedBucket(holding(0.9), 'e', limit, later(0))).toBeNull();
  });

  test('counts an execution once in three hours, which is longer than its attempts take', () => {
    const first = debitedBucket(null, 'e', limit, later(0));
    expect(first?.tokens).toBe(249);
    expect(debitedBucket(first, 'e', limit, later(111 * 60))).toBeNull();
    expect(debitedBucket(first, 'other', limit, later(0))?.tokens).toBe(248);
    expect(debitedBucket(first, 'e', limit, later(3 * 3600))?.tokens).toBe(249);
  });

  test('forgets executions after three hours, so that the item does not grow without a bound', () => {
    const first = debitedBucket(null, 'e1', limit, later(0));
    const second = debitedBucket(first, 'e2', limit, later(2 * 3600));
    expect(Object.keys(second?.debits ?? {})).toHaveLength(2);
    const third = debitedBucket(second, 'e3', limit, later(4 * 3600));
    expect(Object.keys(third?.debits ?? {})).toHaveLength(2);
  });

  test('by a clock that is behind never refills the same time twice', () => {
    const behind = debitedBucket(holding(0), 'e1', limit, later(-3600));
    expect(behind).toBeNull();
    expect(debitedBucket(holding(2), 'e1', limit, later(-3600))).toMatchObject({ tokens: 1, at });
  });
});

test('the bucket of 250 lets 250 orders start at once, and 100 an hour after them', () => {
  let bucket: OrderBucket | null = null;
  const started: number[] = [];
  for (let second = 0; second <= 6 * 3600; second += 1) {
    while (availableOrders(bucket, limit, later(second)) > 0) {
      bucket = debitedBucket(bucket, `e${started.length}`, limit, later(second));
      started.push(second);
    }
  }
  expect(started.filter((second) => second === 0)).toHaveLength(250);
  expect(started).toHaveLength(250 + 6 * 100);
});

describe('an order counts', () => {
  const window: SavedRenewalInfo = {
    certificateId: 'aki.serial',
    start: '2026-03-01T06:00:00Z',
    end: '2026-03-02T06:00:00Z',
    explanationUrl: null,
    nextFetch: '2026-03-01T18:00:00Z',
  };
  const current = factsWith({ certificateId: 'aki.serial' });
  const record = { current, renewalInfo: window };
  const renamed = specWith({ identifiers: ['example.com', 'www.example.com'] });
  const moved = specWith({ issuer: { ...specWith().issuer, directoryUrl: 'https://other.test/directory' } });
  const inside = '2026-03-01T12:00:00Z';

  test.each([
    ['for a certificate that was never issued', specWith(), { current: null, renewalInfo: null }, inside, true],
    ['for a renewal without a window of the CA', specWith(), { current, renewalInfo: null }, inside, true],
    ['for a forced renewal before the window', specWith(), record, '2026-03-01T05:59:59Z', true],
    ['for a certificate that moves to another CA in the window', moved, record, inside, true],
    ['for other names after the window', renamed, record, '2026-03-02T06:00:00Z', true],
  ] as const)('%s', (_, spec, known, now, expected) => {
    expect(isCountedOrder(spec, known, new Date(now))).toBe(expected);
  });

  test.each([
    ['at the start of the window', specWith(), '2026-03-01T06:00:00Z'],
    ['in the window with other names', renamed, inside],
    ['after the window, as the replacement of a revoked certificate', specWith(), '2026-03-02T06:00:00Z'],
  ] as const)('not for a renewal %s', (_, spec, now) => {
    expect(isCountedOrder(spec, record, new Date(now))).toBe(false);
  });
});
