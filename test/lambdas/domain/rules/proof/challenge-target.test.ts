import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HostedZone } from '../../../../../lambdas/domain/contract/config.ts';
import { challengeTarget } from '../../../../../lambdas/domain/rules/proof/challenge-target.ts';

const example: HostedZone = { id: 'Z1', name: 'example.com' };
const spare: HostedZone = { id: 'Z2', name: 'acme.example.net', challengesOnly: true };

const leads = (...links: readonly string[]) => ({ links, endless: null });
const problemOf = (target: ReturnType<typeof challengeTarget>) =>
  'missing' in target ? `${target.why} ${target.remedy}` : '';
const recordOf = (target: ReturnType<typeof challengeTarget>) => ('missing' in target ? (target.record ?? '') : '');

describe('a loop at a name that could hold the record itself', () => {
  test('is mended by removing the CNAME', () => {
    const target = challengeTarget('example.com', { links: ['_acme-challenge.example.com'], endless: 'loop' }, [
      example,
    ]);
    expect(problemOf(target)).toContain(
      'Remove the CNAME: the record can stand at _acme-challenge.example.com itself.',
    );
  });

  test('may lead into the zone for challenges where there is one', () => {
    const alias = { links: ['_acme-challenge.example.com'], endless: 'loop' as const };
    expect(problemOf(challengeTarget('example.com', alias, [example, spare]))).toContain(
      '_acme-challenge.example.com. 300 IN CNAME _acme-challenge.example.com.acme.example.net.',
    );
  });
});

test('with no zone at all the zone is what is missing', () => {
  expect(challengeTarget('example.org', leads(), [])).toMatchObject({ missing: 'zone' });
  expect(problemOf(challengeTarget('example.org', leads('x.test'), []))).toContain('Add a hosted zone');
});

test('the apex of a zone for challenges may be written', () => {
  expect(challengeTarget('example.org', leads(spare.name), [example, spare])).toEqual({
    zone: spare,
    name: spare.name,
  });
});

test('a delegated _acme-challenge zone is written at its apex', () => {
  const own: HostedZone = { id: 'Z3', name: '_acme-challenge.example.com' };
  expect(challengeTarget('*.example.com', leads(), [example, own])).toEqual({ zone: own, name: own.name });
});

describe('the record to make', () => {
  const label = fc.stringMatching(/^[a-z0-9]{1,63}$/);
  const name = fc
    .array(label, { minLength: 2, maxLength: 20 })
    .map((labels) => `${labels.join('.')}.org`)
    .filter((text) => text.length <= 237);

  test('is a name that DNS takes, and leads where we may write, however long the identifier', () => {
    fc.assert(
      fc.property(
        name,
        fc.constantFrom<readonly HostedZone[]>([example], [spare], [example, spare]),
        (identifier, zones) => {
          const found = challengeTarget(identifier, leads('elsewhere.test'), zones);
          const [, record, target = ''] = /^(\S+)\. 300 IN CNAME (\S+)\.$/.exec(recordOf(found)) ?? [];
          expect(problemOf(found)).toContain(recordOf(found));
          expect(record).toBe(`_acme-challenge.${identifier}`);
          expect(target.length).toBeLessThanOrEqual(253);
          expect(challengeTarget(identifier, leads(target), zones)).toMatchObject({ name: target });
        },
      ),
    );
  });
});
