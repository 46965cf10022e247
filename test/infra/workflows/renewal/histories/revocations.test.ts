import { expect, test } from 'vitest';
import { emptyRecord } from '../../../../../lambdas/domain/rules/renewal/ledger-record.ts';
import { issuer, specWith } from '../../../../fakes/specs.ts';
import { spec } from '../renewal-in-memory.ts';
import type { History } from './history.ts';
import { begin, type Plan, selected, violations } from './plans.ts';

const reusing = specWith({ ...spec, reuseKey: true });
const force = { certificate: 'www', force: true };

/** Returns a history with a stored certificate. The issue cap allows the replacement and one more certificate. */
async function stored(configured = reusing): Promise<History> {
  const history = await begin('renewal', configured);
  history.allowedIssues = 4;
  return history;
}

async function countCalls(
  act: (history: History) => Promise<unknown>,
  configured = reusing,
): Promise<readonly string[]> {
  const history = await stored(configured);
  const before = history.world.calls.made.length;
  await act(history);
  return history.world.calls.names().slice(before);
}

const plans: Plan[] = [];
for (const [keys, configured] of [
  ['a reused key', reusing],
  ['a new key', spec],
] as const) {
  const renewal = await countCalls((history) => history.renewal(force), configured);
  for (const [index, call] of renewal.entries()) {
    const where = `a revocation before call ${index + 1} (${call}) of a renewal with ${keys}`;
    // The renewal stalls until the revocation has ended, which revokes without the lease after ten minutes.
    plans.push({
      name: `${where}, which stalls`,
      run: async () => {
        const history = await stored(configured);
        const act = () => history.revocation();
        history.world.calls.disturb(history.world.calls.made.length + index + 1, { kind: 'meanwhile', act });
        await history.renewal(force);
        await history.settle();
        return history;
      },
    });
    plans.push({
      name: `${where}, which continues`,
      run: async () => {
        const history = await stored(configured);
        let revoking: Promise<unknown> = Promise.resolve();
        const act = () => {
          revoking = history.revocation();
        };
        history.world.calls.disturb(history.world.calls.made.length + index + 1, { kind: 'meanwhile', act });
        await history.renewal(force);
        await revoking;
        await history.settle();
        return history;
      },
    });
    for (const issuance of ['at once', 'after two minutes'] as const)
      plans.push({
        name: `${where}, which stops there, at a CA that issues ${issuance}`,
        run: async () => {
          const history = await stored(configured);
          history.world.ca.issuance = issuance;
          history.world.calls.killAfter(index + 1);
          const { arn } = await history.renewal(force);
          history.world.calls.restart();
          await history.revocation();
          await history.restart(arn);
          await history.settle();
          return history;
        },
      });
  }
}

const revocation = await countCalls((history) => history.revocation());
for (const [index, call] of revocation.entries()) {
  plans.push({
    name: `a revocation that stops after call ${index + 1} (${call}) and is started again`,
    run: async () => {
      const history = await stored();
      history.world.calls.killAfter(index + 1);
      await history.revocation();
      history.world.calls.restart();
      await history.revocation();
      await history.settle();
      return history;
    },
  });
}

/** Reasons for which the order of an execution that stopped is dropped. The CA may have issued its certificate. */
const drops: Readonly<Record<string, (history: History) => unknown>> = {
  'another profile is configured': (history) => {
    history.configured = specWith({ ...reusing, profile: 'tlsserver' });
  },
  'another issuer is configured, whose account is new': (history) => {
    const other = { ...issuer, name: 'other-ca', directoryUrl: 'https://other.test/directory' };
    history.configured = specWith({ ...reusing, issuer: other, issuers: [other, issuer] });
  },
  'the ledger item is lost': ({ world }) => world.ledger.put('www', emptyRecord),
  'eight days pass, so that the order has expired': ({ world: { clock } }) => clock.advance(8 * 86_400_000),
};
const renewal = await countCalls((history) => history.renewal(force));
for (const [drop, apply] of Object.entries(drops)) {
  for (const [index, call] of renewal.entries()) {
    if (index < renewal.indexOf('ca.finalize')) continue;
    plans.push({
      name: `a revocation after the execution stopped after call ${index + 1} (${call}), and ${drop}`,
      run: async () => {
        const history = await stored();
        history.world.calls.killAfter(index + 1);
        const { arn } = await history.renewal(force);
        history.mayLeaveValues = true;
        await apply(history);
        await history.restart(arn);
        await history.settle();
        await history.revocation();
        await history.settle();
        return history;
      },
    });
  }
}

plans.push({
  name: 'an operator makes an older version with the compromised key current again',
  run: async () => {
    const history = await stored();
    await history.renewal(force);
    const [older = ''] = history.currents;
    await history.revocation();
    history.operatorMakesCurrent(older);
    await history.renewal();
    await history.settle();
    return history;
  },
});
const chosen = selected(plans);

test(`every invariant holds in ${chosen.length} histories with a revocation for a compromised key`, async () => {
  expect(await violations(chosen)).toEqual([]);
}, 600_000);
