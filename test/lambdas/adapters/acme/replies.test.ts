import { expect, test } from 'vitest';
import { excerpt, retryAfter } from '../../../../lambdas/adapters/acme/replies.ts';

const now = new Date('2026-11-20T10:00:00.250Z');

test.each<[string | undefined, number | null]>([
  ['120', 120],
  [' 7 ', 7],
  ['0', 0],
  ['86400', 86_400],
  ['Fri, 20 Nov 2026 10:00:30 GMT', 30],
  ['Friday, 20-Nov-26 10:00:30 GMT', 30],
  ['Fri Nov 20 10:00:30 2026 GMT', 30],
  ['Fri, 20 Nov 2026 09:00:00 GMT', 0],
  ['-5', null],
  ['1.5', null],
  ['99999999999999', null],
  ['soon', null],
  ['Sometime, later', null],
  ['', null],
  [undefined, null],
])('Retry-After %j is %j seconds', (value, seconds) => {
  expect(retryAfter({ headers: { 'retry-after': value } }, now)).toBe(seconds);
});

test('an excerpt has one line of at most 80 characters', () => {
  expect(excerpt('<html>\n  <body>Busy</body>\n</html>')).toBe('<html> <body>Busy</body> </html>');
  expect(excerpt('x'.repeat(200))).toBe(`${'x'.repeat(80)}…`);
  expect(excerpt({ status: 'pending' })).toBe('{"status":"pending"}');
  expect([excerpt(''), excerpt(undefined)]).toEqual(['an empty body', 'an empty body']);
});

test('an excerpt has no PEM', () => {
  expect(excerpt('key: -----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----')).toBe('key: (PEM)');
});
