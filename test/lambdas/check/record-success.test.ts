import { expect, test } from 'vitest';
import { recordSuccess } from '../../../lambdas/check/record-success.ts';
import { LeaseLostError } from '../../../lambdas/domain/contract/errors.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, factsWith, otherExecution, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const removed = [{ hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'gone' }];
const { setHash } = specWith();

async function done(): Promise<World> {
  const world = createWorld();
  const now = new Date('2026-03-01T12:00:00Z');
  await world.ledger.takeLease({ certificate: 'www' }, run, now);
  await world.ledger.takeLease({ set: setHash }, run, now);
  world.ledger.put('www', {
    current: factsWith({ execution }),
    leftovers: removed,
    failure: {
      count: 3,
      issuerFailures: 3,
      last: '2026-02-28T12:00:00Z',
      error: 'CaUnavailableError',
      cause: 'The CA was unavailable.',
    },
    notBefore: '2026-03-01T00:00:00Z',
    order: {
      url: 'https://ca.test/order/1',
      finalize: 'https://ca.test/order/1/finalize',
      expires: null,
      execution,
      specHash: 'spec',
      directoryUrl: 'https://ca.test/directory',
    },
  });
  return world;
}

const record = ({ ports }: World) => recordSuccess({ ...run, announced: 'version-1', removed }, ports);

function expectDone(world: World, last?: string): void {
  expect(world.ledger.get('www'), last).toMatchObject({
    current: factsWith({ execution }),
    order: null,
    failure: null,
    notBefore: null,
    leftovers: [],
    lease: null,
  });
  expect(world.ledger.setLease(setHash), last).toBeNull();
}

test('removes order, failure and leftover TXT values, and releases the leases', async () => {
  const world = await done();
  await record(world);
  expectDone(world);
});

test('saves the renewal time, with a third of the lifetime left', async () => {
  const world = await done();
  const { notBefore, notAfter } = factsWith();
  await record(world);
  const third = (Date.parse(notAfter) - Date.parse(notBefore)) / 3;
  expect(world.ledger.get('www').renewalTime).toBe(new Date(Date.parse(notAfter) - third).toISOString());
});

test('succeeds again in a second run', async () => {
  const world = await done();
  await record(world);
  await record(world);
  expectDone(world);
});

test('completes in a run after an interruption at any call', async () => {
  await interruptedAfterEachCall(done, record, (world, _, last) => expectDone(world, last));
});

test('saves the announced version in the update that removes the order', async () => {
  const world = await done();
  world.calls.made.length = 0;
  await record(world);
  expect(world.ledger.get('www').announcedVersion).toBe('version-1');
  expect(world.calls.names('ledger.record')).toEqual(['ledger.recordSuccess']);
});

test('succeeds in a second run if another execution has taken the lease since, and changes nothing', async () => {
  const world = await done();
  await record(world);
  world.ledger.put('www', { lease: otherExecution });
  const before = world.ledger.get('www');
  await record(world);
  expect(world.ledger.get('www')).toEqual(before);
});

test('throws LeaseLostError and changes nothing if another execution holds the lease and this one did not store the version', async () => {
  const world = await done();
  world.ledger.put('www', { lease: otherExecution, current: factsWith({ execution: otherExecution }) });
  await expect(record(world)).rejects.toThrow(LeaseLostError);
  expect(world.ledger.get('www')).toMatchObject({ lease: otherExecution, failure: { count: 3 } });
});
