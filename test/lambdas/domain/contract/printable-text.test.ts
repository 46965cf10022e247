import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printable } from '../../../../lambdas/domain/contract/printable-text.ts';
import { hostileText, unprintable } from '../../hostile-text.ts';

describe('printable text', () => {
  test.each([
    ['one\r\n  two', 'one two'],
    ['\u001b[31mred\u001b[0m', '[31mred [0m'],
    ['\u009b31mred', '31mred'],
    ['a\u202egnp.exe', 'a gnp.exe'],
    ['a\u2066b\u2069', 'a b'],
    ['one\u2028two\u2029three\u0085four', 'one two three four'],
    ['zero\u200bwidth\ufeff', 'zero width'],
    ['half a pair \ud83d', 'half a pair'],
    ['\u0000\u0007', ''],
    ['Größe, 日本語, مرحبا, 👍', 'Größe, 日本語, مرحبا, 👍'],
  ])('of %j is %j', (text, expected) => expect(printable(text, 100)).toBe(expected));

  test('is cut with an ellipsis, between whole characters', () => {
    expect(printable('x'.repeat(11), 10)).toBe(`${'x'.repeat(9)}…`);
    expect(printable('x'.repeat(10), 10)).toBe('x'.repeat(10));
    expect(printable(`${'x'.repeat(8)}👍👍`, 10)).toBe(`${'x'.repeat(8)}…`);
  });

  test('is short and has no control character, override or line break, whatever it was made from', () => {
    fc.assert(
      fc.property(hostileText, fc.integer({ min: 1, max: 50 }), (text, longest) => {
        const result = printable(text, longest);
        expect(result).not.toMatch(unprintable);
        expect(result.length).toBeLessThanOrEqual(longest);
        expect(printable(result, longest)).toBe(result);
      }),
    );
  });

  test('of a very long text is read in part only', () => {
    expect(printable(' '.repeat(50_000_000), 100)).toBe('');
  });
});
