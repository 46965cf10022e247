import { describe, expect, test } from 'vitest';
import type { OrderReference } from '../../../lambdas/domain/contract/certificate-facts.ts';
import {
  AccountDoesNotExistError,
  CaUnavailableError,
  LeaseLostError,
  MalformedError,
  UnauthorizedError,
} from '../../../lambdas/domain/contract/errors.ts';
import type { CheckOrderInput } from '../../../lambdas/domain/contract/steps.ts';
import { checkOrder } from '../../../lambdas/order/check-order.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, issuer, otherExecution, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const spec = specWith({ identifiers: ['*.example.com', 'example.com'] });
const place = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com' };
const challengeRecords = spec.identifiers.map((identifier) => ({ identifier, ...place }));
const leftover = { ...place, value: 'left by a dead run' };

interface SavedWorld extends World {
  readonly order: OrderReference;
}

/** An order in the ledger, as a dead execution left it, and the lease taken over. */
async function saved({ status = 'pending', alreadyValid = [] as readonly string[] } = {}): Promise<SavedWorld> {
  const world = createWorld();
  for (const identifier of alreadyValid) world.ca.alreadyValid.add(identifier);
  const { url, finalize, expires } = await world.ca.newOrder({ identifiers: spec.identifiers, profile: null });
  Object.assign(world.ca.state(url), { status });
  const order = { url, finalize, expires };
  const { specHash } = spec;
  const { directoryUrl } = issuer;
  world.ledger.put('www', {
    lease: execution,
    order: { ...order, execution: otherExecution, specHash, directoryUrl },
    leftovers: [leftover],
  });
  return { ...world, order };
}

const check = ({ ports, order }: SavedWorld, input: Partial<CheckOrderInput> = {}) =>
  checkOrder({ ...run, spec, order, challengeRecords, leftovers: [leftover], ...input }, ports);

describe('an order that is pending', () => {
  test('is to be proven, with its challenges and values computed again', async () => {
    const world = await saved();
    const output = await check(world);
    expect(output).toMatchObject({ outcome: 'prove', order: world.order });
    expect(output.challenges.map(({ identifier, url }) => [identifier, url])).toEqual([
      ['*.example.com', `${world.order.url}/authorization/1/dns-01`],
      ['example.com', `${world.order.url}/authorization/2/dns-01`],
    ]);
    expect(output.records).toHaveLength(2);
  });

  test('is in the ledger as ours, its values beside those that were left, before they get into DNS', async () => {
    const world = await saved();
    const { records } = await check(world);
    expect(world.ledger.get('www')).toMatchObject({
      order: { ...world.order, execution, specHash: spec.specHash },
      leftovers: [leftover, ...records],
    });
  });

  test('asks for no proof of a name that is proven already', async () => {
    const { challenges } = await check(await saved({ alreadyValid: ['example.com'] }));
    expect(challenges.map(({ identifier }) => identifier)).toEqual(['*.example.com']);
  });

  test('whose challenges were answered by the dead run is polled like any other', async () => {
    const world = await saved();
    world.ca.validation = 'later';
    for (const index of [1, 2]) await world.ca.respond(`${world.order.url}/authorization/${index}/dns-01`);
    const { outcome, challenges } = await check(world);
    expect([outcome, challenges.length]).toEqual(['prove', 2]);
  });

  test('without a place for its proofs, since *Check zones* failed, is left as it is', async () => {
    const world = await saved();
    const before = world.ledger.get('www');
    expect(await check(world, { challengeRecords: null })).toMatchObject({
      outcome: 'prove',
      order: world.order,
      challenges: [],
      records: [],
    });
    expect(world.ledger.get('www')).toEqual(before);
  });

  test('places no other order', async () => {
    const world = await saved();
    await check(world);
    expect(world.calls.names('ca.')).toEqual(['ca.order', 'ca.authorization', 'ca.authorization']);
  });
});

describe('an order that is proven', () => {
  test.each(['ready', 'processing', 'valid', 'a status of next year'])(
    'and %s is to be finished, what was left being removed first',
    async (status) => {
      const world = await saved({ status });
      const output = await check(world);
      expect(output).toMatchObject({ outcome: 'finish', order: world.order, challenges: [], records: [leftover] });
      expect(output.reason).toContain(status);
    },
  );

  test('is finished also where no zone is in order any more', async () => {
    const world = await saved({ status: 'valid' });
    expect(await check(world, { challengeRecords: null })).toMatchObject({ outcome: 'finish', records: [leftover] });
  });

  test('is downloaded although the time to finalize it is over', async () => {
    const world = await saved({ status: 'valid' });
    world.clock.set('2026-03-09T12:00:00Z');
    expect(await check(world)).toMatchObject({ outcome: 'finish' });
  });
});

describe('an order that is of no use', () => {
  const gone = { outcome: 'gone', challenges: [], records: [] };

  test.each([
    new MalformedError({ what: 'No order for that id.' }),
    new UnauthorizedError({ what: 'That order is of another account.' }),
    new AccountDoesNotExistError({ what: 'No such account.' }),
  ])('since the CA does not know it: %s', async (error) => {
    const world = await saved();
    world.calls.answer('ca.order', error);
    const output = await check(world);
    expect(output).toMatchObject(gone);
    expect(output.reason).toContain(world.order.url);
  });

  test('since it is invalid says why, and no longer counts as an issue', async () => {
    const world = await saved({ status: 'invalid' });
    world.ca.state(world.order.url).error = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids it' };
    await world.ledger.countIssue(spec.setHash, world.order.url, world.clock.now());
    const output = await check(world);
    expect(output).toMatchObject(gone);
    expect(output.reason).toContain('CAA forbids it');
    expect(await world.ledger.issues(spec.setHash, world.clock.now())).toEqual({});
  });

  test.each(['pending', 'ready'])('since it expired while %s', async (status) => {
    const world = await saved({ status });
    world.clock.set('2026-03-08T12:00:00Z');
    expect(await check(world)).toMatchObject(gone);
  });

  test.each(['invalid', 'expired', 'deactivated', 'revoked'])(
    'since one of its authorizations is %s names the identifier',
    async (status) => {
      const world = await saved();
      Object.assign(world.ca.state(world.order.url).authorizations[0] ?? {}, { status });
      const output = await check(world);
      expect(output).toMatchObject(gone);
      expect(output.reason).toContain(`*.example.com is ${status}`);
    },
  );
});

test('a CA that is away says nothing about the order', async () => {
  const world = await saved();
  world.calls.answer('ca.order', new CaUnavailableError({ what: 'The CA is away.' }));
  await expect(check(world)).rejects.toThrow(CaUnavailableError);
  expect(world.ledger.get('www').order?.url).toBe(world.order.url);
});

test('an execution without the lease asks the CA nothing', async () => {
  const world = await saved();
  world.ledger.put('www', { lease: otherExecution });
  await expect(check(world)).rejects.toThrow(LeaseLostError);
  expect(world.calls.names('ca.')).toEqual([]);
});

test('run twice, it says and saves the same', async () => {
  const world = await saved();
  const first = await check(world);
  const record = world.ledger.get('www');
  expect(await check(world)).toEqual(first);
  expect(world.ledger.get('www')).toEqual(record);
});

test('it may die after any call: one order, and every value that may get into DNS is remembered', async () => {
  await interruptedAfterEachCall(saved, check, (world, output, last) => {
    expect(world.ca.orderUrls(), last).toEqual([world.order.url]);
    expect(world.ledger.get('www').leftovers, last).toEqual([leftover, ...output.records]);
  });
});
