import { expect, test } from 'vitest';
import { begin, beginnings, callsOf, deliveries, faults, type Plan, selected, violations } from './plans.ts';

const plans: Plan[] = [];
for (const beginning of beginnings) {
  for (const [delivery, configured] of Object.entries(deliveries)) {
    const { before, names } = await callsOf(beginning, configured);
    for (const [index, call] of names.entries()) {
      const where = `${beginning} ${delivery}, call ${index + 1} (${call})`;
      plans.push({
        name: `${where}, after which the execution stops`,
        run: async () => {
          const history = await begin(beginning, configured);
          history.world.calls.killAfter(index + 1);
          const { arn } = await history.renewal();
          await history.restart(arn);
          await history.settle();
          return history;
        },
      });
      plans.push({
        name: `${where}, after which the function is killed`,
        run: async () => {
          const history = await begin(beginning, configured);
          history.world.calls.killAfter(index + 1);
          await history.renewal({ certificate: 'www' }, { afterKill: 'continues' });
          await history.settle();
          return history;
        },
      });
      for (const [fault, scriptFor] of Object.entries(faults)) {
        plans.push({
          name: `${where}, which ${fault}`,
          run: async () => {
            const history = await begin(beginning, configured);
            history.world.calls.disturb(before + index + 1, scriptFor(call));
            await history.renewal();
            await history.settle();
            return history;
          },
        });
      }
    }
  }
}
const chosen = selected(plans);

test(`every invariant holds in ${chosen.length} histories with one fault at any call`, async () => {
  expect(await violations(chosen)).toEqual([]);
}, 600_000);
