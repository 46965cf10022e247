import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CertificateFacts } from '../../../lambdas/domain/contract/certificate-facts.ts';
import { specWith } from '../../fakes/specs.ts';
import { type Failure, type PlacedOrder, simulate } from './simulated-renewals.ts';

/** Months of certificates with short lifetimes, with an outage each week at any time. Times are in ms. */

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const week = 7 * day;
const start = Date.parse('2026-03-01T00:00:00Z');
const end = start + 4 * week;

/** CAs date certificates back, so that they are valid for clients whose clock is slow. */
const backdating = hour;

const urn = (type: string): string => `urn:ietf:params:acme:error:${type}`;
const limited = { type: urn('rateLimited'), status: 429, retryAfter: day / 1000 };

/** What happens during an outage. */
const kinds: Readonly<Record<string, Failure | 'no runs'>> = {
  'the fleet does not run': 'no runs',
  'the CA does not reply': { error: 'CaUnavailableError' },
  'the CA is busy': { error: 'CaBusyError', problem: { type: 'about:blank', status: 503, retryAfter: 3600 } },
  'a limit of the CA is reached': { error: 'RateLimitedError', problem: limited },
  'no name server has the records': {
    error: 'ChallengeFailedError',
    problem: { type: urn('dns'), identifier: 'example.com' },
  },
  'CAA records forbid the CA': { error: 'CaaError', problem: { type: urn('caa') } },
};

interface Outage {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

interface Month {
  readonly lifetime: number;
  readonly interval: number;
  readonly outages: readonly Outage[];
  readonly ari: boolean;
}

/**
 * Returns months with an outage in each week but the first. Half of the CAs suggest a window of 2 % of the lifetime around its middle, as Boulder
 * does.
 */
const months = ({ longest, ...fixed }: Pick<Month, 'lifetime' | 'interval'> & { readonly longest: number }) =>
  fc
    .record({ ari: fc.boolean(), outages: fc.tuple(...[1, 2, 3].map((each) => outageIn(each, longest))) })
    .map((drawn): Month => ({ ...fixed, ...drawn }));

/** An outage begins in the first three days of its week and lasts for three at most, so that two outages do not become one. */
const outageIn = (weekOfMonth: number, longest: number): fc.Arbitrary<Outage> =>
  fc
    .record({
      kind: fc.constantFrom(...Object.keys(kinds)),
      after: fc.integer({ min: 0, max: (3 * day) / minute }),
      minutes: fc.integer({ min: 1, max: longest / minute }),
    })
    .map(({ kind, after, minutes }) => {
      const from = start + weekOfMonth * week + after * minute;
      return { kind, from, to: from + minutes * minute };
    });

function placedOrders({ lifetime, interval, outages, ari }: Month): Promise<readonly PlacedOrder[]> {
  const trouble = (at: number) => kinds[outages.find(({ from, to }) => at >= from && at < to)?.kind ?? ''];
  const notBefore = (at: number) => at - backdating;
  const window = (current: CertificateFacts) => {
    const middle = Date.parse(current.notBefore) + lifetime / 2;
    return { start: new Date(middle - lifetime / 100), end: new Date(middle + lifetime / 100) };
  };
  return simulate({
    specs: [specWith()],
    start,
    end,
    interval,
    runs: (at) => trouble(at) !== 'no runs',
    order(at) {
      const failure = trouble(at);
      if (failure && failure !== 'no runs') return failure;
      const validity = { notBefore: new Date(notBefore(at)), notAfter: new Date(notBefore(at) + lifetime) };
      return { notBefore: validity.notBefore.toISOString(), notAfter: validity.notAfter.toISOString() };
    },
    renewalInfo(current, at) {
      if (!ari) return 'unsupported';
      const isDown = trouble(at) === kinds['the CA does not reply'] || trouble(at) === kinds['the CA is busy'];
      if (isDown) return { failed: 'no reply', temporary: true, retryAfter: null };
      return { ...window(current), explanationUrl: null, retryAfter: 21_600 };
    },
  });
}

/** Returns the time without a valid certificate before each issuance. It is negative if the certificate before was still valid. */
function gapsIn(orders: readonly PlacedOrder[]): readonly { readonly at: number; readonly gap: number }[] {
  const issued = orders.flatMap(({ at, issued }) => (issued ? [{ at, end: Date.parse(issued.notAfter) }] : []));
  return issued.slice(1).map(({ at }, index) => ({ at, gap: at - (issued[index]?.end ?? 0) }));
}

/** The largest number of these times in one period. */
const mostIn = (period: number, times: readonly number[]): number =>
  Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + period).length));

