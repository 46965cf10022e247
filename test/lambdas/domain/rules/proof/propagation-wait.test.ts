import { expect, test } from 'vitest';
import { propagationWaits } from '../../../../../lambdas/domain/rules/proof/propagation-wait.ts';

test('the first checks are close together, and all waits take five minutes', () => {
  expect(propagationWaits.slice(0, 5)).toEqual([1, 5, 10, 15, 15]);
  const total = propagationWaits.reduce((sum, wait) => sum + wait, 0);
  expect(total).toBeGreaterThanOrEqual(300);
  expect(total - (propagationWaits.at(-1) ?? 0)).toBeLessThan(300);
});
