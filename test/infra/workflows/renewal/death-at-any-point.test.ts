import { describe, expect, test } from 'vitest';
import { finalizeOrder } from '../../../../lambdas/certificate/finalize-order.ts';
import { readCertificate } from '../../../../lambdas/certificate/read-certificate.ts';
import { shareSecret } from '../../../../lambdas/certificate/share-secret.ts';
import { storeCertificate } from '../../../../lambdas/certificate/store-certificate.ts';
import { checkPropagation } from '../../../../lambdas/challenge/check-propagation.ts';
import { checkZones } from '../../../../lambdas/challenge/check-zones.ts';
import { cleanUpChallenges } from '../../../../lambdas/challenge/clean-up-challenges.ts';
import { presentChallenges } from '../../../../lambdas/challenge/present-challenges.ts';
import { checkEndpoints } from '../../../../lambdas/check/check-endpoints.ts';
import { checkRenewal } from '../../../../lambdas/check/check-renewal.ts';
import { recordFailure } from '../../../../lambdas/check/record-failure.ts';
import { recordSuccess } from '../../../../lambdas/check/record-success.ts';
import { importCertificate } from '../../../../lambdas/delivery/import-certificate.ts';
import type { CertificateSpec } from '../../../../lambdas/domain/contract/config.ts';
import { toLambdaError } from '../../../../lambdas/domain/contract/failure.ts';
import { checkOrder } from '../../../../lambdas/order/check-order.ts';
import { newOrder } from '../../../../lambdas/order/new-order.ts';
import { pollOrder } from '../../../../lambdas/order/poll-order.ts';
import { respondToChallenges } from '../../../../lambdas/order/respond-to-challenges.ts';
import { Killed } from '../../../fakes/recorder.ts';
import { configOf, execution, otherExecution, specWith } from '../../../fakes/specs.ts';
import { createWorld, type World } from '../../../fakes/world.ts';
import { synthesize } from '../../synthesized.ts';
import { definition, type Ended, run, type State, TaskError, type Tasks, thrown } from '../state-machine.ts';

/** The workflow as it is deployed, with the real steps, in a world in memory. */

const workflow = definition('-renewal', synthesize());
const endpoint = 'www.example.com:443';
const spec = specWith({
  identifiers: ['*.example.com', 'example.com'],
  regions: ['us-east-1'],
  endpoints: [endpoint],
});
const request = { certificate: 'www' };
const restart = { restartOf: execution, input: JSON.stringify(request) };
const thirdExecution = `${execution}-third`;

const steps: Readonly<Record<string, (input: never, ports: never) => Promise<unknown>>> = {
  checkRenewal,
  checkEndpoints,
  recordFailure,
  recordSuccess,
  newOrder,
  checkOrder,
  pollOrder,
  respondToChallenges,
  checkZones,
  presentChallenges,
  checkPropagation,
  cleanUpChallenges,
  finalizeOrder,
  storeCertificate,
  readCertificate,
  shareSecret,
  importCertificate,
};

function world(): World {
  const created = createWorld();
  created.hostedZones.addZone('Z1');
  created.acm.addRegion('us-east-1');
  created.nameServers.serve('ns.Z1.test', (name) => created.hostedZones.answers('Z1', name));
  created.tlsEndpoints.serveBy(endpoint, () => created.ledger.get('www').current ?? undefined);
  for (const arn of [execution, otherExecution, thirdExecution]) created.executions.tell(arn, 'live');
  return created;
}

/** `killed`: what becomes of a function that dies: the execution with it, or an error that the workflow catches. */
function renew(
  { ports }: World,
  {
    input,
    arn,
    killed,
    configured = spec,
  }: {
    readonly input: unknown;
    readonly arn: string;
    readonly killed: (error: Killed) => Error;
    readonly configured?: CertificateSpec;
  },
): Promise<Ended> {
  const all = { ...ports, config: configOf(configured) };
  const call = async ({ Payload }: Record<string, unknown>): Promise<unknown> => {
    const { step, run: who, input: given } = Payload as { step: string; run: object; input: object };
    try {
      const output = await steps[step]?.({ ...who, ...given } as never, all as never);
      return { Payload: JSON.parse(JSON.stringify(output)) as unknown };
    } catch (error) {
      if (error instanceof Killed) throw killed(error);
      const { name, message } = toLambdaError(error);
      throw thrown(name, message);
    }
  };
  const named = (states: Readonly<Record<string, State>>): string[] =>
    Object.entries(states).flatMap(([name, { Type, Branches = [], ItemProcessor }]) => [
      ...(Type === 'Task' ? [name] : []),
      ...[...Branches, ...(ItemProcessor ? [ItemProcessor] : [])].flatMap(({ States }) => named(States)),
    ]);
  const tasks: Tasks = Object.fromEntries(
    named(workflow.States).map((name) => [name, name.startsWith('Announce') ? () => ({}) : call]),
  );
  return run(workflow, { input, tasks, execution: arn });
}

