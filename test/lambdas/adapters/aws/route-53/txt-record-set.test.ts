import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { describe, expect, test } from 'vitest';
import { isSameName, txtRecordSetOf } from '../../../../../lambdas/adapters/aws/route-53/txt-record-set.ts';

const name = '_acme-challenge.example.com.';
const plain: ResourceRecordSet = {
  Name: name,
  Type: 'TXT',
  TTL: 60,
  ResourceRecords: [{ Value: '"one"' }, { Value: '"t" "wo"' }],
};
const read = { name, ttl: 60, values: ['"one"', '"t" "wo"'], unsuitable: null };

describe('the TXT set of a name', () => {
  test('is null if the name has no sets, or only sets of other types', () => {
    expect(txtRecordSetOf([])).toBeNull();
    expect(txtRecordSetOf([{ ...plain, Type: 'A' }])).toBeNull();
  });

  test('is found among sets of other types, with unchanged values', () => {
    expect(txtRecordSetOf([{ ...plain, Type: 'A' }, { ...plain, Type: 'MX' }, plain])).toEqual(read);
  });

  test.each<[string, Partial<ResourceRecordSet>, RegExp]>([
    ['a CNAME', { Type: 'CNAME', ResourceRecords: [{ Value: 'x.example.net' }] }, /CNAME to x\.example\.net/],
    [
      'an alias',
      { AliasTarget: { HostedZoneId: 'Z1', DNSName: 'y.example.net.', EvaluateTargetHealth: false } },
      /alias .*y\.example\.net\./,
    ],
    ['a routing policy', { SetIdentifier: 'blue', Weight: 1 }, /routing policy .*blue/],
    ['a traffic policy', { TrafficPolicyInstanceId: 't1' }, /traffic policy/],
    ['a delegation', { Type: 'NS' }, /delegated/],
  ])('is reported as unsuitable: %s', (_, fields, unsuitable) => {
    expect(txtRecordSetOf([{ ...plain, ResourceRecords: [], ...fields }])).toMatchObject({
      unsuitable: expect.stringMatching(unsuitable),
    });
  });

  test("is not affected by the zone's own NS set", () => {
    expect(txtRecordSetOf([{ ...plain, Type: 'NS' }, { ...plain, Type: 'SOA' }, plain])).toEqual(read);
  });

  test('at a delegated name keeps its values, so that they can be removed, and is reported as unsuitable', () => {
    expect(txtRecordSetOf([{ ...plain, Type: 'NS', ResourceRecords: [{ Value: 'ns.other.test.' }] }, plain])).toEqual({
      ...read,
      unsuitable: expect.stringContaining('delegated'),
    });
  });
});

test.each([
  ['a trailing dot', 'example.com.', 'example.com', true],
  ['upper case', 'Example.COM', 'example.com.', true],
  ['an escaped star', '\\052.example.com.', '*.example.com', true],
  ['a longer name', 'example.com.au.', 'example.com', false],
  ['no name', undefined, 'example.com', false],
])('a name with %s is compared as in DNS', (_, one, other, same) => {
  expect(isSameName(one, other)).toBe(same);
  expect(isSameName(other, one)).toBe(same);
});
