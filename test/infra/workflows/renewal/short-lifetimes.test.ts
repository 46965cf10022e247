import { expect, test } from 'vitest';
import { fleetDecision } from '../../../../lambdas/domain/rules/renewal/fleet-decision.ts';
import { authorities } from '../../../fakes/certificate-authority.ts';
import { makeLeaf, pemOf } from '../../../fakes/certificates.ts';
import { execution } from '../../../fakes/specs.ts';
import { renew, request, spec, world } from './renewal-in-memory.ts';

/** Days of fleet runs at a CA whose certificates live for hours, through the workflow in memory. */

const hour = 3_600_000;

/** Runs the fleet for five days. Returns the hours between the issuances and the least part of a lifetime that was left, and checks that nothing fails. */
async function daysOfRuns(lifetime: number, interval: number) {
  const w = world();
  w.ca.issue = async (identifiers, privateKey) => {
    const { intermediate } = await authorities();
    const start = w.clock.now().getTime() - 60_000;
    const validity = {
      notBefore: new Date(start).toISOString(),
      notAfter: new Date(start + lifetime * hour).toISOString(),
    };
    return (await makeLeaf(intermediate, { identifiers, privateKey, ...validity })) + pemOf(intermediate.certificate);
  };
  const begin = w.clock.now().getTime();
  const issued: number[] = [];
  let least = 1;
  for (let at = begin; at < begin + 120 * hour; at += interval * hour) {
    w.clock.set(new Date(at).toISOString());
    const { current } = w.ledger.get('www');
    if (current) least = Math.min(least, (Date.parse(current.notAfter) - at) / (lifetime * hour));
    if (!fleetDecision(spec, w.ledger.get('www'), interval * 3600, w.clock.now())) continue;
    const arn = `${execution}-${at}`;
    w.executions.setStatus(arn, 'live');
    const { status, cause } = await renew(w, { input: request, arn });
    expect([status, cause]).toEqual(['SUCCEEDED', '']);
    w.executions.setStatus(arn, 'ended');
    if (w.ledger.get('www').current?.execution === arn) issued.push((at - begin) / hour);
  }
  return { waits: issued.map((each, index) => each - (issued[index - 1] ?? 0)).slice(1), least };
}

test.each([
  ["24 hours (step-ca's default) and a run every 6 hours", 24, 6, 12, 0.25],
  ['24 hours and a run every 90 minutes', 24, 1.5, 12, 0.4],
  ['12 hours and a run every 45 minutes', 12, 0.75, 6, 0.4],
  ["160 hours (Let's Encrypt's shortlived) and a run every 6 hours", 160, 6, 80, 0.4],
])(
  'a certificate of %s is renewed at the first run after half of its lifetime',
  async (_, lifetime, interval, half, left) => {
    const { waits, least } = await daysOfRuns(lifetime, interval);
    expect(waits.length).toBeGreaterThan(0);
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(half);
      expect(wait).toBeLessThan(half + 2 * interval);
    }
    expect(least).toBeGreaterThan(left);
  },
);
