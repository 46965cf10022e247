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
const foreign = '"v=spf1 \\"quoted\\" " "second string"';

describe('adding', () => {
  test('to nothing makes a set that lives for seconds', () => {
    expect(withValues(name, null, ['one', 'two'])).toEqual({
      name,
      ttl: challengeTtl,
      values: ['"one"', '"two"'],
      unsuitable: null,
    });
  });

  test('to a set keeps its bytes, its order and its TTL', () => {
    expect(withValues(name, set([foreign, '"b"', '"a"']), ['one'])).toEqual(set([foreign, '"b"', '"a"', '"one"']));
  });

  test('what is missing adds that alone, equal ones once', () => {
    expect(withValues(name, set(['"one"']), ['one', 'two', 'two'])).toEqual(set(['"one"', '"two"']));
  });

  test('what is there changes nothing', () => {
    expect(withValues(name, set([foreign, '"one"']), ['one'])).toBeNull();
  });

  test('no values changes nothing', () => {
    expect(withValues(name, null, [])).toBeNull();
  });
});

describe('removing', () => {
  test('leaves the foreign value when our two leave a name that three share', () => {
    const before = set([foreign, '"one"', '"two"']);
    expect(withoutValues(before, ['one', 'two'])).toEqual({ name: before.name, before, after: set([foreign]) });
  });

  test('the last value removes the set', () => {
    const before = set(['"one"']);
    expect(withoutValues(before, ['one', 'two'])).toEqual({ name: before.name, before, after: null });
  });

  test.each([
    ['a set that is not there', null],
    ['a set of others', set([foreign])],
    ['a value that only begins like ours', set(['"one more"'])],
    ['a value of several strings that joined are ours', set(['"o" "ne"'])],
  ])('from %s changes nothing', (_, before) => {
    expect(withoutValues(before, ['one'])).toBeNull();
  });
});

test('removing what was added gives back exactly what was there', () => {
  const value = fc.stringMatching(/^[A-Za-z0-9_-]{1,43}$/);
  const others = fc.uniqueArray(fc.stringMatching(/^"foreign .{0,20}"$/), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(others, fc.uniqueArray(value, { minLength: 1, maxLength: 4 }), fc.nat(), (values, ours, ttl) => {
      const before = set(values, ttl);
      expect(withoutValues(withValues(name, before, ours), ours)?.after).toEqual(before);
    }),
  );
});

describe('the same set', () => {
  test.each([
    ['nothing and nothing', null, null, true],
    ['nothing and something', null, set(['"one"']), false],
    ['another order', set(['"one"', '"two"']), set(['"two"', '"one"']), true],
    ['another TTL', set(['"one"'], 60), set(['"one"'], 61), false],
    ['a value more', set(['"one"']), set(['"one"', '"two"']), false],
    ['other escapes of the same text', set(['"\\101"']), set(['"A"']), false],
    ['another kind', set(['"one"']), { ...set(['"one"']), unsuitable: 'weighted' }, false],
  ])('%s', (_, a, b, same) => {
    expect(sameSet(a, b)).toBe(same);
    expect(sameSet(b, a)).toBe(same);
  });
});

test('values go by zone and name, equal ones once', () => {
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

test('values take the role that their zone has now, whatever they had', () => {
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
  /** A change of so many values of so many characters each, quotes included. */
  function change(values: number, characters: number, { existing = false } = {}): RecordSetChange {
    const after = set(Array.from({ length: values }, () => 'x'.repeat(characters)));
    return { name, before: existing ? after : null, after };
  }
  const sizes = (changes: readonly RecordSetChange[]) => batches(changes).map(({ length }) => length);

  test.each([
    ['nothing', [], []],
    ['a hundred names of one value', Array.from({ length: 100 }, () => change(1, 45)), [100]],
    ['1,000 values', Array.from({ length: 1000 }, () => change(1, 10)), [1000]],
    ['1,001 values', Array.from({ length: 1001 }, () => change(1, 10)), [1000, 1]],
    [
      'values that are deleted and created count twice',
      Array.from({ length: 501 }, () => change(1, 10, { existing: true })),
      [500, 1],
    ],
    ['32,000 characters', [change(160, 100), change(160, 100)], [2]],
    ['32,001 characters', [change(160, 100), change(159, 100), change(1, 101)], [2, 1]],
    ['a set too large for any batch alone', [change(1, 10), change(400, 100), change(1, 10)], [1, 1, 1]],
  ])('%s', (_, changes, expected) => {
    expect(sizes(changes)).toEqual(expected);
    expect(batches(changes).flat()).toEqual(changes);
  });
});
