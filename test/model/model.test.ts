import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ofType, synthesize } from '../infra/synthesized.ts';
import { memory } from './prices.ts';
import { type ModelResults, modelResults, modelTable } from './table.ts';

let results: ModelResults;
beforeAll(async () => {
  results = await modelResults();
}, 900_000);

describe('by the published quotas of AWS and the CA', () => {
  test('1,000 certificates that are due at once are renewed in 30 minutes, with 20 functions at once and no failure event', () => {
    const { due } = results;
    expect(due).toMatchObject({ renewed: 1000, failed: 0, failureEvents: 0, refusedOrders: 0 });
    expect(due.minutes).toBeLessThanOrEqual(30);
    expect(due.functions).toBeLessThanOrEqual(20);
  });

  test('10,000 revoked certificates are detected by ARI and replaced in 24 hours without a failure', () => {
    const { revoked } = results;
    expect(revoked).toMatchObject({ renewed: 10_000, failed: 0, failureEvents: 0, refusedOrders: 0 });
    expect(revoked.detectedHours).toBeGreaterThan(0);
    expect(revoked.replacedHours).toBeLessThanOrEqual(24);
    expect(revoked.functions).toBeLessThanOrEqual(20);
  });

  test('250 new certificates are issued in an account that may run ten functions, without a failure and within the limit of the CA on orders', () => {
    expect(results.fresh).toMatchObject({ renewed: 250, failed: 0, failureEvents: 0, refusedOrders: 0 });
    expect(results.fresh.functions).toBeLessThanOrEqual(10);
  });

  test('Route 53 throttles no call at the pace, and most calls of renewals that start without a pace', () => {
    const { due, revoked, fresh, unpaced } = results;
    expect([due, revoked, fresh].map(({ throttled }) => throttled)).toEqual([0, 0, 0]);
    expect(unpaced.throttled).toBeGreaterThan(unpaced.route53Calls / 2);
  });

  test('a CA that asks to wait during an outage of two hours gets 60 requests from 1,000 due certificates, which are renewed within an hour after it', () => {
    const { renewed, requests, hours } = results.outage;
    expect(renewed).toBe(1000);
    expect(requests).toBeLessThanOrEqual(60);
    expect(hours).toBeLessThanOrEqual(1);
  });

  test('a fleet run over 100,000 certificates without anything due stays within its budgets', () => {
    const { selectionSeconds, selectionDollars, refreshMinutes, comparisonDollars } = results.idle;
    expect(selectionSeconds).toBeLessThanOrEqual(60);
    expect(selectionDollars).toBeLessThanOrEqual(0.01);
    expect(refreshMinutes).toBeLessThanOrEqual(20);
    expect(comparisonDollars).toBeLessThanOrEqual(0.15);
  });
});

test('the costs are those of the memory that the function of the fleet has', () => {
  const { resources } = synthesize();
  const sizes = ofType(resources, 'AWS::Lambda::Function')
    .filter(([id]) => id.includes('Fleet'))
    .map(([, { Properties }]) => Number(Properties.MemorySize));
  expect(sizes.length).toBeGreaterThan(0);
  for (const size of sizes) expect(size).toBeLessThanOrEqual(1024 * memory);
});

test('the table in the documentation is the one that the model prints', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/scale.md'), 'utf8');
  expect(page).toContain(`\n${modelTable(results)}\n`);
});
