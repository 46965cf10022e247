import { describe, expect, test } from 'vitest';
import { CaaError, ChallengeAliasError, ZoneNotDelegatedError } from '../../../../../lambdas/domain/contract/errors.ts';
import { firstProblem } from '../../../../../lambdas/domain/rules/proof/first-problem.ts';

const aliasError = (identifier: string, record: string) =>
  new ChallengeAliasError({ what: `${identifier} has no CNAME.`, remedy: `Create ${record}.`, identifier, record });
const delegation = new ZoneNotDelegatedError({ what: 'Z1 is not delegated.', zone: 'Z1', servers: ['ns.old.test'] });

const messageOf = (...problems: readonly unknown[]): string =>
  (firstProblem('www', problems[0], problems.slice(1)) as Error).message;

describe('the first problem', () => {
  test('is returned with the certificate if it is the only one', () => {
    const problem = firstProblem('www', delegation, []);
    expect(problem).toBeInstanceOf(ZoneNotDelegatedError);
    expect(problem).toMatchObject({
      message: 'Certificate www: Z1 is not delegated.',
      fields: { certificate: 'www', zone: 'Z1', servers: ['ns.old.test'] },
    });
  });

  test('keeps its class, fields and problem document, and lists the records of the others before their sentences', () => {
    const caa = new CaaError({ what: 'CAA forbids it.', record: 'A', problem: { type: 'urn:caa' } });
    const problem = firstProblem('www', caa, [delegation, aliasError('b.test', 'B'), aliasError('c.test', 'C')]);
    expect(problem).toBeInstanceOf(CaaError);
    expect(problem).toMatchObject({
      message:
        'Certificate www: CAA forbids it. 3 other problems were found. Create these records too: `B`; `C`. Z1 is not delegated.',
      fields: { record: 'A' },
      problem: { type: 'urn:caa' },
    });
  });

  test('lists a record once that several problems share', () => {
    const found = messageOf(...['A', 'A', 'B', 'B'].map((record) => aliasError('a.test', record)));
    expect(found).toContain('1 other problem was found. Create this record too: `B`.');
  });

  test('is returned unchanged if it is another kind of error', () => {
    const error = new TypeError('x is undefined');
    expect(firstProblem('www', error, [delegation])).toBe(error);
    expect(messageOf(delegation, error)).toContain('1 other problem was found. x is undefined');
  });
});

describe('problems that do not fit into a message', () => {
  const record = (index: number) => `${index}.${'x'.repeat(240)}. 300 IN CNAME y.test.`;

  test('are counted, with a reference to the log', () => {
    const others = Array.from({ length: 20 }, (_, index) => aliasError('a.test', record(index)));
    const message = messageOf(delegation, ...others);
    expect(message.length).toBeLessThanOrEqual(2048);
    const shown = message.match(/ IN CNAME /g)?.length ?? 0;
    expect(shown).toBeGreaterThan(5);
    expect(message).toContain('20 other problems were found. Create these records too:');
    expect(message).toContain(`The log of the challenge function (output ChallengeLogs) has ${20 - shown} more.`);
  });

  test('are only counted if none of them fits', () => {
    const message = messageOf(delegation, aliasError('a.test', 'x'.repeat(3000)));
    expect(message).toBe(
      'Certificate www: Z1 is not delegated. 1 other problem was found. The log of the challenge function (output ChallengeLogs) has 1 more.',
    );
  });
});
