import { describe, expect, test } from 'vitest';
import { CaUnavailableError, MalformedError } from '../../../../lambdas/domain/contract/errors.ts';
import { emptyRecord } from '../../../../lambdas/domain/rules/renewal/ledger-record.ts';
import { deniedError } from '../../../fakes/aws-errors.ts';
import { Killed } from '../../../fakes/recorder.ts';
import { execution, otherExecution, specWith } from '../../../fakes/specs.ts';
import type { World } from '../../../fakes/world.ts';
import { synthesize } from '../../synthesized.ts';
import { loopTransitions, statesOf } from '../graph.ts';
import { definition, type Ended, type StateMachine } from '../state-machine.ts';
import { renew, request, spec, workflow, world } from './renewal-in-memory.ts';

/** The renewal workflow with the real steps, on a clock that only its waits advance, in worlds in which something never succeeds. */

type Options = Partial<Parameters<typeof renew>[1]>;
/** Prepares a world in which `www` is renewed. */
type Scenario = (w: World) => Options | Promise<Options>;

const down = new CaUnavailableError({ what: 'It never works.' });
const failing =
  (step: string): Scenario =>
  () => ({ failing: { [step]: down } });

/** After a first renewal that succeeded. */
const issued =
  (then: Scenario): Scenario =>
  async (w) => {
    await renew(w, { input: request, arn: otherExecution });
    w.executions.setStatus(otherExecution, 'ended');
    return then(w);
  };

/** After an execution that stopped with an order half proven. */
const interrupted =
  (then: Scenario): Scenario =>
  async (w) => {
    const stopped = { respondToChallenges: new Killed('stopped') };
    await expect(renew(w, { input: request, arn: otherExecution, failing: stopped })).rejects.toThrow(Killed);
    w.executions.setStatus(otherExecution, 'ended');
    return then(w);
  };

const scenarios: Readonly<Record<string, Scenario>> = {
  'the CA never validates': (w) => {
    w.ca.validation = 'later';
    return {};
  },
  'the CA never issues': (w) => {
    w.ca.issuance = 'later';
    return {};
  },
  'a change is never INSYNC': (w) => {
    w.hostedZones.propagation = 'later';
    return {};
  },
  'an endpoint never serves': (w) => {
    w.tlsEndpoints.serve('www.example.com:443', 'ff');
    return {};
  },
  'another execution never releases the set lease': (w) => {
    w.ledger.putSetLease(spec.setHash, { execution: otherExecution, since: w.clock.now().toISOString() });
    return {};
  },
  'leftover TXT values are never removed': (w) => {
    const value = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left' };
    w.ledger.put('www', { leftovers: [value] });
    w.hostedZones.put('Z1', value.name, ['"left"']);
    return { failing: { cleanUpChallenges: down } };
  },
  'the CA lost the saved order': interrupted((w) => {
    w.ca.order = async () => {
      throw new MalformedError({ what: 'No such order.' });
    };
    return {};
  }),
  'every read of the saved order fails': interrupted(failing('checkOrder')),
  'every check of the zones of the saved order fails': interrupted(failing('checkZones')),
  'every name is proven already, and finalizing fails': (w) => {
    for (const identifier of spec.identifiers) w.ca.alreadyValid.add(identifier);
    return { failing: { finalizeOrder: down } };
  },
  'every check fails': failing('checkRenewal'),
  'every check of the zones fails': failing('checkZones'),
  'every new order fails': failing('newOrder'),
  'every store fails': failing('storeCertificate'),
  'every import fails': failing('importCertificate'),
  'every record of a success fails': failing('recordSuccess'),
  'every import after a new region fails': issued((w) => {
    w.acm.addRegion('eu-west-1');
    return { configured: specWith({ ...spec, regions: ['eu-west-1'] }), failing: { importCertificate: down } };
  }),
  'every read of a certificate that the ledger lost fails': issued((w) => {
    w.ledger.put('www', emptyRecord);
    return { failing: { readCertificate: down } };
  }),
  'every record of a certificate that the ledger lost fails': issued((w) => {
    w.ledger.put('www', emptyRecord);
    return { failing: { recordSuccess: down } };
  }),
  'every change of the readers fails': issued(() => ({
    configured: specWith({ ...spec, readers: ['arn:aws:iam::444455556666:role/web'] }),
    failing: { shareSecret: down },
  })),
  'IAM denies an order to a deployment': () => ({
    input: { ...request, deploy: true },
    failing: { newOrder: deniedError('The role may not do this yet.') },
  }),
  'every change of the tags fails': issued(() => ({
    failing: { shareSecret: down },
    tags: { team: 'web' },
  })),
  'every record of changed readers fails': issued(() => ({
    configured: specWith({ ...spec, readers: ['arn:aws:iam::444455556666:role/web'] }),
    failing: { recordSuccess: down },
  })),
};

const ends = new Map<Scenario, Promise<Ended>>();

/** Runs each scenario once, whichever test asks first. */
function endOf(scenario: Scenario): Promise<Ended> {
  const run = async () => {
    const w = world();
    const options = await scenario(w);
    return renew(w, { input: request, arn: execution, retries: true, ...options });
  };
  const end = ends.get(scenario) ?? run();
  ends.set(scenario, end);
  return end;
}

describe('a renewal ends although', () => {
  // The interpreter gives up after 10,000 states. Four attempts wait two hours each for the same names.
  test.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    const { status, waited } = await endOf(scenario);
    expect(status).toMatch(/^(SUCCEEDED|FAILED)$/);
    expect(waited).toBeLessThan(12 * 3600);
  });

  test('it takes any transition that lies on a loop', async () => {
    const ended = await Promise.all(Object.values(scenarios).map(endOf));
    const taken = new Set(ended.flatMap(({ transitions }) => [...transitions]));
    // A Map whose items catch every error fails only when AWS fails it.
    const maps = statesOf(workflow).filter(([, { ItemProcessor }]) => ItemProcessor && catchesAll(ItemProcessor));
    const byAws = maps.flatMap(([from, { Catch = [] }]) => Catch.map(({ Next }) => `${from} > ${Next}`));
    const onLoops = loopTransitions(workflow).filter((each) => !byAws.includes(each));
    expect(onLoops.length).toBeGreaterThan(50);
    expect(onLoops.filter((each) => !taken.has(each))).toEqual([]);
  });
});

test('the accounts workflow has no loop', () => {
  expect(loopTransitions(definition('-accounts', synthesize()))).toEqual([]);
});

const catchesAll = (machine: StateMachine): boolean =>
  Object.values(machine.States).every(
    ({ Type, Catch = [] }) => Type !== 'Task' || Catch.some(({ ErrorEquals }) => ErrorEquals.includes('States.ALL')),
  );
