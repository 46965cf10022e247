import { expect, test } from 'vitest';
import { createNoncePool } from '../../../../lambdas/adapters/acme/nonces.ts';

const at = (second: string) => new Date(`2026-11-20T10:${second}.000Z`);

test('returns the newest nonce first and each only once', () => {
  const pool = createNoncePool();
  pool.put('first', at('00:00'));
  pool.put('second', at('00:01'));
  expect([pool.take(at('00:02')), pool.take(at('00:02')), pool.take(at('00:02'))]).toEqual(['second', 'first', null]);
});

test('keeps two nonces and drops the oldest', () => {
  const pool = createNoncePool();
  for (const nonce of ['first', 'second', 'third']) pool.put(nonce, at('00:00'));
  expect([pool.take(at('00:00')), pool.take(at('00:00')), pool.take(at('00:00'))]).toEqual(['third', 'second', null]);
});

test('drops a nonce after one minute', () => {
  const pool = createNoncePool();
  pool.put('old', at('00:00'));
  pool.put('young', at('00:01'));
  expect([pool.take(at('01:01')), pool.take(at('01:01'))]).toEqual(['young', null]);
});

test.each([[undefined], [''], ['with space'], ['padded=='], [7]])(
  'takes no nonce that is not base64url: %j',
  (nonce) => {
    const pool = createNoncePool();
    pool.put(nonce, at('00:00'));
    expect(pool.take(at('00:00'))).toBeNull();
  },
);
