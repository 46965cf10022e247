import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HostedZone } from '../../../../../lambdas/domain/contract/config.ts';
import { challengeTarget } from '../../../../../lambdas/domain/rules/proof/challenge-target.ts';

const example: HostedZone = { id: 'Z1', name: 'example.com' };
const challengesZone: HostedZone = { id: 'Z2', name: 'acme.example.net', challengesOnly: true };

const chain = (...links: readonly string[]) => ({ links, endless: null });
const problemOf = (target: ReturnType<typeof challengeTarget>) =>
  'missing' in target ? `${target.why} ${target.remedy}` : '';
const recordOf = (target: ReturnType<typeof challengeTarget>) => ('missing' in target ? (target.record ?? '') : '');

describe('a loop at a name where the record itself can be created', () => {
  test('is fixed by removing the CNAME', () => {
    const target = challengeTarget('example.com', { links: ['_acme-challenge.example.com'], endless: 'loop' }, [
      example,
    ]);
    expect(problemOf(target)).toContain('Remove the CNAME');
    expect(problemOf(target)).toContain('_acme-challenge.example.com itself');
  });

  test('is fixed by a CNAME into the zone for challenges if there is one', () => {
    const alias = { links: ['_acme-challenge.example.com'], endless: 'loop' as const };
    expect(problemOf(challengeTarget('example.com', alias, [example, challengesZone]))).toContain(
      '_acme-challenge.example.com. 300 IN CNAME _acme-challenge.example.com.acme.example.net.',
    );
  });
});

test('reports a missing zone if no zone is configured', () => {
  expect(challengeTarget('example.org', chain(), [])).toMatchObject({ missing: 'zone' });
  expect(problemOf(challengeTarget('example.org', chain('x.test'), []))).toContain('Add a hosted zone');
});

test('allows the apex of a zone for challenges', () => {
  expect(challengeTarget('example.org', chain(challengesZone.name), [example, challengesZone])).toEqual({
    zone: challengesZone,
    name: challengesZone.name,
  });
});

test('returns the apex of a delegated _acme-challenge zone', () => {
  const own: HostedZone = { id: 'Z3', name: '_acme-challenge.example.com' };
  expect(challengeTarget('*.example.com', chain(), [example, own])).toEqual({ zone: own, name: own.name });
});

describe('the record to create', () => {
  const label = fc.stringMatching(/^[a-z0-9]{1,63}$/);
  const name = fc
    .array(label, { minLength: 2, maxLength: 20 })
    .map((labels) => `${labels.join('.')}.org`)
    .filter((text) => text.length <= 237);

  test('has a valid target that may be written, for an identifier of any length', () => {
    fc.assert(
      fc.property(
        name,
        fc.constantFrom<readonly HostedZone[]>([example], [challengesZone], [example, challengesZone]),
        (identifier, zones) => {
          const found = challengeTarget(identifier, chain('elsewhere.test'), zones);
          const [, record, target = ''] = /^(\S+)\. 300 IN CNAME (\S+)\.$/.exec(recordOf(found)) ?? [];
          expect(problemOf(found)).toContain(recordOf(found));
          expect(record).toBe(`_acme-challenge.${identifier}`);
          expect(target.length).toBeLessThanOrEqual(253);
          expect(challengeTarget(identifier, chain(target), zones)).toMatchObject({ name: target });
        },
      ),
    );
  });
});
