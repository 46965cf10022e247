import fc from 'fast-check';
import jsonata from 'jsonata';
import { expect, test } from 'vitest';
import { requestedCertificate } from '../../../infra/workflows/requested-certificate.ts';
import { hostileText } from '../../lambdas/hostile-text.ts';

const expression = jsonata(requestedCertificate.slice('{%'.length, -'%}'.length));
const nameIn = (input: unknown) => expression.evaluate({}, { states: { input } });

test.each([
  [{ certificate: 'www-2' }, 'www-2'],
  [{ certificate: 'x'.repeat(40) }, 'x'.repeat(40)],
  [{ certificate: 'x'.repeat(41) }, ''],
  [{ certificate: 'www\n' }, ''],
  [{ certificate: 'WWW' }, ''],
  [{ certificate: '' }, ''],
  [{ certificate: ['www'] }, ''],
  [{ certificate: null }, ''],
  [{}, ''],
])('an execution with the input %j is logged for %j', async (input, expected) => {
  expect(await nameIn(input)).toBe(expected);
});

test('the name in an event and in the log is a possible name, whatever the input has', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(hostileText, fc.anything()), async (certificate) => {
      expect(await nameIn({ certificate })).toMatch(/^[a-z0-9-]{0,40}$/);
    }),
  );
});
