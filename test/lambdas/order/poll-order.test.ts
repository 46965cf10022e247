import { describe, expect, test } from 'vitest';
import { ChallengeFailedError, OrderInvalidError, OrderTimeoutError } from '../../../lambdas/domain/contract/errors.ts';
import type { PollOrderInput } from '../../../lambdas/domain/contract/steps.ts';
import { pollOrder } from '../../../lambdas/order/poll-order.ts';
import { run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const spec = specWith({ identifiers: ['*.example.com', 'example.com', 'example.net'] });
const url = 'https://ca.test/order/1';

/** An order in this status, as a CA's words would have it. */
async function ordered(status: string): Promise<World> {
  const world = createWorld();
  await world.ca.newOrder({ identifiers: spec.identifiers, profile: null });
  Object.assign(world.ca.state(url), { status, certificate: status === 'valid' ? `${url}/certificate` : null });
  return world;
}

const poll = ({ ports }: World, input: Partial<PollOrderInput> = {}) =>
  pollOrder(
    { ...run, spec, order: { url, finalize: `${url}/finalize`, expires: null }, until: 'ready', tries: 0, ...input },
    ports,
  );

describe('reached', () => {
  test.each([
    ['ready', 'ready', null],
    ['ready', 'processing', null],
    ['ready', 'valid', `${url}/certificate`],
    ['valid', 'valid', `${url}/certificate`],
  ] as const)('%s, when the order is %s', async (until, status, certificateUrl) => {
    expect(await poll(await ordered(status), { until })).toEqual({ reached: true, status, wait: 0, certificateUrl });
  });
});

describe('not yet', () => {
  test.each([
    ['ready', 'pending'],
    ['valid', 'ready'],
    ['valid', 'processing'],
    ['ready', 'a status of next year'],
    ['valid', 'a status of next year'],
  ] as const)('%s, when the order is %s', async (until, status) => {
    expect(await poll(await ordered(status), { until })).toEqual({
      reached: false,
      status,
      wait: 1,
      certificateUrl: null,
    });
  });

  test('waits as long as the CA asks', async () => {
    const world = await ordered('processing');
    world.ca.retryAfter = 42;
    expect(await poll(world, { until: 'valid', tries: 3 })).toMatchObject({ wait: 42 });
  });

  test.each([
    ['ready', 19, 20],
    ['valid', 65, 66],
  ] as const)(
    '%s is waited for up to look %i and given up at %i with the URL of the order',
    async (until, last, over) => {
      const world = await ordered('pending');
      expect(await poll(world, { until, tries: last })).toMatchObject({ reached: false, wait: 30 });
      await expect(poll(world, { until, tries: over })).rejects.toThrow(OrderTimeoutError);
      await expect(poll(world, { until, tries: over })).rejects.toThrow(url);
    },
  );

  test('an order that arrives at the last look has arrived', async () => {
    expect(await poll(await ordered('ready'), { tries: 20 })).toMatchObject({ reached: true });
  });
});

describe('no', () => {
  const noRecord = { type: 'urn:ietf:params:acme:error:unauthorized', status: 403, detail: 'No TXT record found' };
  const noAnswer = { type: 'urn:ietf:params:acme:error:dns', status: 400, detail: 'SERVFAIL looking up TXT' };

  async function rejected(problems: Readonly<Record<string, typeof noRecord>>): Promise<unknown> {
    const world = createWorld();
    for (const [identifier, problem] of Object.entries(problems)) world.ca.rejected.set(identifier, problem);
    const { authorizations } = await world.ca.newOrder({ identifiers: spec.identifiers, profile: null });
    for (const authorization of authorizations) await world.ca.respond(`${authorization}/dns-01`);
    return poll(world).catch((error: unknown) => error);
  }

  test("one failed proof is that challenge's own problem, for its identifier with its star", async () => {
    const error = await rejected({ '*.example.com': noRecord });
    expect(error).toBeInstanceOf(ChallengeFailedError);
    expect(error).toMatchObject({
      message: expect.stringContaining('*.example.com: No TXT record found'),
      problem: { ...noRecord, identifier: '*.example.com' },
    });
  });

  test('two failed proofs are named each with its own cause', async () => {
    const error = await rejected({ 'example.com': noRecord, 'example.net': noAnswer });
    expect(error).toMatchObject({
      message: expect.stringMatching(/example\.com: No TXT record found; example\.net: SERVFAIL/),
      problem: {
        ...noRecord,
        identifier: 'example.com',
        subproblems: [
          { ...noRecord, identifier: 'example.com' },
          { ...noAnswer, identifier: 'example.net' },
        ],
      },
    });
  });

  test('an order that is invalid with every proof accepted says what the order says', async () => {
    const world = await ordered('invalid');
    const problem = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA record prevents issuance' };
    world.ca.state(url).error = problem;
    const error = await poll(world, { until: 'valid' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OrderInvalidError);
    expect(error).toMatchObject({ problem, message: expect.stringContaining('CAA record prevents issuance') });
  });

  test('an order that is invalid without a word is an error all the same', async () => {
    await expect(poll(await ordered('invalid'))).rejects.toThrow(OrderInvalidError);
  });
});

describe('the issue cap', () => {
  const counted = async (status: string) => {
    const world = await ordered(status);
    await world.ledger.countIssue(spec.setHash, url, world.clock.now());
    return world;
  };
  const issues = (world: World) => world.ledger.issues(spec.setHash, world.clock.now());

  test('gets an issue back that the CA did not make after all, once', async () => {
    const world = await counted('invalid');
    await expect(poll(world, { until: 'valid' })).rejects.toThrow(OrderInvalidError);
    await expect(poll(world, { until: 'valid' })).rejects.toThrow(OrderInvalidError);
    expect(await issues(world)).toEqual({});
  });

  test.each(['processing', 'valid', 'a status of next year'])(
    'keeps the issue of an order that is %s',
    async (status) => {
      const world = await counted(status);
      await poll(world, { until: 'valid' });
      expect(Object.keys(await issues(world))).toEqual([url]);
    },
  );

  test('is not asked about a proof that failed: no CSR left', async () => {
    const world = await counted('invalid');
    await expect(poll(world)).rejects.toThrow(OrderInvalidError);
    expect(world.calls.names('ledger.')).toEqual([]);
  });
});

test('looking twice changes nothing', async () => {
  const world = await ordered('processing');
  const first = await poll(world, { until: 'valid' });
  expect(await poll(world, { until: 'valid' })).toEqual(first);
  expect(world.ca.state(url).status).toBe('processing');
  expect(world.calls.names('ca.')).toEqual(['ca.order', 'ca.order']);
});
