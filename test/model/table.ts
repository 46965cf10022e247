import {
  dueWithoutPace,
  type FleetResult,
  type IdleResult,
  idleRun,
  massRevocation,
  newInNewAccount,
  type OutageResult,
  outage,
  type RevocationResult,
  thousandDue,
} from './scenarios.ts';

/** The results of all cases. */
export interface ModelResults {
  readonly due: FleetResult;
  readonly revoked: RevocationResult;
  readonly fresh: FleetResult;
  readonly unpaced: FleetResult;
  readonly outage: OutageResult;
  readonly idle: IdleResult;
}

/** Simulates all cases. It takes half a minute. */
export async function modelResults(): Promise<ModelResults> {
  return {
    due: await thousandDue(),
    revoked: await massRevocation(10_000),
    fresh: await newInNewAccount(),
    unpaced: await dueWithoutPace(),
    outage: await outage(1000),
    idle: await idleRun(100_000),
  };
}

/** Returns the rows of the table in docs/scale.md. Numbers are rounded up. */
export function modelTable({ due, revoked, fresh, unpaced, outage, idle }: ModelResults): string {
  const rows = [
    ['case', 'in the model', 'bound'],
    ['---', '---', '---'],
    ['1,000 certificates are due at once', renewed(due), '30 minutes, 20 functions, no failure event'],
    [
      'a CA revokes 10,000 certificates at once',
      `the last one is detected after ${up(revoked.detectedHours, 1)} hours and replaced after ${up(revoked.replacedHours, 1)} hours, with ${atOnce(revoked)}`,
      '24 hours',
    ],
    [
      '250 new certificates in an account that may run ten functions at once, with `pace: 0.4`',
      renewed(fresh),
      '10 functions, no failure event',
    ],
    ['250 certificates are due at once, without a pace', renewed(unpaced), 'shows why there is a pace'],
    [
      '1,000 certificates become due while a CA answers 503 with a `Retry-After` of ten minutes for two hours',
      `the CA gets ${up(outage.requests, 10)} requests in these two hours, and the last certificate is renewed ${up(60 * outage.hours, 10)} minutes after them`,
      '60 requests, one hour',
    ],
    [
      '100,000 certificates, nothing due: selection',
      `${up(idle.selectionSeconds, 5)} s of Lambda time, ${usd(idle.selectionDollars, 3)}`,
      '60 s, USD 0.01',
    ],
    [
      '100,000 certificates, every ARI answer stale: renewal information',
      `${up(idle.refreshMinutes, 1)} minutes`,
      '20 minutes',
    ],
    ['100,000 certificates: daily comparison, the part of one run', usd(idle.comparisonDollars, 2), 'USD 0.15'],
  ];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Rounds up, so that a small change of the code does not change the table. */
const up = (value: number, step: number): string => (Math.ceil(value / step) * step).toLocaleString('en');
const usd = (value: number, digits: number): string =>
  `USD ${(Math.ceil(value * 10 ** digits) / 10 ** digits).toFixed(digits)}`;

const renewed = (result: FleetResult): string =>
  `renewed after ${up(result.minutes, 1)} minutes, with ${atOnce(result)}`;

const atOnce = ({ functions, failureEvents, throttled }: FleetResult): string =>
  `at most ${up(functions, 5)} functions at once, ${some(failureEvents, 10)} failure events and ${some(throttled, 5000)} throttled calls of Route 53`;

const some = (count: number, step: number): string => (count === 0 ? 'no' : `up to ${up(count, step)}`);
