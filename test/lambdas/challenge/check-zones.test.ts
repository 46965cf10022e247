import { expect, test } from 'vitest';
import { checkZones } from '../../../lambdas/challenge/check-zones.ts';
import type { CertificateSpec } from '../../../lambdas/rules/contract.ts';
import { ZoneNotFoundError } from '../../../lambdas/rules/errors.ts';
import { issuer, run, specWith } from '../../fakes/specs.ts';

const check = (spec: CertificateSpec) => checkZones({ ...run, spec });

const zones = [
  { id: 'Z1', name: 'example.com' },
  { id: 'Z2', name: 'dev.example.com' },
];

test('each identifier goes to the closest zone; an apex and its wildcard share a record', async () => {
  const spec = specWith({
    identifiers: ['*.example.com', 'a.b.dev.example.com', 'example.com'],
    hostedZones: zones,
  });
  const output = await check(spec);
  expect(output).toEqual({
    challengeRecords: [
      { identifier: '*.example.com', hostedZoneId: 'Z1', name: '_acme-challenge.example.com' },
      { identifier: 'a.b.dev.example.com', hostedZoneId: 'Z2', name: '_acme-challenge.a.b.dev.example.com' },
      { identifier: 'example.com', hostedZoneId: 'Z1', name: '_acme-challenge.example.com' },
    ],
  });
  expect(await check(spec)).toEqual(output);
});

test('an identifier without a zone fails before an order exists, with its name', async () => {
  const spec = specWith({ identifiers: ['example.com', 'myexample.com'], hostedZones: zones });
  await expect(check(spec)).rejects.toThrow(ZoneNotFoundError);
  await expect(check(spec)).rejects.toThrow(/^myexample\.com of certificate www/);
});

test('a CA that wants no proof needs no zone', async () => {
  const spec = specWith({ identifiers: ['example.org'], hostedZones: [], issuer: { ...issuer, challenges: 'none' } });
  expect(await check(spec)).toEqual({ challengeRecords: [] });
});
