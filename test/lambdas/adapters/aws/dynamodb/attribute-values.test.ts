import { expect, test } from 'vitest';
import { fromAttribute, toAttribute } from '../../../../../lambdas/adapters/aws/dynamodb/attribute-values.ts';

test('a JSON value is the same after it was written and read', () => {
  const value = { text: 'a', none: null, count: 2, yes: true, list: ['x', { y: 1 }], empty: {}, nothing: [] };
  expect(fromAttribute(toAttribute(value))).toEqual(value);
});

test('a map is readable in the console', () => {
  expect(toAttribute({ keyType: 'P-256', profile: null })).toEqual({
    M: { keyType: { S: 'P-256' }, profile: { NULL: true } },
  });
});

test('a missing attribute is null', () => {
  expect(fromAttribute(undefined)).toBeNull();
});

test('rejects a value that JSON does not have, and an attribute type that the ledger never writes', () => {
  expect(() => toAttribute(undefined)).toThrow('undefined');
  expect(() => fromAttribute({ B: new Uint8Array([1]) })).toThrow(/attribute.* B\b/);
});
