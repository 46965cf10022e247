import { expect, test } from 'vitest';
import { MalformedError } from '../../../../../lambdas/domain/contract/errors.ts';
import { dueCleanUp } from '../../../../../lambdas/domain/rules/renewal/fleet.ts';
import { emptyRecord } from '../../../../../lambdas/domain/rules/renewal/ledger-record.ts';
import { FakeCa } from '../../../../fakes/certificate-authority.ts';
import { issuer, specWith } from '../../../../fakes/specs.ts';
import { spec } from '../renewal-in-memory.ts';
import type { History } from './history.ts';
import { otherWriter } from './invariants.ts';
import { begin, callsOf, nextRenewal, type Plan, selected, violations } from './plans.ts';

const day = 86_400_000;

/** Changes the world. A returned function is called after the restart and the fleet runs. */
type Change = (history: History) => unknown;

/** What changes between the end of an execution that stopped and its restart. */
const changes: Readonly<Record<string, Change>> = {
  'a name is added to the certificate': (history) => {
    history.configured = specWith({ ...spec, identifiers: ['*.example.com', 'example.com', 'www.example.com'] });
  },
  'a name is removed from the certificate': (history) => {
    history.configured = specWith({ ...spec, identifiers: ['example.com'] });
  },
  'another key type is configured': (history) => {
    history.configured = specWith({ ...spec, keyType: 'P-384' });
  },
  'the key is reused from now on': (history) => {
    history.configured = specWith({ ...spec, reuseKey: true });
  },
  'another profile is configured': (history) => {
    history.configured = specWith({ ...spec, profile: 'tlsserver' });
  },
  'a region is added': (history) => {
    history.world.acm.addRegion('eu-west-1');
    history.configured = specWith({ ...spec, regions: ['us-east-1', 'eu-west-1'] });
  },
  'the region is removed': (history) => {
    history.configured = specWith({ ...spec, regions: [] });
  },
  'another issuer is configured': (history) => {
    const other = { ...issuer, name: 'other-ca', directoryUrl: 'https://other.test/directory' };
    history.configured = specWith({ ...spec, issuer: other, issuers: [other] });
  },
  'the ledger item is lost': (history) => {
    history.world.ledger.put('www', emptyRecord);
    // No item lists the values any more. They may belong to another writer, so the next proof of control reports them, and they are never removed.
    history.mayLeaveValues = true;
    return () => nextRenewal(history);
  },
  'another hosted zone is configured': (history) => {
    history.world.hostedZones.addZone('Z2');
    history.world.nameServers.serve('ns.Z2.test', (name) => history.world.hostedZones.answers('Z2', name));
    history.configured = specWith({ ...spec, hostedZones: [{ id: 'Z2', name: 'example.com' }] });
    history.mayLeaveValues = true;
  },
  'the CA has forgotten all orders': ({ world: { ca } }) => {
    const before = new Set(ca.orderUrls());
    ca.order = async (url) => {
      if (before.has(url)) throw new MalformedError({ what: 'No such order.' });
      return FakeCa.prototype.order.call(ca, url);
    };
  },
  'the CA has forgotten all accounts': ({ world: { acme } }) => acme.forgetAccounts(),
  'eight days pass, so that the order has expired': ({ world: { clock } }) => clock.advance(8 * day),
  'another writer removes the TXT values': ({ world: { hostedZones } }) => {
    for (const { name, values } of hostedZones.all('Z1')) {
      hostedZones.put(
        'Z1',
        name,
        values.filter((value) => value === '"another writer"'),
      );
    }
  },
};

/**
 * A changed certificate costs a second one if the execution stopped after it was issued. So does an order that the CA has forgotten, or that the
 * ledger has lost.
 */
const mostIssues = 2;

const { names } = await callsOf('first certificate');
const plans: Plan[] = Object.entries(changes).flatMap(([change, apply]) =>
  names.map((call, index) => ({
    name: `the execution stops after call ${index + 1} (${call}), and before its restart ${change}`,
    run: async () => {
      const history = await begin('first certificate');
      history.allowedIssues = mostIssues;
      history.world.calls.killAfter(index + 1);
      const { arn } = await history.renewal();
      history.world.calls.restart();
      const afterwards: unknown = await apply(history);
      await history.restart(arn);
      await history.settle();
      if (typeof afterwards === 'function') await afterwards();
      return history;
    },
  })),
);
const chosen = selected(plans);

test(`every invariant holds in ${chosen.length} histories in which the world changes before the restart`, async () => {
  expect(await violations(chosen)).toEqual([]);
}, 600_000);

/** Returns what is left of a certificate that is not configured any more. Only executions after the first `before` ones may not fail. */
async function remains({ ends, world }: History, before: number): Promise<readonly string[]> {
  const { leftovers, lease } = world.ledger.get('www');
  const values = world.hostedZones.all('Z1').flatMap((set) => set.values);
  const statuses = [...ends.values()].slice(before).map(({ status }) => status);
  return [
    ...(leftovers.length > 0 || values.join() !== otherWriter ? ['TXT values are left'] : []),
    ...(lease !== null && (await world.executions.status(lease)) !== 'ended' ? ['its lease is locked'] : []),
    ...(statuses.some((status) => status !== 'SUCCEEDED') ? ['an execution failed'] : []),
  ];
}

test.each([
  ['its restart', (history: History, stopped: string) => history.restart(stopped)],
  [
    'a fleet run',
    (history: History) =>
      dueCleanUp('www', history.world.ledger.get('www'), { run: 'run', checkInterval: 21_600 })
        ? history.renewal()
        : null,
  ],
])(
  'a certificate that leaves the configuration after any call leaves no TXT value and no lease after %s',
  async (_, act) => {
    const found: string[] = [];
    for (const [index, call] of names.entries()) {
      const history = await begin('first certificate');
      history.world.calls.killAfter(index + 1);
      const { arn } = await history.renewal();
      history.world.calls.restart();
      history.configured = specWith({ ...spec, name: 'other' });
      const before = history.ends.size;
      await act(history, arn);
      const left = await remains(history, before);
      if (left.length > 0) found.push(`the execution stops after call ${index + 1} (${call}): ${left.join('; ')}`);
    }
    expect(found).toEqual([]);
  },
);
