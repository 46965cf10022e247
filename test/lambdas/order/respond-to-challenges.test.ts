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

test('answers every dns-01 challenge and no other challenge', async () => {
  const world = await presented();
  expect(await respond(world)).toEqual({ wait: 1 });
  expect(statuses(world)).toEqual(['processing', 'processing', 'processing']);
  expect(world.calls.made.filter(({ name }) => name === 'ca.respond').map(({ args }) => args[0])).toEqual(
    challenges.map(({ url }) => url),
  );
});

test('sends one request at a time, because each reply has the nonce of the next request', async () => {
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

describe('after a failed request the challenge is read, and', () => {
  test.each([
    ['a cut connection', new CaUnavailableError({ what: 'The connection was cut.' })],
    ['malformed', new MalformedError({ what: 'The challenge is processing.' })],
  ])('%s counts as answered if the challenge is no longer pending', async (_, error) => {
    const world = await presented();
    world.calls.loseReply('ca.respond', error);
    expect(await respond(world)).toEqual({ wait: 1 });
    expect(statuses(world)).toEqual(['processing', 'processing', 'processing']);
  });

  test.each([
    ['a cut connection', new CaUnavailableError({ what: 'The connection was cut.' })],
    ['malformed', new MalformedError({ what: 'No such thing.' })],
  ])('%s is thrown if the challenge is still pending', async (_, error) => {
    const world = await presented();
    world.calls.answer('ca.respond', error);
    await expect(respond(world)).rejects.toBe(error);
  });
});

test('any other error of the CA is thrown', async () => {
  const world = await presented();
  const error = new UnauthorizedError({ what: 'The account is deactivated.' });
  world.calls.answer('ca.respond', error);
  await expect(respond(world)).rejects.toBe(error);
});

test('a second run returns the same and does not change the challenges', async () => {
  const world = await presented();
  const first = await respond(world);
  expect(await respond(world)).toEqual(first);
  expect(statuses(world)).toEqual(['processing', 'processing', 'processing']);
});

test('a run after an interruption at any call answers every challenge', async () => {
  await interruptedAfterEachCall(presented, respond, (world, _, last) => {
    expect(statuses(world), last).toEqual(['processing', 'processing', 'processing']);
  });
});
