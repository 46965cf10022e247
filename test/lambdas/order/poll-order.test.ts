import { describe, expect, test } from 'vitest';
import {
  ChallengeFailedError,
  MalformedError,
  OrderInvalidError,
  OrderTimeoutError,
} from '../../../lambdas/domain/contract/errors.ts';
import type { PollOrderInput } from '../../../lambdas/domain/contract/steps.ts';
import { noRefusedProofs } from '../../../lambdas/domain/rules/proof/poll-wait.ts';
import { pollOrder } from '../../../lambdas/order/poll-order.ts';
import { run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const spec = specWith({ identifiers: ['*.example.com', 'example.com', 'example.net'] });
const url = 'https://ca.test/order/1';

/** Creates a world with an order in this status. */
async function ordered(status: string): Promise<World> {
  const world = createWorld();
  await world.ca.newOrder({ identifiers: spec.identifiers, profile: null });
  Object.assign(world.ca.state(url), { status, certificate: status === 'valid' ? `${url}/certificate` : null });
  return world;
}

const poll = ({ ports }: World, input: Partial<PollOrderInput> = {}) =>
  pollOrder(
    {
      ...run,
      spec,
      order: { url, finalize: `${url}/finalize`, expires: null },
      until: 'ready',
      waited: 0,
      refused: noRefusedProofs,
      ...input,
    },
    ports,
  );

describe('a poll has reached', () => {
  test.each([
    ['ready', 'ready', null],
    ['ready', 'processing', null],
    ['ready', 'valid', `${url}/certificate`],
    ['valid', 'valid', `${url}/certificate`],
  ] as const)('"%s" if the order is %s', async (until, status, certificateUrl) => {
    expect(await poll(await ordered(status), { until })).toEqual({
      reached: true,
      status,
      wait: 0,
      certificateUrl,
      refused: noRefusedProofs,
    });
  });
});

describe('a poll has not reached', () => {
  test.each([
    ['ready', 'pending'],
    ['valid', 'ready'],
    ['valid', 'processing'],
    ['ready', 'an unknown status'],
    ['valid', 'an unknown status'],
  ] as const)('"%s" if the status of the order is "%s"', async (until, status) => {
    expect(await poll(await ordered(status), { until })).toEqual({
      reached: false,
      status,
      wait: 1,
      certificateUrl: null,
      refused: noRefusedProofs,
    });
  });

  test('the status, and the next poll waits for the Retry-After of the CA', async () => {
    const world = await ordered('processing');
    world.ca.retryAfter = 42;
    expect(await poll(world, { until: 'valid', waited: 10 })).toMatchObject({ wait: 42 });
  });

  test.each([
    ['ready', 890, 900],
    ['valid', 1790, 1800],
  ] as const)(
    '"%s" after %i s and continues, and after %i s it fails with the URL of the order',
    async (until, last, over) => {
      const world = await ordered('pending');
      expect(await poll(world, { until, waited: last })).toMatchObject({ reached: false, wait: 10 });
      await expect(poll(world, { until, waited: over })).rejects.toThrow(OrderTimeoutError);
      await expect(poll(world, { until, waited: over })).rejects.toThrow(url);
    },
  );

  test('the status in time but reaches it in the last poll', async () => {
    expect(await poll(await ordered('ready'), { waited: 900 })).toMatchObject({ reached: true });
  });
});

describe('an invalid order', () => {
  const noRecord = { type: 'urn:ietf:params:acme:error:unauthorized', status: 403, detail: 'No TXT record found' };
  const noAnswer = { type: 'urn:ietf:params:acme:error:dns', status: 400, detail: 'SERVFAIL looking up TXT' };

  async function rejected(problems: Readonly<Record<string, typeof noRecord>>): Promise<unknown> {
    const world = createWorld();
    for (const [identifier, problem] of Object.entries(problems)) world.ca.rejected.set(identifier, problem);
    const { authorizations } = await world.ca.newOrder({ identifiers: spec.identifiers, profile: null });
    for (const authorization of authorizations) await world.ca.respond(`${authorization}/dns-01`);
    return poll(world).catch((error: unknown) => error);
  }

  test('with one failed challenge is an error with the problem of that challenge and the identifier as ordered', async () => {
    const error = await rejected({ '*.example.com': noRecord });
    expect(error).toBeInstanceOf(ChallengeFailedError);
    expect(error).toMatchObject({
      message: expect.stringContaining('*.example.com: No TXT record found'),
      problem: { ...noRecord, identifier: '*.example.com' },
    });
  });

  test('with two failed challenges is an error with the problem of each', async () => {
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

  test('without a failed challenge is an error with the problem of the order', async () => {
    const world = await ordered('invalid');
    const problem = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA record prevents issuance' };
    world.ca.state(url).error = problem;
    const error = await poll(world, { until: 'valid' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OrderInvalidError);
    expect(error).toMatchObject({ problem, message: expect.stringContaining('CAA record prevents issuance') });
  });

  test('without any problem is an error', async () => {
    await expect(poll(await ordered('invalid'))).rejects.toThrow(OrderInvalidError);
  });
});

describe('an order that stays pending although the CA has refused a proof', () => {
  const problem = { type: 'urn:ietf:params:acme:error:unauthorized', status: 403, detail: 'No TXT record found' };

  /** Creates a world with an answered order whose proof of `example.com` was refused. */
  async function refused() {
    const world = createWorld();
    world.ca.failedStaysPending = true;
    world.ca.rejected.set('example.com', problem);
    const { authorizations } = await world.ca.newOrder({ identifiers: spec.identifiers, profile: null });
    for (const authorization of authorizations) await world.ca.respond(`${authorization}/dns-01`);
    const before = world.calls.names('ca.').length;
    const calls = () => world.calls.names('ca.').slice(before);
    return { world, calls, challenge: `${authorizations[1]}/dns-01` };
  }

  test('is not looked at in the first minute', async () => {
    const { world, calls } = await refused();
    expect(await poll(world, { waited: 59 })).toMatchObject({ reached: false, refused: noRefusedProofs });
    expect(calls()).toEqual(['ca.order']);
  });

  test('is answered a second time after a minute, and becomes ready when the proof is accepted', async () => {
    const { world, challenge } = await refused();
    world.ca.rejected.clear();
    const first = await poll(world, { waited: 60 });
    expect(first).toMatchObject({ reached: false, refused: { readAfter: 120, answered: [challenge] } });
    expect(await poll(world, { waited: 90, refused: first.refused })).toMatchObject({ reached: true, status: 'ready' });
  });

  test('is never answered a third time', async () => {
    const { world, calls, challenge } = await refused();
    const { refused: once } = await poll(world, { waited: 60 });
    const { refused: later } = await poll(world, { waited: 120, refused: once });
    expect(later).toEqual({ readAfter: 240, answered: [challenge] });
    expect(calls().filter((each) => each === 'ca.respond')).toEqual(['ca.respond']);
  });

  test('is not answered for challenges of other kinds, whose errors are ignored', async () => {
    const { world, calls, challenge } = await refused();
    for (const { challenges } of world.ca.state(url).authorizations) {
      const other = { url: 'https://ca.test/other', status: 'pending', error: { ...problem, detail: 'Another kind' } };
      challenges.unshift({ ...other, type: 'dns-persist-01', token: null });
      challenges.unshift({ ...other, type: 'dns-account-01', token: 'token' });
    }
    expect(await poll(world, { waited: 60 })).toMatchObject({ refused: { answered: [challenge] } });
    expect(calls().filter((each) => each === 'ca.respond')).toEqual(['ca.respond']);
    const failed = poll(world, { waited: 900 });
    await expect(failed).rejects.toThrow('example.com: No TXT record found');
    await expect(failed).rejects.not.toThrow('Another kind');
  });

  test('is polled further if the CA accepts no second answer', async () => {
    const { world, challenge } = await refused();
    world.calls.answer('ca.respond', new MalformedError({ what: 'The challenge was answered.' }));
    expect(await poll(world, { waited: 60 })).toMatchObject({ reached: false, refused: { answered: [challenge] } });
  });

  test('fails at the bound in the words of the CA', async () => {
    const { world } = await refused();
    const error = await poll(world, { waited: 900 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ChallengeFailedError);
    expect(error).toMatchObject({
      message: expect.stringContaining('example.com: No TXT record found'),
      problem: { ...problem, identifier: 'example.com' },
    });
  });

  test('fails at once if an authorization is invalid', async () => {
    const { world } = await refused();
    const authorization = world.ca.state(url).authorizations[1];
    Object.assign(authorization ?? {}, { status: 'invalid' });
    await expect(poll(world, { waited: 60 })).rejects.toThrow('example.com: No TXT record found');
  });

  test('fails at the bound with the names that are not validated if the CA gives no reason', async () => {
    const world = await ordered('pending');
    const failed = poll(world, { waited: 900 });
    await expect(failed).rejects.toThrow(OrderTimeoutError);
    await expect(failed).rejects.toThrow('*.example.com, example.com, example.net are not validated');
  });
});

describe('the issue count', () => {
  const counted = async (status: string) => {
    const world = await ordered(status);
    await world.ledger.countIssue(spec.setHash, url, world.clock.now());
    return world;
  };
  const issues = (world: World) => world.ledger.issues(spec.setHash, world.clock.now());

  test('no longer has an order that became invalid after its CSR was sent', async () => {
    const world = await counted('invalid');
    await expect(poll(world, { until: 'valid' })).rejects.toThrow(OrderInvalidError);
    await expect(poll(world, { until: 'valid' })).rejects.toThrow(OrderInvalidError);
    expect(await issues(world)).toEqual({});
  });

  test.each(['processing', 'valid', 'an unknown status'])('keeps an order with the status "%s"', async (status) => {
    const world = await counted(status);
    await poll(world, { until: 'valid' });
    expect(Object.keys(await issues(world))).toEqual([url]);
  });

  test('is not changed after a failed challenge, because no CSR was sent', async () => {
    const world = await counted('invalid');
    await expect(poll(world)).rejects.toThrow(OrderInvalidError);
    expect(world.calls.names('ledger.')).toEqual([]);
  });
});

test('a second poll returns the same and changes nothing', async () => {
  const world = await ordered('processing');
  const first = await poll(world, { until: 'valid' });
  expect(await poll(world, { until: 'valid' })).toEqual(first);
  expect(world.ca.state(url).status).toBe('processing');
  expect(world.calls.names('ca.')).toEqual(['ca.order', 'ca.order']);
});
