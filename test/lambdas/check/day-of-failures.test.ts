import { describe, expect, test } from 'vitest';
import { checkRenewal } from '../../../lambdas/check/check-renewal.ts';
import { recordFailure } from '../../../lambdas/check/record-failure.ts';
import type { CertificateSpec } from '../../../lambdas/domain/contract/config.ts';
import { PerennialError, type ProblemDocument } from '../../../lambdas/domain/contract/errors.ts';
import { fleetDecision } from '../../../lambdas/domain/rules/renewal/renewal-decision.ts';
import { failedWith } from '../../fakes/error-output.ts';
import { configOf, factsWith, specWith } from '../../fakes/specs.ts';
import { createWorld } from '../../fakes/world.ts';

/** Counts the requests to the CA on a day on which every order fails, with the real *Check renewal* and *Record failure*. */

const start = Date.parse('2026-03-10T00:00:00Z');
const minutes = (count: number): number => count * 60_000;
const hours = (count: number): number => minutes(60 * count);

interface Failure {
  readonly error: string;
  readonly problem?: ProblemDocument;
}

interface Day {
  readonly specs?: readonly CertificateSpec[];
  /** `notAfter` of the certificate in use, which has a lifetime of 90 days. `null` if it was never issued. */
  readonly expires?: string | null;
  /** Time between two fleet runs, in ms. */
  readonly interval?: number;
}

interface Wake {
  readonly at: number;
  readonly certificate: string;
  readonly execution: string;
  readonly attempt: number;
}

/** Returns the times at which an order was about to be placed, in minutes since midnight, by certificate. Each order fails ten seconds later. */
async function ordersOfADay(
  failure: Failure,
  { specs = [specWith()], expires = '2026-04-01T00:00:00Z', interval = hours(6) }: Day = {},
): Promise<Record<string, number[]>> {
  const { clock, ledger, secrets, ports } = createWorld({ now: new Date(start).toISOString() });
  const config = { ...configOf(...specs), checkInterval: interval / 1000 };
  const orders: Record<string, number[]> = {};
  for (const { name, identifiers } of specs) {
    orders[name] = [];
    if (expires === null) continue;
    const notBefore = new Date(Date.parse(expires) - hours(90 * 24)).toISOString();
    ledger.put(name, { current: factsWith({ identifiers, notBefore, notAfter: expires }) });
    secrets.put(name, { current: { versionId: 'version-1', value: 'whole' } });
  }

  /** Runs an execution until its next wait. Returns `null` if the execution has ended. */
  async function wake({ certificate, execution, attempt }: Wake): Promise<Wake | null> {
    const run = { certificate, execution, attempt };
    const startedAt = clock.now().toISOString();
    const input = {
      ...run,
      request: { certificate },
      cleaned: false,
      removed: [],
      reported: [],
      waitStarts: {},
      discardedOrder: null,
      startedAt,
    };
    const after = (seconds: number) => ({ ...run, at: clock.now().getTime() + seconds * 1000 });
    let failed = failure;
    try {
      const { action, wait } = await checkRenewal(input, { ...ports, config });
      if (action === 'wait') return after(wait);
      if (action === 'none') return null;
      orders[certificate]?.push(Math.floor((clock.now().getTime() - start) / 60_000));
      clock.advance(10_000);
    } catch (error) {
      if (!(error instanceof PerennialError)) throw error;
      failed = { error: error.name, ...(error.problem ? { problem: error.problem } : {}) };
    }
    const spec = specs.find(({ name }) => name === certificate) ?? null;
    const output = await recordFailure(
      {
        ...run,
        spec,
        errorOutput: failedWith(failed.error, 'No.', failed.problem),
        announced: null,
        removed: [],
        deploy: false,
        startedAt,
      },
      { ...ports, config },
    );
    return output.retryIn === null ? null : { ...after(output.retryIn), attempt: attempt + 1 };
  }

  let fleetAt = start;
  let waiting: readonly Wake[] = [];
  const pushOn = (at: number) => clock.set(new Date(Math.max(at, clock.now().getTime())).toISOString());
  for (;;) {
    const [next, ...later] = waiting.toSorted((a, b) => a.at - b.at);
    if (Math.min(next?.at ?? Number.POSITIVE_INFINITY, fleetAt) >= start + hours(24)) return orders;
    if (next && next.at <= fleetAt) {
      pushOn(next.at);
      const again = await wake(next);
      waiting = again ? [...later, again] : later;
      continue;
    }
    pushOn(fleetAt);
    const due = specs.filter((spec) => fleetDecision(spec, ledger.get(spec.name), interval / 1000, clock.now()));
    const started = due.map(({ name }) => ({
      at: fleetAt,
      certificate: name,
      execution: `${name}-${fleetAt}`,
      attempt: 1,
    }));
    waiting = [...waiting, ...started];
    fleetAt += interval;
  }
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
