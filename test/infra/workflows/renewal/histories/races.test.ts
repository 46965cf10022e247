import { expect, test } from 'vitest';
import { begin, beginnings, faults, type Plan, selected, violations } from './plans.ts';

/** Returns a generator of numbers from 0 to below 1 that are the same for the same seed. Knuth, MMIX */
function randomFrom(seed: number): () => number {
  let state = BigInt(seed + 1);
  return () => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % 2n ** 64n;
    return Number(state >> 32n) / 2 ** 32;
  };
}

/** Lets the other executions run for a random number of turns. */
async function turns(random: () => number): Promise<void> {
  for (let left = Math.floor(random() * 300); left > 0; left--) await Promise.resolve();
}

const plans: Plan[] = Array.from({ length: 100 }, (_, seed) => {
  const beginning = beginnings[seed % 2] ?? 'renewal';
  const fault = [undefined, ...Object.entries(faults)][seed % 4];
  return {
    name: `ten executions at the same time, ${beginning}, seed ${seed}${fault ? `, one call ${fault[0]}` : ''}`,
    run: async () => {
      const history = await begin(beginning);
      const { calls } = history.world;
      const random = randomFrom(seed);
      calls.before = () => turns(random);
      if (fault) calls.disturb(calls.made.length + 1 + Math.floor(random() * 100), fault[1]('ledger'));
      await Promise.all(Array.from({ length: 10 }, () => history.renewal()));
      await history.settle();
      return history;
    },
  };
});
const chosen = selected(plans);

test(`every invariant holds in ${chosen.length} races of ten executions`, async () => {
  expect(await violations(chosen)).toEqual([]);
}, 600_000);
