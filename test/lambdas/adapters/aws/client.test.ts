import { expect, test } from 'vitest';
import { keptWarm } from '../../../../lambdas/adapters/aws/client.ts';

test('a client is made at its first use, once', () => {
  let made = 0;
  const client = keptWarm(() => ({ number: ++made }));
  expect(made).toBe(0);
  expect(client()).toBe(client());
  expect(made).toBe(1);
});
