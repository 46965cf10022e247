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
  test('is null where there is no set, and where there are sets of other types', () => {
    expect(txtRecordSetOf([])).toBeNull();
    expect(txtRecordSetOf([{ ...plain, Type: 'A' }])).toBeNull();
  });

  test('is found among sets of other types, to the byte', () => {
    expect(txtRecordSetOf([{ ...plain, Type: 'A' }, { ...plain, Type: 'MX' }, plain])).toEqual(read);
  });

  test.each<[string, Partial<ResourceRecordSet>, string]>([
    [
      'a CNAME',
      { Type: 'CNAME', ResourceRecords: [{ Value: 'x.example.net' }] },
      'a CNAME to x.example.net is at that name',
    ],
    [
      'an alias',
      { AliasTarget: { HostedZoneId: 'Z1', DNSName: 'y.example.net.', EvaluateTargetHealth: false } },
      'the TXT set there is an alias of y.example.net.',
    ],
    [
      'a routing policy',
      { SetIdentifier: 'blue', Weight: 1 },
      'the TXT set there has a routing policy (set identifier blue)',
    ],
    ['a traffic policy', { TrafficPolicyInstanceId: 't1' }, 'a traffic policy makes the TXT set there'],
    ['a delegation', { Type: 'NS' }, 'the name is delegated to other name servers'],
  ])('names what is not suitable: %s', (_, fields, unsuitable) => {
    expect(txtRecordSetOf([{ ...plain, ResourceRecords: [], ...fields }])).toMatchObject({ unsuitable });
  });

  test("is not hindered by the zone's own NS set", () => {
    expect(txtRecordSetOf([{ ...plain, Type: 'NS' }, { ...plain, Type: 'SOA' }, plain])).toEqual(read);
  });

  test('keeps the values beside a delegation, so that they can be removed, and takes none', () => {
    expect(txtRecordSetOf([{ ...plain, Type: 'NS', ResourceRecords: [{ Value: 'ns.other.test.' }] }, plain])).toEqual({
      ...read,
      unsuitable: 'the name is delegated to other name servers',
    });
  });
});

test.each([
  ['a trailing dot', 'example.com.', 'example.com', true],
  ['upper case', 'Example.COM', 'example.com.', true],
  ['an escaped star', '\\052.example.com.', '*.example.com', true],
  ['a longer name', 'example.com.au.', 'example.com', false],
  ['no name', undefined, 'example.com', false],
])('a name with %s is compared as DNS does', (_, one, other, same) => {
  expect(isSameName(one, other)).toBe(same);
  expect(isSameName(other, one)).toBe(same);
});
