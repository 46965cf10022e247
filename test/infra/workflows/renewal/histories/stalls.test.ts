import { expect, test } from 'vitest';
import { begin, callsOf, nextRenewal, type Plan, selected, violations } from './plans.ts';

const { names } = await callsOf('renewal');
const plans: Plan[] = names.map((call, index) => ({
  name: `the function stalls before call ${index + 1} (${call}) until another version is current`,
  run: async () => {
    const history = await begin('renewal');
    history.allowedIssues += 1;
    await history.stalledRenewal(index + 1);
    await history.settle();
    if (!call.startsWith('hostedZones.')) return history;
    // No ledger item lists the values that the function has written. The next proof of control reports them.
    history.mayLeaveValues = true;
    await nextRenewal(history);
    return history;
  },
}));
const chosen = selected(plans);

test(`every invariant holds in ${chosen.length} histories in which a function continues after its execution was replaced`, async () => {
  expect(await violations(chosen)).toEqual([]);
}, 600_000);
