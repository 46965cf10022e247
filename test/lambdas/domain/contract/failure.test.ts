import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as errors from '../../../../lambdas/domain/contract/errors.ts';
import { readErrorOutput, toLambdaError } from '../../../../lambdas/domain/contract/failure.ts';
import { errorOutputOf } from '../../../fakes/error-output.ts';

const problem: errors.ProblemDocument = {
  type: 'urn:ietf:params:acme:error:rateLimited',
  status: 429,
  detail: 'too many certificates already issued',
  identifier: '*.example.com',
  retryAfter: 3600,
};

describe('an error is decoded as it was encoded', () => {
  test('with its name, sentence, fields and problem document', () => {
    const what = 'The CA limits the account.';
    const thrown = toLambdaError(new errors.RateLimitedError({ what, issuer: 'test-ca', certificate: 'www', problem }));
    expect(thrown.name).toBe('RateLimitedError');
    expect(readErrorOutput(errorOutputOf(thrown))).toEqual({
      error: 'RateLimitedError',
      sentence: 'Certificate www: The CA limits the account.',
      fields: { issuer: 'test-ca', certificate: 'www' },
      problem,
    });
  });

  test('with the sentence on the first line and the rest as JSON on the second', () => {
    const what = 'The CA\r\nis\n  away.';
    const { message } = toLambdaError(new errors.CaUnavailableError({ what, issuer: 'test-ca', problem }));
    const [sentence, details = '', ...rest] = message.split('\n');
    expect(sentence).toBe('The CA is away.');
    expect(JSON.parse(details)).toEqual({ issuer: 'test-ca', problem });
    expect(rest).toEqual([]);
  });

  test('with the certificate of the run, where the error does not name one', () => {
    const unnamed = toLambdaError(new errors.CaUnavailableError({ what: 'The CA is away.' }), 'www');
    expect(readErrorOutput(errorOutputOf(unnamed))).toMatchObject({
      error: 'CaUnavailableError',
      sentence: 'Certificate www: The CA is away.',
      fields: { certificate: 'www' },
    });
    const named = toLambdaError(new errors.CaUnavailableError({ what: 'Away.', certificate: 'api' }), 'www');
    expect(readErrorOutput(errorOutputOf(named)).sentence).toBe('Certificate api: Away.');
  });

  test('with the sentence alone where there is nothing else', () => {
    const thrown = toLambdaError(new errors.CaUnavailableError({ what: 'The CA is away.' }));
    expect(thrown.message).toBe('The CA is away.');
    expect(readErrorOutput(errorOutputOf(thrown))).toEqual({
      error: 'CaUnavailableError',
      sentence: 'The CA is away.',
      fields: {},
      problem: null,
    });
  });

  test('with a sentence that is JSON', () => {
    const thrown = toLambdaError(new errors.CaUnavailableError({ what: '{"answer":42}.' }));
    expect(readErrorOutput(errorOutputOf(thrown)).sentence).toBe('{"answer":42}.');
  });

  test.each([
    ['an error without a class', new TypeError('x is undefined'), 'x is undefined.'],
    ['not an error', 'text', 'text.'],
  ])('as UnexpectedError when it is %s', (_, error, sentence) => {
    expect(readErrorOutput(errorOutputOf(toLambdaError(error)))).toMatchObject({ error: 'UnexpectedError', sentence });
  });

  test('completely with a hundred failed validations', () => {
    const proof = (index: number): errors.ProblemDocument => ({
      type: 'urn:ietf:params:acme:error:dns',
      detail: `${index} ${'ü"\\'.repeat(700)}`,
      identifier: `n${index}.example.com`,
      subproblems: [problem, problem],
    });
    const subproblems = Array.from({ length: 100 }, (_, index) => proof(index));
    const what = subproblems.map(({ detail }) => detail).join('; ');
    const thrown = toLambdaError(new errors.ChallengeFailedError({ what, problem: { ...proof(0), subproblems } }));
    const output = errorOutputOf(thrown);
    expect(output.Cause.length).toBeLessThan(32_768);
    const report = readErrorOutput(output);
    expect(report.sentence).toMatch(/^0 ü/);
    expect(report.sentence.length).toBeLessThanOrEqual(2048);
    expect(report.problem).toMatchObject({ type: 'urn:ietf:params:acme:error:dns', identifier: 'n0.example.com' });
    // All identifiers are kept, because the CA counts failures by identifier. The first three have the words of the CA.
    expect(report.problem?.subproblems?.map(({ identifier }) => identifier)).toEqual(
      subproblems.map(({ identifier }) => identifier),
    );
    expect(report.problem?.subproblems?.filter(({ detail }) => detail)).toHaveLength(3);
  });

  test('as complete JSON when every field has its longest value', () => {
    const subproblems = Array.from({ length: 100 }, (_, index) => ({
      type: 'urn:ietf:params:acme:error:dns',
      detail: '"'.repeat(700),
      identifier: `${index}.${'a'.repeat(240)}.example`,
    }));
    const thrown = toLambdaError(
      new errors.ChallengeFailedError({
        what: '"'.repeat(5000),
        recordNames: Array.from({ length: 100 }, () => '"'.repeat(5000)),
        resource: '"'.repeat(900),
        zone: 'Z1',
        problem: { ...problem, detail: '"'.repeat(5000), identifier: '"'.repeat(5000), subproblems },
      }),
    );
    const output = errorOutputOf(thrown);
    expect(output.Cause.length).toBeLessThan(32_768);
    const report = readErrorOutput(output);
    expect(report.problem?.subproblems?.length).toBeGreaterThan(20);
    // A field that does not fit is left out, and later fields are kept.
    expect(report.fields).toEqual({ resource: '"'.repeat(900), zone: 'Z1' });
  });
});

