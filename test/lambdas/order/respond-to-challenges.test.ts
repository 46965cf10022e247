import { describe, expect, test } from 'vitest';
import { CaUnavailableError, MalformedError, UnauthorizedError } from '../../../lambdas/domain/contract/errors.ts';
import type { PendingChallenge } from '../../../lambdas/domain/contract/steps.ts';
import { respondToChallenges } from '../../../lambdas/order/respond-to-challenges.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const spec = specWith({ identifiers: ['a.example.com', 'b.example.com', 'c.example.com'] });
const orderUrl = 'https://ca.test/order/1';
const challenges: readonly PendingChallenge[] = spec.identifiers.map((identifier, index) => {
  const authorization = `${orderUrl}/authorization/${index + 1}`;
  return { identifier, authorization, url: `${authorization}/dns-01` };
});

async function presented(): Promise<World> {
  const world = createWorld();
  world.ca.validation = 'later';
  await world.ca.newOrder({ identifiers: spec.identifiers, profile: null });
  return world;
}

const respond = ({ ports }: World) => respondToChallenges({ ...run, spec, challenges }, ports);

const statuses = ({ ca }: World): (string | undefined)[] =>
  ca.state(orderUrl).authorizations.map((each) => each.challenges.find(({ type }) => type === 'dns-01')?.status);

test('tells the CA of every proof, and of no other challenge', async () => {
  const world = await presented();
  expect(await respond(world)).toEqual({ wait: 1 });
  expect(statuses(world)).toEqual(['processing', 'processing', 'processing']);
  expect(world.calls.made.filter(({ name }) => name === 'ca.respond').map(({ args }) => args[0])).toEqual(
    challenges.map(({ url }) => url),
  );
});

test('has one request under way at a time, so that each reply brings the nonce of the next', async () => {
  const world = await presented();
  let underWay = 0;
  let most = 0;
  const { respond: answer } = world.ca;
  world.ca.respond = async (url) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    return answer.call(world.ca, url);
  };
  await respond(world);
  expect(most).toBe(1);
});

describe('a lost reply is read', () => {
  test.each([
    ['a cut connection', new CaUnavailableError({ what: 'The connection was cut.' })],
    ['malformed', new MalformedError({ what: 'The challenge is processing.' })],
  ])('%s on a challenge that moved on counts as answered', async (_, error) => {
    const world = await presented();
    world.calls.loseReply('ca.respond', error);
    expect(await respond(world)).toEqual({ wait: 1 });
    expect(statuses(world)).toEqual(['processing', 'processing', 'processing']);
  });

  test.each([
    ['a cut connection', new CaUnavailableError({ what: 'The connection was cut.' })],
    ['malformed', new MalformedError({ what: 'No such thing.' })],
  ])('%s on a challenge that is still pending is that error', async (_, error) => {
    const world = await presented();
    world.calls.answer('ca.respond', error);
    await expect(respond(world)).rejects.toBe(error);
  });
});

test('another refusal comes through', async () => {
  const world = await presented();
  const error = new UnauthorizedError({ what: 'The account is deactivated.' });
  world.calls.answer('ca.respond', error);
  await expect(respond(world)).rejects.toBe(error);
});

test('run twice is run once', async () => {
  const world = await presented();
  const first = await respond(world);
  expect(await respond(world)).toEqual(first);
  expect(statuses(world)).toEqual(['processing', 'processing', 'processing']);
});

test('it may die after any call, and every proof is announced', async () => {
  await interruptedAfterEachCall(presented, respond, (world, _, last) => {
    expect(statuses(world), last).toEqual(['processing', 'processing', 'processing']);
  });
});
