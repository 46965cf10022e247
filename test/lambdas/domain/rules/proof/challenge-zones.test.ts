import { expect, test } from 'vitest';
import { mostZoneBytes, zoneBytes, zonesForState } from '../../../../../lambdas/domain/rules/proof/challenge-zones.ts';

const zone = (name: string, more: object = {}) => ({ id: `Z${name.toUpperCase()}`, name, ...more });
const own = zone('shop.example');
const aliased = zone('alias.example');
const forChallenges = zone('acme.example', { challengesOnly: true });
const others = (count: number) => Array.from({ length: count }, (_, index) => zone(`other-${index}.example`));
const names = {
  identifiers: ['*.www.shop.example'],
  challengeAliases: { 'www.shop.example': '_acme-challenge.x.alias.example' },
};

test('all zones are passed in their order as long as they fit', () => {
  const zones = [...others(300), own, aliased, forChallenges];
  expect(zonesForState(names, zones)).toEqual(zones);
});

test('zones that are needed come first, and others follow as long as they fit', () => {
  const zones = [...others(2000), own, aliased, forChallenges];
  const passed = zonesForState(names, zones);
  expect(passed.slice(0, 3)).toEqual([own, aliased, forChallenges]);
  expect(zoneBytes(passed)).toBeLessThanOrEqual(mostZoneBytes);
  expect(passed.length).toBeGreaterThan(500);
});

test('a zone for a name is the longest suffix only', () => {
  const parent = zone('example', { role: { arn: 'r'.repeat(mostZoneBytes) } });
  expect(zonesForState(names, [parent, own, aliased])).toEqual([own, aliased]);
});
