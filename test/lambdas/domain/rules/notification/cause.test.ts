import { expect, test } from 'vitest';
import { causeOf } from '../../../../../lambdas/domain/rules/notification/cause.ts';

const www = ['www', 'www.example.com'];
const api = ['api', '*.api.example.com'];

test.each([
  ['names', 'Certificate www: www.example.com has no record.', 'Certificate api: api.example.com has no record.'],
  ['numbers of an order', 'https://ca.test/order/17/a8f failed.', 'https://ca.test/order/9/b7c failed.'],
  [
    'ids of a request',
    'Denied (0a1b2c3d-0000-4000-8000-000000000000).',
    'Denied (0a1b2c3d-0000-4000-8000-0000000000ff).',
  ],
  ['times', 'Retry after 2026-03-01T12:00:00Z.', 'Retry after 2026-03-01T12:07:00.123Z.'],
])('failures that differ in %s have one cause', (_, one, other) => {
  expect(causeOf('CaaError', one, www)).toBe(causeOf('CaaError', other, api));
});

test.each([
  ['errors', 'CaaError', 'It failed.', 'DnsLookupError', 'It failed.'],
  ['words', 'CaaError', 'The CA refused it.', 'CaaError', 'The CA paused it.'],
  ['hosted zones', 'ZoneNotFoundError', 'Zone Z0001AB failed.', 'ZoneNotFoundError', 'Zone Z0002AB failed.'],
  ['other domains', 'CaaError', 'The zone of example.org failed.', 'CaaError', 'The zone of example.net failed.'],
])('failures with different %s have different causes', (_, error, one, otherError, other) => {
  expect(causeOf(error, one, www)).not.toBe(causeOf(otherError, other, api));
});

test('a name is not found inside a longer name', () => {
  expect(causeOf('CaaError', 'The zone www-old.test failed.', ['www'])).not.toBe(
    causeOf('CaaError', 'The zone api-old.test failed.', ['api']),
  );
});
