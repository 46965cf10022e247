import { describe } from 'vitest';
import { hostedZonesBehaviour } from '../lambdas/adapters/aws/route-53/hosted-zones-behaviour.ts';
import { FakeHostedZones } from './hosted-zones.ts';

describe('hosted zones in memory', () => {
  const hostedZones = new FakeHostedZones();
  hostedZones.propagation = 'later';
  hostedZonesBehaviour(() => ({
    hostedZones,
    createZone: async (name) => {
      hostedZones.addZone(name);
      hostedZones.otherNames.set(name, name);
      return name;
    },
    createCname: async (zone, name, target) =>
      hostedZones.put(zone, name, [], { unsuitable: `a CNAME to ${target} is at that name` }),
    settle: async () => hostedZones.settle(),
  }));
});