const undisturbed = (error: Killed) => error;

/** How many calls of ports a renewal makes, and their names. */
async function callsOfARenewal(): Promise<string[]> {
  const w = world();
  expect(await renew(w, { input: request, arn: execution, killed: undisturbed })).toMatchObject({
    status: 'SUCCEEDED',
  });
  return w.calls.names();
}

function expectIssuedOnce(w: World, last: string): void {
  expect(w.ca.finalizedWith.size, last).toBe(1);
  expect(w.secrets.labelled('www', 'AWSCURRENT'), last).toContain('"format":1');
  expect(w.hostedZones.all('Z1'), last).toEqual([]);
  expect(w.ledger.get('www'), last).toMatchObject({ lease: null, order: null, leftovers: [] });
  const { current, deliveries, served } = w.ledger.get('www');
  expect(deliveries['us-east-1']?.versionId, last).toBe(current?.versionId);
  expect(served, last).toMatchObject({ served: true, versionId: current?.versionId });
}

describe('a renewal', () => {
  test('that is stopped after any call is finished by its restart: issued once, delivered, nothing left in DNS', async () => {
    const calls = await callsOfARenewal();
    expect(calls.length).toBeGreaterThan(30);
    for (const [index, last] of calls.entries()) {
      const w = world();
      w.calls.killAfter(index + 1);
      await expect(renew(w, { input: request, arn: execution, killed: undisturbed })).rejects.toThrow(Killed);
      w.calls.revive();
      w.executions.tell(execution, 'ended');
      const { status, cause } = await renew(w, { input: restart, arn: otherExecution, killed: undisturbed });
      expect([status, cause], last).toEqual(['SUCCEEDED', '']);
      expectIssuedOnce(w, `${index + 1}: ${last}`);
    }
  }, 60_000);

  test('whose function dies after any call goes on by itself, and the next run takes away what that left', async () => {
    const calls = await callsOfARenewal();
    for (const [index, last] of calls.entries()) {
      const w = world();
      w.calls.killAfter(index + 1);
      const revived = () => {
        w.calls.revive();
        return new TaskError('Runtime.ExitError', 'signal: killed');
      };
      const { status, cause } = await renew(w, { input: request, arn: execution, killed: revived });
      expect([status, cause], last).toEqual(['SUCCEEDED', '']);
      w.executions.tell(execution, 'ended');
      await renew(w, { input: request, arn: thirdExecution, killed: undisturbed });
      expectIssuedOnce(w, `${index + 1}: ${last}`);
    }
  }, 60_000);

  test('after which readers are configured shares the secret, and makes no server reload', async () => {
    const w = world();
    await renew(w, { input: request, arn: execution, killed: undisturbed });
    w.executions.tell(execution, 'ended');
    const readers = ['arn:aws:iam::444455556666:role/web'];
    const configured = specWith({ ...spec, readers });
    const { current, deliveries, served } = w.ledger.get('www');
    const { status, entered } = await renew(w, {
      input: request,
      arn: otherExecution,
      killed: undisturbed,
      configured,
    });
    expect(status).toBe('SUCCEEDED');
    expect(entered.slice(-4)).toEqual(['Share secret', 'Record success', 'Any endpoints?', 'Done']);
    expect(w.secrets.access('www').readers).toEqual(readers);
    const access = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(w.ledger.get('www')).toMatchObject({ current, deliveries, served, access, lease: null, failure: null });
    const again = await renew(w, { input: request, arn: thirdExecution, killed: undisturbed, configured });
    expect(again.entered.at(-1)).toBe('Nothing to do');
  });
});
