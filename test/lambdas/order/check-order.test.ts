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
const leftover = { ...place, value: 'of an interrupted run' };

interface SavedWorld extends World {
  readonly order: OrderReference;
}

/** Creates a world with the saved order of an interrupted execution, whose lease this execution has taken. */
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

describe('a pending order', () => {
  test('leads to `prove` with its challenges and values computed again', async () => {
    const world = await saved();
    const output = await check(world);
    expect(output).toMatchObject({ outcome: 'prove', order: world.order });
    expect(output.challenges.map(({ identifier, url }) => [identifier, url])).toEqual([
      ['*.example.com', `${world.order.url}/authorization/1/dns-01`],
      ['example.com', `${world.order.url}/authorization/2/dns-01`],
    ]);
    expect(output.records).toHaveLength(2);
  });

  test('is saved as the order of this execution, and its values are added to the leftover ones', async () => {
    const world = await saved();
    const { records } = await check(world);
    expect(world.ledger.get('www')).toMatchObject({
      order: { ...world.order, execution, specHash: spec.specHash },
      leftovers: [leftover, ...records],
    });
  });

  test('has no challenge for an identifier with a valid authorization', async () => {
    const { challenges } = await check(await saved({ alreadyValid: ['example.com'] }));
    expect(challenges.map(({ identifier }) => identifier)).toEqual(['*.example.com']);
  });

  test('leads to `prove` even if the interrupted execution has answered its challenges', async () => {
    const world = await saved();
    world.ca.validation = 'later';
    for (const index of [1, 2]) await world.ca.respond(`${world.order.url}/authorization/${index}/dns-01`);
    const { outcome, challenges } = await check(world);
    expect([outcome, challenges.length]).toEqual(['prove', 2]);
  });

  test('is not changed if *Check zones* failed', async () => {
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

  test('leads to `discard` if the CA does not know one of its authorizations', async () => {
    const world = await saved();
    world.calls.answer('ca.authorization', new MalformedError({ what: 'No such authorization.' }));
    expect(await check(world)).toMatchObject({
      outcome: 'discard',
      reason: `the saved order ${world.order.url} has an authorization that test-ca does not know`,
    });
  });

  test('leads to no new order', async () => {
    const world = await saved();
    await check(world);
    expect(world.calls.names('ca.')).toEqual(['ca.order', 'ca.authorization', 'ca.authorization']);
  });
});

describe('an order with proven control', () => {
  test.each(['ready', 'processing', 'valid', 'an unknown status'])(
    'and the status "%s" leads to `finish` with the leftover values to remove',
    async (status) => {
      const world = await saved({ status });
      const output = await check(world);
      expect(output).toMatchObject({ outcome: 'finish', order: world.order, challenges: [], records: [leftover] });
      expect(output.reason).toContain(status);
    },
  );

  test('leads to `finish` even if *Check zones* failed', async () => {
    const world = await saved({ status: 'valid' });
    expect(await check(world, { challengeRecords: null })).toMatchObject({ outcome: 'finish', records: [leftover] });
  });

  test('leads to `finish` even after it has expired', async () => {
    const world = await saved({ status: 'valid' });
    world.clock.set('2026-03-09T12:00:00Z');
    expect(await check(world)).toMatchObject({ outcome: 'finish' });
  });
});

describe('an order leads to `discard`', () => {
  const discarded = { outcome: 'discard', challenges: [], records: [] };

  test.each([
    new MalformedError({ what: 'No order for that id.' }),
    new UnauthorizedError({ what: 'That order is of another account.' }),
    new AccountDoesNotExistError({ what: 'No such account.' }),
  ])('if the CA does not know it: %s', async (error) => {
    const world = await saved();
    world.calls.answer('ca.order', error);
    const output = await check(world);
    expect(output).toMatchObject(discarded);
    expect(output.reason).toContain(world.order.url);
  });

  test('if its authorizations cannot be used, because a new order may be usable', async () => {
    const world = await saved();
    Object.assign(world.ca.state(world.order.url).authorizations[0] ?? {}, { identifier: 'other.example.com' });
    expect(await check(world)).toMatchObject({
      outcome: 'discard',
      reason: expect.stringMatching(
        /cannot be used: It has an authorization for other\.example\.com, which was not ordered$/,
      ),
    });
  });

  test('if no challenge can be answered, because the operator may have made the CA offer one since', async () => {
    const world = await saved();
    for (const each of world.ca.state(world.order.url).authorizations) Object.assign(each, { challenges: [] });
    expect(await check(world)).toMatchObject({
      ...discarded,
      reason: expect.stringMatching(/cannot be used: The authorization is pending and offers nothing$/),
    });
  });

  test('with the reason of the CA if it is invalid, and is removed from the issue count', async () => {
    const world = await saved({ status: 'invalid' });
    world.ca.state(world.order.url).error = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids it' };
    await world.ledger.countIssue(spec.setHash, world.order.url, world.clock.now());
    const output = await check(world);
    expect(output).toMatchObject(discarded);
    expect(output.reason).toContain('CAA forbids it');
    expect(await world.ledger.issues(spec.setHash, world.clock.now())).toEqual({});
  });

  test.each(['pending', 'ready'])('if it expired with the status "%s"', async (status) => {
    const world = await saved({ status });
    world.clock.set('2026-03-08T12:00:00Z');
    expect(await check(world)).toMatchObject(discarded);
  });

  test.each(['invalid', 'expired', 'deactivated', 'revoked'])(
    'with the identifier if one of its authorizations is %s',
    async (status) => {
      const world = await saved();
      Object.assign(world.ca.state(world.order.url).authorizations[0] ?? {}, { status });
      const output = await check(world);
      expect(output).toMatchObject(discarded);
      expect(output.reason).toContain(`*.example.com is ${status}`);
    },
  );
});

test('the order is kept if the CA is unavailable', async () => {
  const world = await saved();
  world.calls.answer('ca.order', new CaUnavailableError({ what: 'The CA is unavailable.' }));
  await expect(check(world)).rejects.toThrow(CaUnavailableError);
  expect(world.ledger.get('www').order?.url).toBe(world.order.url);
});

test('an execution without the lease sends no request to the CA', async () => {
  const world = await saved();
  world.ledger.put('www', { lease: otherExecution });
  await expect(check(world)).rejects.toThrow(LeaseLostError);
  expect(world.calls.names('ca.')).toEqual([]);
});

test('a second run returns and saves the same', async () => {
  const world = await saved();
  const first = await check(world);
  const record = world.ledger.get('www');
  expect(await check(world)).toEqual(first);
  expect(world.ledger.get('www')).toEqual(record);
});

test('a run after an interruption at any call uses the same order and saves all its TXT values', async () => {
  await interruptedAfterEachCall(saved, check, (world, output, last) => {
    expect(world.ca.orderUrls(), last).toEqual([world.order.url]);
    expect(world.ledger.get('www').leftovers, last).toEqual([leftover, ...output.records]);
  });
});