describe('an error that AWS reports', () => {
  test.each([
    ['States.Timeout', 'StepTimedOutError'],
    ['States.HeartbeatTimeout', 'StepTimedOutError'],
    ['Sandbox.Timedout', 'StepTimedOutError'],
    ['Lambda.TooManyRequestsException', 'ThrottledError'],
    ['Lambda.Unknown', 'UnexpectedError'],
    ['Runtime.ExitError', 'UnexpectedError'],
    ['States.TaskFailed', 'UnexpectedError'],
    ['toString', 'UnexpectedError'],
    ['__proto__', 'UnexpectedError'],
  ])('%s is %s', (name, error) => {
    expect(readErrorOutput({ Error: name, Cause: 'as AWS says' }).error).toBe(error);
  });

  test('keeps its name in the sentence when it is unexpected', () => {
    expect(readErrorOutput({ Error: 'Runtime.ExitError', Cause: 'signal:\nkilled' }).sentence).toBe(
      'Runtime.ExitError: signal: killed',
    );
  });

  test('is a timeout when the report of the function says so', () => {
    const Cause = JSON.stringify({ errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out after 20.00 seconds' });
    expect(readErrorOutput({ Error: 'Sandbox.Timedout', Cause })).toMatchObject({
      error: 'StepTimedOutError',
      sentence: 'Task timed out after 20.00 seconds',
    });
  });
});

test('returns a name and a sentence that a Fail state accepts for any error output', () => {
  const names = fc.constantFrom('States.Timeout', 'LeaseLostError', 'constructor', '__proto__', '');
  const anything = fc.oneof(
    fc.anything(),
    fc.record({ Error: fc.oneof(names, fc.anything()), Cause: fc.oneof(fc.json(), fc.string(), fc.anything()) }),
  );
  const classes = new Set(Object.keys(errors));
  fc.assert(
    fc.property(anything, (errorOutput) => {
      const { error, sentence, fields } = readErrorOutput(errorOutput);
      expect(classes).toContain(error);
      expect(sentence).not.toBe('');
      expect(sentence).not.toContain('\n');
      expect(sentence.length).toBeLessThanOrEqual(2048);
      expect(typeof fields).toBe('object');
    }),
  );
});

test('every error class has its own name as its name, so that Step Functions can match it', () => {
  for (const [name, ErrorClass] of Object.entries(errors)) {
    if (name === 'PerennialError') continue;
    const instance = Reflect.construct(ErrorClass, [{ what: 'Why.' }]) as Error;
    expect(instance.name).toBe(name);
    expect(instance).toBeInstanceOf(errors.PerennialError);
  }
});
