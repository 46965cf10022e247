import { expect, test } from 'vitest';
import { keptWarm } from '../../../../lambdas/adapters/aws/client.ts';

test('a client is created once, at its first use', () => {
  let count = 0;
  const client = keptWarm(() => ({ number: ++count }));
  expect(count).toBe(0);
  expect(client()).toBe(client());
  expect(count).toBe(1);
});
