import { describe, expect, test } from 'vitest';
import { CaBusyError, CaUnavailableError, RateLimitedError } from '../../../../lambdas/domain/contract/errors.ts';
import { fleetDecision } from '../../../../lambdas/domain/rules/renewal/fleet-decision.ts';
import { FakeCa } from '../../../fakes/certificate-authority.ts';
import { execution, otherExecution } from '../../../fakes/specs.ts';
import type { World } from '../../../fakes/world.ts';
import type { Ended } from '../state-machine.ts';
import { renew, request, spec, world } from './renewal-in-memory.ts';

/** CAs that never issue, tested through the workflow with its waits and retries. */

const HOUR_MS = 3_600_000;
const INTERVAL_H = 6;

const due = ({ clock, ledger }: World) =>
  fleetDecision(spec, ledger.get('www'), (INTERVAL_H * HOUR_MS) / 1000, clock.now()) !== null;

/** Runs the renewals of a day on which the fleet runs every six hours. */
async function dayOfRenewals(w: World): Promise<readonly Ended[]> {
  const start = w.clock.now().getTime();
  const ends: Ended[] = [];
  for (let hours = 0; hours < 24; hours += INTERVAL_H) {
    const fleetAt = start + hours * HOUR_MS;
    if (w.clock.now().getTime() > fleetAt) continue;
    w.clock.set(new Date(fleetAt).toISOString());
    if (!due(w)) continue;
    const arn = `${execution}-${hours}`;
    w.executions.setStatus(arn, 'live');
    ends.push(await renew(w, { input: request, arn, retries: true }));
    w.executions.setStatus(arn, 'ended');
  }
  return ends;
}

const problem = { type: 'urn:ietf:params:acme:error:rateLimited', status: 429, retryAfter: 600 };

describe('a certificate that was never issued, on a day when the CA rejects every order', () => {
  test.each([
    // 600 s with a tenth of jitter twice, then the retry schedule. The three later fleet runs try once.
    [7, new RateLimitedError({ what: 'Too many orders', problem }), [7260, 0, 0, 0]],
    // 60 + 600 + 6,000 s, four orders each time, then nothing until the next day.
    [16, new CaUnavailableError({ what: 'The CA is away' }), [6660]],
  ])('costs the CA %i orders of the 30 allowed, with %s', async (expected, refusal, waits) => {
    const w = world();
    let orders = 0;
    w.ca.newOrder = async () => {
      orders += 1;
      throw refusal;
    };
    const ends = await dayOfRenewals(w);
    expect(ends.map(({ status, error, waited }) => [status, error, waited])).toEqual(
      waits.map((waited) => ['FAILED', refusal.name, waited]),
    );
    expect(orders).toBe(expected);
    expect(w.ledger.get('www')).toMatchObject({ lease: null, order: null, failure: { error: refusal.name } });
  });
});

test('an order that the CA refuses with HTTP 500 and a Retry-After is placed again after that time, with the same `replaces`', async () => {
  const w = world();
  await renew(w, { input: request, arn: execution });
  w.executions.setStatus(execution, 'ended');
  const replaces = w.ledger.get('www').current?.certificateId;
  const asked: { readonly at: number; readonly replaces: unknown }[] = [];
  w.ca.newOrder = async (order) => {
    asked.push({ at: w.clock.now().getTime() / 1000, replaces: order.replaces });
    const status = { type: 'urn:ietf:params:acme:error:serverInternal', status: 500, retryAfter: 300 };
    if (asked.length === 1) throw new CaBusyError({ what: 'The CA has a fault.', problem: status });
    return FakeCa.prototype.newOrder.call(w.ca, order);
  };
  const { status } = await renew(w, { input: { ...request, force: true }, arn: otherExecution, retries: true });

  expect(status).toBe('SUCCEEDED');
  expect(replaces).toEqual(expect.any(String));
  expect(asked.map((each) => each.replaces)).toEqual([replaces, replaces]);
  expect((asked[1]?.at ?? 0) - (asked[0]?.at ?? 0)).toBeGreaterThanOrEqual(300);
});

test('an order with a status that is not in RFC 8555 times out, and the fleet does not retry it too early', async () => {
  const w = world();
  w.ca.order = async (url) => ({ ...(await FakeCa.prototype.order.call(w.ca, url)), status: 'waiting' });
  w.executions.setStatus(execution, 'live');
  const { status, error, cause, entered } = await renew(w, { input: request, arn: execution, retries: true });

  expect([status, error]).toEqual(['FAILED', 'OrderTimeoutError']);
  expect(cause).toContain('Certificate www');
  expect(cause).toContain('waiting');
  expect(entered.filter((state) => state === 'Record failure')).toHaveLength(4);
  expect(w.ca.orderUrls()).toHaveLength(1);
  expect(w.hostedZones.all('Z1')).toEqual([]);
  const { lease, leftovers, failure, current } = w.ledger.get('www');
  expect({ lease, leftovers, current }).toEqual({ lease: null, leftovers: [], current: null });
  expect(failure?.error).toBe('OrderTimeoutError');
  expect(due(w)).toBe(false);
});

describe('a CA that sends a Retry-After of', () => {
  const minutes = (ms: number) => Math.round(ms / 60_000);

  /** Runs a renewal at a CA that never validates or never issues, and returns the minutes until each recorded failure. */
  async function failures(stage: 'validation' | 'issuance', retryAfter: number) {
    const w = world();
    w.ca[stage] = 'later';
    w.ca.retryAfter = retryAfter;
    const start = w.clock.now().getTime();
    const times: number[] = [];
    const recordFailure = w.ledger.recordFailure.bind(w.ledger);
    w.ledger.recordFailure = (...args) => {
      times.push(minutes(w.clock.now().getTime() - start));
      return recordFailure(...args);
    };
    const ended = await renew(w, { input: request, arn: execution, retries: true });
    return { ...ended, times };
  }

  test.each([
    ['validates', 'validation', 3, [15, 31, 56, 171]],
    ['validates', 'validation', 86_400, [15, 31, 56, 171]],
    ['issues', 'issuance', 3, [30, 61, 101, 231]],
    ['issues', 'issuance', 86_400, [30, 61, 101, 231]],
  ] as const)(
    'never %s (%s, %i s) is a counted failure when the bound has passed',
    async (_, stage, retryAfter, expected) => {
      const { error, cause, times } = await failures(stage, retryAfter);
      expect(error).toBe('OrderTimeoutError');
      expect(cause).toContain(`within ${stage === 'validation' ? 15 : 30} minutes`);
      expect(times).toEqual(expected);
    },
  );
});
