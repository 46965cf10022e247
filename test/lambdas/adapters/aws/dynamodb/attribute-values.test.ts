import { expect, test } from 'vitest';
import { fromAttribute, toAttribute } from '../../../../../lambdas/adapters/aws/dynamodb/attribute-values.ts';

test('a JSON value comes back as it was', () => {
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

test('what JSON does not know is refused, and so is an attribute that we never write', () => {
  expect(() => toAttribute(undefined)).toThrow('A undefined cannot be kept in the ledger');
  expect(() => fromAttribute({ B: new Uint8Array([1]) })).toThrow('an attribute of a kind that it never writes: B');
});
