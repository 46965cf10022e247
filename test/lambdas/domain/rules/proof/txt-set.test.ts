import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RecordSetChange, TxtRecordSet } from '../../../../../lambdas/domain/ports/hosted-zones.ts';
import {
  batches,
  byZone,
  challengeTtl,
  sameSet,
  withoutValues,
  withRoles,
  withValues,
} from '../../../../../lambdas/domain/rules/proof/txt-set.ts';

const name = '_acme-challenge.example.com';
const set = (values: readonly string[], ttl = 3600): TxtRecordSet => ({
  name: `${name}.`,
  ttl,
  values,
  unsuitable: null,
});
const otherValue = '"v=spf1 \\"quoted\\" " "second string"';

describe('withValues', () => {
  test('creates a set with a short TTL if there is none', () => {
    expect(withValues(name, null, ['one', 'two'])).toEqual({
      name,
      ttl: challengeTtl,
      values: ['"one"', '"two"'],
      unsuitable: null,
    });
  });

  test('keeps the bytes, the order and the TTL of an existing set', () => {
    expect(withValues(name, set([otherValue, '"b"', '"a"']), ['one'])).toEqual(
      set([otherValue, '"b"', '"a"', '"one"']),
    );
  });

  test('adds only the missing values, without duplicates', () => {
    expect(withValues(name, set(['"one"']), ['one', 'two', 'two'])).toEqual(set(['"one"', '"two"']));
  });

  test('returns null for values that are already there', () => {
    expect(withValues(name, set([otherValue, '"one"']), ['one'])).toBeNull();
  });

  test('returns null without values', () => {
    expect(withValues(name, null, [])).toBeNull();
  });
});

describe('withoutValues', () => {
  test('keeps the value of another writer when two values of three are removed', () => {
    const before = set([otherValue, '"one"', '"two"']);
    expect(withoutValues(before, ['one', 'two'])).toEqual({ name: before.name, before, after: set([otherValue]) });
  });

  test('removes the set with its last value', () => {
    const before = set(['"one"']);
    expect(withoutValues(before, ['one', 'two'])).toEqual({ name: before.name, before, after: null });
  });

  test.each([
    ['no set', null],
    ['a set of another writer', set([otherValue])],
    ['a longer value that begins with the value', set(['"one more"'])],
    ['several strings that join to the value', set(['"o" "ne"'])],
  ])('returns null for %s', (_, before) => {
    expect(withoutValues(before, ['one'])).toBeNull();
  });
});

test('removing added values restores exactly the set before', () => {
  const value = fc.stringMatching(/^[A-Za-z0-9_-]{1,43}$/);
  const others = fc.uniqueArray(fc.stringMatching(/^"other .{0,20}"$/), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(others, fc.uniqueArray(value, { minLength: 1, maxLength: 4 }), fc.nat(), (values, ours, ttl) => {
      const before = set(values, ttl);
      expect(withoutValues(withValues(name, before, ours), ours)?.after).toEqual(before);
    }),
  );
});

describe('sameSet compares', () => {
  test.each([
    ['no set with no set', null, null, true],
    ['no set with a set', null, set(['"one"']), false],
    ['values in another order', set(['"one"', '"two"']), set(['"two"', '"one"']), true],
    ['sets with different TTLs', set(['"one"'], 60), set(['"one"'], 61), false],
    ['sets of which one has one more value', set(['"one"']), set(['"one"', '"two"']), false],
    ['different escapes of the same text', set(['"\\101"']), set(['"A"']), false],
    ['sets of different kinds', set(['"one"']), { ...set(['"one"']), unsuitable: 'weighted' }, false],
  ])('%s', (_, a, b, same) => {
    expect(sameSet(a, b)).toBe(same);
    expect(sameSet(b, a)).toBe(same);
  });
});

test('byZone groups values by zone and name, without duplicates', () => {
  const at = (hostedZoneId: string, record: string, value: string) => ({ hostedZoneId, name: record, value });
  const role = { arn: 'arn:aws:iam::111122223333:role/challenges' };
  const zones = byZone([
    at('Z1', 'a', '1'),
    at('Z1', 'a', '2'),
    at('Z1', 'a', '1'),
    { ...at('Z2', 'a', '1'), role },
    at('Z1', 'b', '1'),
  ]);
  expect(zones.map(({ hostedZoneId, role: of, names }) => [hostedZoneId, of, Object.fromEntries(names)])).toEqual([
    ['Z1', undefined, { a: ['1', '2'], b: ['1'] }],
    ['Z2', role, { a: ['1'] }],
  ]);
});

test('withRoles gives values the role that their zone has in the configuration', () => {
  const value = (hostedZoneId: string) => ({ hostedZoneId, name: '_acme-challenge.example.com', value: '1' });
  const old = { arn: 'arn:aws:iam::111122223333:role/old' };
  const now = { arn: 'arn:aws:iam::111122223333:role/now', externalId: 'the-shop-0815' };
  const zones = [
    { id: 'Z1', name: 'example.com', role: now },
    { id: 'Z2', name: 'example.net' },
  ];
  expect(withRoles([value('Z1'), { ...value('Z2'), role: old }, { ...value('Z3'), role: old }], zones)).toEqual([
    { ...value('Z1'), role: now },
    value('Z2'),
    value('Z3'),
  ]);
});

describe('batches', () => {
  /** Creates a change with a number of values, each with a number of characters including quotes. */
  function change(values: number, characters: number, { existing = false } = {}): RecordSetChange {
    const after = set(Array.from({ length: values }, () => 'x'.repeat(characters)));
    return { name, before: existing ? after : null, after };
  }
  const sizes = (changes: readonly RecordSetChange[]) => batches(changes).map(({ length }) => length);

  test.each([
    ['no changes', [], []],
    ['a hundred names with one value each', Array.from({ length: 100 }, () => change(1, 45)), [100]],
    ['1,000 values', Array.from({ length: 1000 }, () => change(1, 10)), [1000]],
    ['1,001 values', Array.from({ length: 1001 }, () => change(1, 10)), [1000, 1]],
    [
      'values that are deleted and created, which count twice',
      Array.from({ length: 501 }, () => change(1, 10, { existing: true })),
      [500, 1],
    ],
    ['32,000 characters', [change(160, 100), change(160, 100)], [2]],
    ['32,001 characters', [change(160, 100), change(159, 100), change(1, 101)], [2, 1]],
    ['a set that is too large for any batch', [change(1, 10), change(400, 100), change(1, 10)], [1, 1, 1]],
  ])('are within the quotas for %s', (_, changes, expected) => {
    expect(sizes(changes)).toEqual(expected);
    expect(batches(changes).flat()).toEqual(changes);
  });
});
