import { expect, test } from 'vitest';
import { concurrencyLimit } from '../../../../lambdas/domain/rules/concurrency-limit.ts';

/** Work that ends when the test says so. */
function pieces(count: number) {
  const started: number[] = [];
  const ends = Array.from({ length: count }, () => Promise.withResolvers<void>());
  const limited = concurrencyLimit(2);
  const results = ends.map(({ promise }, index) =>
    limited(async () => {
      started.push(index);
      await promise;
      return index;
    }),
  );
  const end = async (index: number, error?: Error) => {
    if (error) ends[index]?.reject(error);
    else ends[index]?.resolve();
    await results[index]?.catch(() => undefined);
  };
  return { started, results, end };
}

test('runs two pieces at once, and starts the others in order as soon as one ends', async () => {
  const { started, results, end } = pieces(4);
  expect(started).toEqual([0, 1]);
  await end(1);
  expect(started).toEqual([0, 1, 2]);
  await end(0);
  expect(started).toEqual([0, 1, 2, 3]);
  await end(2);
  await end(3);
  expect(await Promise.all(results)).toEqual([0, 1, 2, 3]);
});

test('starts the next piece after one that failed, and reports the error to its caller only', async () => {
  const { started, results, end } = pieces(3);
  await end(0, new Error('It failed.'));
  expect(started).toEqual([0, 1, 2]);
  await end(1);
  await end(2);
  await expect(results[0]).rejects.toThrow('It failed.');
  expect(await Promise.all(results.slice(1))).toEqual([1, 2]);
});

test('starts work at once again after all pieces have ended', async () => {
  const limited = concurrencyLimit(1);
  await Promise.all([limited(async () => 'first'), limited(async () => 'second')]);
  let started = false;
  const third = limited(async () => {
    started = true;
  });
  expect(started).toBe(true);
  await third;
});
