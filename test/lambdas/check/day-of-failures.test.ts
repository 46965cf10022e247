import { describe, expect, test } from 'vitest';
import type { CertificateSpec } from '../../../lambdas/domain/contract/config.ts';
import { factsWith, specWith } from '../../fakes/specs.ts';
import { type Failure, simulate } from './simulated-renewals.ts';

/** Counts the requests to the CA on a day on which every order fails, with the real steps. */

const start = Date.parse('2026-03-10T00:00:00Z');
const minutes = (count: number): number => count * 60_000;
const hours = (count: number): number => minutes(60 * count);

interface Day {
  readonly specs?: readonly CertificateSpec[];
  /** `notAfter` of the certificate in use, which has a lifetime of 90 days. `null` if it was never issued. */
  readonly expires?: string | null;
  /** Time between two fleet runs, in ms. */
  readonly interval?: number;
}

/** Returns the times at which an order was placed, in minutes since midnight, by certificate. Each order fails. */
async function ordersOfADay(
  failure: Failure,
  { specs = [specWith()], expires = '2026-04-01T00:00:00Z', interval = hours(6) }: Day = {},
): Promise<Record<string, number[]>> {
  const inUse = specs.flatMap(({ name, identifiers }) => {
    if (expires === null) return [];
    const notBefore = new Date(Date.parse(expires) - hours(90 * 24)).toISOString();
    return [[name, factsWith({ identifiers, notBefore, notAfter: expires })] as const];
  });
  const order = () => failure;
  const placed = await simulate({
    specs,
    inUse: Object.fromEntries(inUse),
    start,
    end: start + hours(24),
    interval,
    order,
  });
  return Object.fromEntries(
    specs.map(({ name }) => [
      name,
      placed.flatMap(({ certificate, at }) => (certificate === name ? [Math.floor((at - start) / 60_000)] : [])),
    ]),
  );
}

const urn = (type: string): string => `urn:ietf:params:acme:error:${type}`;
const limited = (retryAfter?: number): Failure => ({
  error: 'RateLimitedError',
  problem: { type: urn('rateLimited'), status: 429, ...(retryAfter === undefined ? {} : { retryAfter }) },
});

describe('a CA that answers 429 gets at most 30 requests a day', () => {
  const retryAfters = [undefined, 0, 1, 36, 600, 3600, 7000, 7300, 14_400, 86_400, 122_400];

  test.each(retryAfters)('if its Retry-After is %s s and an order takes three requests', async (retryAfter) => {
    for (const expires of [null, '2026-04-01T00:00:00Z', '2026-03-12T00:00:00Z']) {
      const { www = [] } = await ordersOfADay(limited(retryAfter), { expires });
      expect(www.length, `expires ${expires}`).toBeGreaterThan(0);
      // Directory, nonce and order, without any cached reply.
      expect(3 * www.length, `expires ${expires}: ${www}`).toBeLessThanOrEqual(30);
    }
  });

  test.each(retryAfters)('if its Retry-After is %s s and the fleet runs every 15 minutes', async (retryAfter) => {
    for (const expires of ['2026-04-01T00:00:00Z', '2026-03-12T00:00:00Z']) {
      const { www = [] } = await ordersOfADay(limited(retryAfter), { interval: minutes(15), expires });
      expect(www.length, `expires ${expires}: ${www}`).toBeLessThanOrEqual(30);
    }
  });
});

/** Minutes after midnight. The fleet runs at 0, 360, 720 and 1080. */
test.each<[string, Failure, number[]]>([
  ['an unavailable CA', { error: 'CaUnavailableError' }, [0, 1, 11, 111]],
  [
    'status 503 with a Retry-After of one hour',
    { error: 'CaUnavailableError', problem: { type: 'about:blank', status: 503, retryAfter: 3600 } },
    [0, 63, 126, 226, 360, 720, 1080],
  ],
  ['status 429 without a Retry-After', limited(), [0, 1, 11, 111]],
  ['status 429 with a Retry-After of one hour', limited(3600), [0, 63, 126, 226, 360, 720, 1080]],
  ['status 429 with a Retry-After of five hours', limited(18_000), [0, 360, 720, 1080]],
  ['status 429 with a Retry-After of 36 hours', limited(129_600), [0]],
  [
    'failed challenges',
    { error: 'ChallengeFailedError', problem: { type: urn('dns'), identifier: 'example.com' } },
    [0, 1, 11, 111],
  ],
  ['CAA records that forbid the CA', { error: 'CaaError', problem: { type: urn('caa') } }, [0]],
  ['a paused account', { error: 'AccountPausedError', problem: { type: urn('rateLimited'), status: 429 } }, [0]],
  ['denied AWS calls', { error: 'AccessDeniedError' }, [0, 1]],
  ['invalid orders', { error: 'OrderInvalidError' }, [0, 1, 11, 111]],
  ['unexpected errors', { error: 'UnexpectedError' }, [0, 1, 11, 111]],
])('on a day of %s, orders are placed at the times of the retry schedule', async (_, failure, minutesOfOrders) => {
  expect(await ordersOfADay(failure)).toEqual({ www: minutesOfOrders });
});

describe('certificates that share a name', () => {
  const specs = ['one', 'two', 'three', 'four'].map((name) =>
    specWith({ name, identifiers: ['example.com', `${name}.example.com`].sort() }),
  );
  const refused = { error: 'ChallengeFailedError', problem: { type: urn('unauthorized'), identifier: 'example.com' } };

  test('together fail four times an hour for that name, which is below the limit of five of the CA', async () => {
    const all = Object.values(await ordersOfADay(refused, { specs })).flat();
    const inTheHourFrom = (minute: number) => all.filter((each) => each >= minute && each < minute + 60).length;
    expect(Math.max(...all.map(inTheHourFrom))).toBe(4);
    expect(all.length).toBeLessThanOrEqual(4 * 4);
  });

  test('do not delay each other if each fails for another name', async () => {
    const problem = { type: urn('unauthorized'), identifier: 'other.example.com' };
    const orders = await ordersOfADay({ ...refused, problem }, { specs: specs.slice(0, 1) });
    expect(orders).toEqual({ one: [0, 1, 11, 111] });
  });
});

describe('a CA that answers 503 with a Retry-After of one hour to some certificates only', () => {
  const busy = { error: 'CaBusyError', problem: { type: 'about:blank', status: 503, retryAfter: 3600 } };
  const fleetOf = (refused: number) =>
    [...Array.from({ length: refused }, (_, index) => `refused-${index}`), 'www'].map((name) =>
      specWith({ name, identifiers: [`${name}.example.com`] }),
    );

  test.each([
    [1, 360],
    [2, 360],
    [10, 360],
    [10, 60],
    [30, 15],
  ])('issues another one within half a day: %i refused, a fleet run every %i minutes', async (refused, interval) => {
    const placed = await simulate({
      specs: fleetOf(refused),
      start,
      end: start + hours(14),
      interval: minutes(interval),
      order: (_, certificate) =>
        certificate === 'www' ? { notBefore: '2026-03-10T00:00:00Z', notAfter: '2026-06-08T00:00:00Z' } : busy,
    });
    const issued = placed.find(({ certificate }) => certificate === 'www');
    expect(((issued?.at ?? Number.POSITIVE_INFINITY) - start) / hours(1)).toBeLessThan(12.5);
  });
});