const timesOf = (orders: readonly PlacedOrder[]): readonly number[] => orders.map(({ at }) => at);

/** Checks what limits of a CA would notice. Let's Encrypt allows five failed validations of a name in an hour. */
function assertFewOrders(orders: readonly PlacedOrder[], mostADay: number): void {
  expect(mostIn(hour, timesOf(orders.filter(({ issued }) => issued === null)))).toBeLessThanOrEqual(4);
  expect(mostIn(day, timesOf(orders))).toBeLessThanOrEqual(mostADay);
}

/** Checks that no order is placed before a limit of the CA has ended. */
function assertLimitsKept(orders: readonly PlacedOrder[], outages: readonly Outage[]): void {
  for (const { kind, from, to } of outages) {
    if (kind !== 'a limit of the CA is reached') continue;
    const [refused, next] = orders.filter(({ at }) => at >= from);
    if (refused && refused.at < to) expect((next?.at ?? end) - refused.at).toBeGreaterThanOrEqual(day);
  }
}

/** Checks that each order names the certificate in use. Orders with `replaces` are exempt from Let's Encrypt's limits. */
function assertReplacing(orders: readonly PlacedOrder[]): void {
  let inUse: string | null = null;
  for (const { issued, replaces } of orders) {
    expect(replaces).toBe(inUse);
    inUse = issued?.certificateId ?? inUse;
  }
}

/** Checks a property of the orders of 20 months. */
const holds = (
  kind: Parameters<typeof months>[0],
  property: (orders: readonly PlacedOrder[], outages: readonly Outage[]) => void,
) =>
  fc.assert(
    fc.asyncProperty(months(kind), async (month) => property(await placedOrders(month), month.outages)),
    { numRuns: 20 },
  );

const shortlived = { lifetime: 160 * hour, interval: 6 * hour };
const daily = { lifetime: day, interval: 90 * minute };

describe("a certificate of 160 hours (Let's Encrypt's shortlived), with a run every 6 hours", () => {
  test('has a day left at each renewal after outages of up to a day, and limits of the CA are kept', async () => {
    await holds({ ...shortlived, longest: day }, (orders, outages) => {
      const gaps = gapsIn(orders);
      expect(gaps.length).toBeGreaterThanOrEqual(6);
      expect(Math.max(...gaps.map(({ gap }) => gap))).toBeLessThan(-day);
      // Let's Encrypt issues five certificates for the same names in seven days.
      expect(mostIn(week, timesOf(orders.filter(({ issued }) => issued)))).toBeLessThanOrEqual(3);
      assertFewOrders(orders, 9);
      assertLimitsKept(orders, outages);
      assertReplacing(orders);
    });
  });

  test('is always valid with outages of up to three days', async () => {
    await holds({ ...shortlived, longest: 3 * day }, (orders) => {
      expect(Math.max(...gapsIn(orders).map(({ gap }) => gap))).toBeLessThan(0);
      assertFewOrders(orders, 12);
    });
  });
});

describe("a certificate of a day (step-ca's default), with a run every 90 minutes", () => {
  test('is always valid with outages of up to 8 hours', async () => {
    await holds({ ...daily, longest: 8 * hour }, (orders) => {
      const gaps = gapsIn(orders);
      expect(gaps.length).toBeGreaterThanOrEqual(40);
      expect(Math.max(...gaps.map(({ gap }) => gap))).toBeLessThan(0);
      assertFewOrders(orders, 12);
    });
  });

  test('that expired in an outage of up to a day is renewed in the four hours after it', async () => {
    await holds({ ...daily, longest: day }, (orders, outages) => {
      for (const { at, gap } of gapsIn(orders).filter((each) => each.gap > 0)) {
        const over = outages.filter(({ to }) => to <= at).at(-1)?.to ?? start;
        expect(at - Math.max(over, at - gap)).toBeLessThan(4 * hour);
      }
      assertFewOrders(orders, 20);
    });
  });
});
