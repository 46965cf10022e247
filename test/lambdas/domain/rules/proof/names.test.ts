import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  challengeRecordName,
  hostedZoneFor,
  identifierProblem,
  longestSuffix,
  normalizeIdentifier,
} from '../../../../../lambdas/domain/rules/proof/names.ts';

describe('normalizing an identifier', () => {
  test.each([
    ['WWW.Example.COM', 'www.example.com'],
    ['example.com.', 'example.com'],
    ['*.Example.com.', '*.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['*.BÜCHER.example', '*.xn--bcher-kva.example'],
    ['straße.example', 'xn--strae-oqa.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['bücher.example.', 'xn--bcher-kva.example'],
  ])('turns %s into %s', (written, normalized) => {
    expect(normalizeIdentifier(written)).toBe(normalized);
    expect(identifierProblem(normalized)).toBeNull();
  });

  test('keeps the text after a slash, which a URL parser would drop', () => {
    expect(normalizeIdentifier('bücher.example/path')).toBe('bücher.example/path');
  });

  test('keeps two trailing dots, which are rejected later', () => {
    expect(normalizeIdentifier('example.com..')).toBe('example.com..');
  });

  test('changes nothing when run on its own result', () => {
    const label = fc.oneof(
      fc.domain(),
      fc.string(),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('*', '', 'Ü', '。'),
    );
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    fc.assert(
      fc.property(name, (written) => {
        const once = normalizeIdentifier(written);
        expect(normalizeIdentifier(once)).toBe(once);
      }),
    );
  });
});

describe('identifierProblem', () => {
  test.each([
    ['', 'has an empty label'],
    ['a..example.com', 'has an empty label'],
    ['example.com..', 'has an empty label'],
    ['_acme.example.com', 'has the label "_acme", which may have only letters, digits and inner hyphens'],
    ['-a.example.com', 'has the label "-a", which may have only letters, digits and inner hyphens'],
    ['a-.example.com', 'has the label "a-", which may have only letters, digits and inner hyphens'],
    ['a b.example.com', 'has the label "a b", which may have only letters, digits and inner hyphens'],
    [`${'a'.repeat(64)}.example.com`, 'has a label of 64 characters, over 63'],
    [`${'a.'.repeat(124)}abcdef`, 'is 254 characters long, over 253'],
    ['ab--c.example.com', 'has the label "ab--c", which is not a valid A-label'],
    ['xn--a.example.com', 'has the label "xn--a", which is not a valid A-label'],
    ['localhost', 'has no dot'],
    ['*.com', 'has no dot'],
    ['example.123', 'ends in a label with digits only'],
    ['192.0.2.1', 'is an IP address, which DNS-01 cannot prove (RFC 8738 §7)'],
    ['2001:db8::1', 'is an IP address, which DNS-01 cannot prove (RFC 8738 §7)'],
    ['[2001:db8::1]', 'is an IP address, which DNS-01 cannot prove (RFC 8738 §7)'],
    ['www.*.example.com', 'has a wildcard that is not its whole first label'],
    ['w*.example.com', 'has a wildcard that is not its whole first label'],
    ['*.*.example.com', 'has a wildcard that is not its whole first label'],
    ['*', 'has a wildcard that is not its whole first label'],
  ])('rejects "%s", which %s', (identifier, problem) => {
    expect(identifierProblem(identifier)).toBe(problem);
  });

  test.each([`${'a'.repeat(63)}.example.com`, `${'a.'.repeat(124)}abcde`, '*.example.com', '1.example.com'])(
    'accepts %s',
    (identifier) => {
      expect(identifierProblem(identifier)).toBeNull();
    },
  );
});

describe('the zone of an identifier', () => {
  const zones = [
    { id: 'Z1', name: 'example.com' },
    { id: 'Z2', name: 'shop.example.com' },
    { id: 'Z3', name: '_acme-challenge.api.example.com' },
  ];

  test.each([
    ['example.com', 'Z1'],
    ['*.example.com', 'Z1'],
    ['a.b.example.com', 'Z1'],
    ['myshop.example.com', 'Z1'],
    ['shop.example.com', 'Z2'],
    ['*.shop.example.com', 'Z2'],
    ['api.example.com', 'Z3'],
    ['v1.api.example.com', 'Z1'],
    ['example.org', undefined],
    ['com', undefined],
  ])('%s is %s', (identifier, id) => {
    expect(hostedZoneFor(identifier, zones)?.id).toBe(id);
  });

  test('is found if its value in the map is 0', () => {
    expect(longestSuffix('www.example.com', new Map([['example.com', 0]]))).toBe(0);
  });
});

test('an apex and its wildcard have the same challenge record', () => {
  expect(challengeRecordName('*.example.com')).toBe('_acme-challenge.example.com');
  expect(challengeRecordName('example.com')).toBe('_acme-challenge.example.com');
});
