import { expect, test } from 'vitest';
import { CertificateMismatchError } from '../../../../../lambdas/domain/contract/errors.ts';
import { shorterLifetimeWarning } from '../../../../../lambdas/domain/rules/certificate/shorter-lifetime.ts';

const now = new Date('2026-03-01T12:00:00Z');
const until = (notAfter: string, notBefore = '2026-03-01T11:00:00Z') => ({ notBefore, notAfter });
const inUse = until('2026-04-01T00:00:00Z', '2026-01-01T00:00:00Z');
const compare = (issued: ReturnType<typeof until>, before: ReturnType<typeof until> | null = inUse) =>
  shorterLifetimeWarning('www', issued, before, now);

test.each([
  ['is the first one', until('2026-03-01T13:00:00Z'), null],
  ['expires after the one in use', until('2026-05-30T00:00:00Z'), inUse],
  ['expires with the one in use, as in a second run', inUse, inUse],
  [
    'has hours left, but expires after the one in use',
    until('2026-03-01T23:00:00Z'),
    until('2026-03-01T13:00:00Z', '2026-01-01T00:00:00Z'),
  ],
  [
    'lives as long as the one in use, which is less than 12 hours',
    until('2026-03-01T23:00:00Z'),
    until('2026-03-01T13:00:00Z', '2026-03-01T02:00:00Z'),
  ],
])('accepts a certificate without a warning that %s', (_, issued, before) => {
  expect(compare(issued, before)).toBeNull();
});

test.each(['2026-03-31T23:59:59Z', '2026-03-02T12:00:00Z', '2026-03-02T10:59:59Z'])(
  'warns of a certificate that expires first, at %s',
  (at) => {
    expect(compare(until(at))).toBe(
      `it expires at ${at}, before the certificate that it replaces, which expires at 2026-04-01T00:00:00Z`,
    );
  },
);

test('warns of a short certificate if the one in use is as short', () => {
  const short = until('2026-03-01T20:00:00Z', '2026-03-01T10:00:00Z');
  expect(compare(until('2026-03-01T19:00:00Z'), short)).toContain('before the certificate that it replaces');
});

test.each([
  ['lives less than a day', until('2026-03-02T10:59:58Z')],
  ['has less than 12 hours left', until('2026-03-01T23:59:59Z', '2026-02-01T00:00:00Z')],
])('rejects a certificate that %s where a longer one is in use', (why, issued) => {
  const comparing = () => compare(issued);
  expect(comparing).toThrow(CertificateMismatchError);
  expect(comparing).toThrow(
    `Certificate www: The certificate that the CA sent is not stored. It expires at ${issued.notAfter}, and ${why}. The certificate in use expires at 2026-04-01T00:00:00Z.`,
  );
});
