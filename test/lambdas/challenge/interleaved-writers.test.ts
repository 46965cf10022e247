import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanUpChallenges } from '../../../lambdas/challenge/clean-up-challenges.ts';
import { presentChallenges } from '../../../lambdas/challenge/present-challenges.ts';
import type { TxtValue } from '../../../lambdas/domain/contract/certificate-facts.ts';
import type { HostedZones } from '../../../lambdas/domain/ports/hosted-zones.ts';
import { run } from '../../fakes/specs.ts';
import { createWorld } from '../../fakes/world.ts';

const names = ['_acme-challenge.a.example.com', '_acme-challenge.b.example.com'] as const;

/** Values of one run of one certificate. Two runs never share a value, because each order has its own tokens. */
const records = (writer: string) =>
  fc.uniqueArray(
    fc.record({
      hostedZoneId: fc.constant('Z1'),
      name: fc.constantFrom(...names),
      value: fc.constantFrom('1', '2', '3').map((value) => `${writer}-${value}`),
    }),
    { selector: ({ name, value }) => `${name} ${value}`, maxLength: 4 },
  );

const otherSet = fc.record({
  values: fc.uniqueArray(fc.stringMatching(/^"other [ -!#-[\]-~]{1,8}"$/), { maxLength: 3 }),
  ttl: fc.integer({ min: 0, max: 86_400 }),
});

test('two runs that present and clean up leave exactly the values of other writers, in any order of their calls', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      records('one'),
      records('two'),
      fc.tuple(otherSet, otherSet),
      async (scheduler, one, two, others) => {
        const { hostedZones, clock, log } = createWorld();
        hostedZones.addZone('Z1');
        for (const [index, { values, ttl }] of others.entries()) {
          hostedZones.put('Z1', names[index] ?? '', values, { ttl });
        }
        const before = hostedZones.all('Z1');
        const scheduled: HostedZones = {
          readTxt: scheduler.scheduleFunction((zone, name) => hostedZones.readTxt(zone, name)),
          change: scheduler.scheduleFunction((zone, changes) => hostedZones.change(zone, changes)),
          pendingChanges: (changes) => hostedZones.pendingChanges(changes),
          nameServers: (zone) => hostedZones.nameServers(zone),
        };
        const ports = { hostedZonesAs: () => scheduled, clock, log };

        const missing: TxtValue[] = [];
        const writer = async (own: typeof one) => {
          await presentChallenges({ ...run, records: own }, ports);
          missing.push(...own.filter(({ name, value }) => !hostedZones.answers('Z1', name).includes(value)));
          const { removed } = await cleanUpChallenges({ ...run, records: own }, ports);
          expect(removed).toHaveLength(own.length);
        };
        await scheduler.waitFor(Promise.all([writer(one), writer(two)]));

        expect(missing).toEqual([]);
        expect(bySetName(hostedZones.all('Z1'))).toEqual(bySetName(before));
      },
    ),
    { numRuns: 300 },
  );
});

/** Indexes the sets by name and sorts their values, because Route 53 keeps no order of sets or values. */
const bySetName = (
  sets: readonly { readonly name: string; readonly ttl: number; readonly values: readonly string[] }[],
) => new Map(sets.map(({ name, ttl, values }) => [name, { ttl, values: values.toSorted() }]));
