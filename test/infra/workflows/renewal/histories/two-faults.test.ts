import { expect, test } from 'vitest';
import { begin, callsOf, faults, type Plan, selected, violations } from './plans.ts';

/** Returns how many calls the restart makes after the first execution has stopped after this call. */
async function callsOfRestart(first: number): Promise<number> {
  const history = await begin('first certificate');
  history.world.calls.killAfter(first);
  const { arn } = await history.renewal();
  const before = history.world.calls.made.length;
  await history.restart(arn);
  return history.world.calls.made.length - before;
}

const plans: Plan[] = [];
const { names } = await callsOf('first certificate');
for (let first = 1; first <= names.length; first++) {
  const calls = await callsOfRestart(first);
  // Every second call, because the calls of a step often come in pairs of a read and a write.
  for (let second = 1 + (first % 2); second <= calls; second += 2) {
    const where = `the execution stops after call ${first} (${names[first - 1]})`;
    plans.push({
      name: `${where}, and its restart after call ${second}`,
      run: async () => {
        const history = await begin('first certificate');
        history.world.calls.killAfter(first);
        const { arn } = await history.renewal();
        history.world.calls.killAfter(second);
        await history.renewal({ restartOf: arn });
        await history.settle();
        return history;
      },
    });
  }
  for (const [fault, scriptFor] of Object.entries(faults)) {
    const second = 1 + ((first * 7) % calls);
    plans.push({
      name: `the execution stops after call ${first} (${names[first - 1]}), and call ${second} of its restart ${fault}`,
      run: async () => {
        const history = await begin('first certificate');
        history.world.calls.killAfter(first);
        const { arn } = await history.renewal();
        history.world.calls.disturb(history.world.calls.made.length + second, scriptFor('ledger'));
        await history.restart(arn);
        await history.settle();
        return history;
      },
    });
  }
}
const chosen = selected(plans);

test(`every invariant holds in ${chosen.length} histories with a second fault in the restart after the first`, async () => {
  expect(await violations(chosen)).toEqual([]);
}, 600_000);
