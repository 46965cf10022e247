import { expect, test } from 'vitest';
import { recordFailure } from '../../../lambdas/check/record-failure.ts';
import type { RecordFailureInput } from '../../../lambdas/rules/contract.ts';
import { dyingAfterEachCall } from '../../fakes/recorder.ts';
import { execution, otherExecution, run } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const problem = {
  type: 'urn:ietf:params:acme:error:unauthorized',
  status: 403,
  detail: 'No TXT record found',
  identifier: 'example.com',
};
const errorMessage = JSON.stringify({ message: 'The CA did not accept the proof.', problem });
const rejected = {
  Error: 'ChallengeFailedError',
  Cause: JSON.stringify({ errorType: 'ChallengeFailedError', errorMessage }),
};
const removed = [{ hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'gone' }];
const kept = { hostedZoneId: 'Z2', name: '_acme-challenge.example.net', value: 'still there' };
const order = {
  url: 'https://ca.test/order/1',
  finalize: 'https://ca.test/order/1/finalize',
  expires: null,
  execution,
  specHash: 'spec',
  directoryUrl: 'https://ca.test/directory',
};

function failing(): World {
  const world = createWorld({ now: '2026-03-01T12:00:00Z' });
  const holder = { execution, since: '2026-03-01T11:58:00.000Z' };
  world.ledger.put('www', { lease: execution, leasedAt: holder.since, order, leftovers: [...removed, kept] });
  return world;
}

const record = ({ ports }: World, input: Partial<RecordFailureInput> = {}) =>
  recordFailure({ ...run, errorOutput: rejected, removed, ...input }, ports);

test('a failed proof is counted, its order dropped, the lease given back, and the CA speaks for itself', async () => {
  const world = failing();
  expect(await record(world)).toEqual({
    error: 'ChallengeFailedError',
    cause: 'The CA did not accept the proof.',
    problemType: 'urn:ietf:params:acme:error:unauthorized',
    identifier: 'example.com',
  });
  expect(world.ledger.get('www')).toMatchObject({
    lease: null,
    order: null,
    leftovers: [kept],
    failure: { count: 1, last: '2026-03-01T12:00:00.000Z', error: 'ChallengeFailedError' },
  });
});

test('a second failure in a row counts two', async () => {
  const world = failing();
  await record(world);
  world.ledger.put('www', { lease: execution });
  await record(world, { errorOutput: { Error: 'States.Timeout', Cause: 'The task timed out.' } });
  expect(world.ledger.get('www').failure).toMatchObject({ count: 2, error: 'StepTimedOutError' });
});

test('an execution that lost its lease strikes off what is gone and writes nothing else', async () => {
  const world = failing();
  world.ledger.put('www', { lease: otherExecution });
  const { error } = await record(world);
  expect(error).toBe('ChallengeFailedError');
  expect(world.ledger.get('www')).toMatchObject({ lease: otherExecution, order, failure: null, leftovers: [kept] });
});

test.each(['ThrottledError', 'LeaseLostError'])('%s is no failure of the certificate', async (name) => {
  const world = failing();
  expect(await record(world, { errorOutput: { Error: name, Cause: 'Slow down.' } })).toMatchObject({
    error: name,
    cause: 'Slow down.',
  });
  expect(world.ledger.get('www')).toMatchObject({ lease: null, failure: null });
});

test.each([undefined, null, 'text', 7, [], {}, { Error: 7, Cause: { deep: true } }])(
  'an error output of %j is recorded too',
  async (errorOutput) => {
    const world = failing();
    expect((await record(world, { errorOutput })).error).toBe('UnexpectedError');
    expect(world.ledger.get('www')).toMatchObject({ lease: null, failure: { count: 1 } });
  },
);

test('a certificate that the ledger never saw gets no item', async () => {
  const world = createWorld();
  await record(world, { errorOutput: { Error: 'UnknownCertificateError', Cause: 'No such certificate.' } });
  expect((await world.ledger.certificates(['www'])).size).toBe(0);
});

test('a ledger that fails is no lost lease', async () => {
  const world = failing();
  world.calls.answer('ledger.recordFailure', new Error('The table is gone.'));
  await expect(record(world)).rejects.toThrow('The table is gone.');
});

test('run twice, it counts once and says the same', async () => {
  const world = failing();
  const first = await record(world);
  expect(await record(world)).toEqual(first);
  expect(world.ledger.get('www').failure?.count).toBe(1);
});

test('it may die after any call: the failure is counted, the lease is free, what is gone is struck off', async () => {
  await dyingAfterEachCall(failing, record, (world, _, last) => {
    const { failure, lease, leftovers } = world.ledger.get('www');
    expect(failure?.count, last).toBeGreaterThanOrEqual(1);
    expect({ lease, leftovers }, last).toEqual({ lease: null, leftovers: [kept] });
  });
});
