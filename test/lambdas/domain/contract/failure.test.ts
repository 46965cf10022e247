import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as errors from '../../../../lambdas/domain/contract/errors.ts';
import { readErrorOutput, toLambdaError } from '../../../../lambdas/domain/contract/failure.ts';

const problem: errors.ProblemDocument = {
  type: 'urn:ietf:params:acme:error:rateLimited',
  status: 429,
  detail: 'too many certificates already issued',
  identifier: '*.example.com',
  retryAfter: 3600,
};

/** As Lambda and Step Functions carry a thrown error to the Catch. */
function carried(error: Error): unknown {
  const Cause = JSON.stringify({ errorType: error.name, errorMessage: error.message, trace: ['at …'] });
  return { Error: error.name, Cause };
}

describe('an error crosses from a function to the end of the workflow', () => {
  test('with its name, its sentence and its problem', () => {
    const thrown = toLambdaError(new errors.RateLimitedError('The CA is asked too often.', { problem }));
    expect(thrown.name).toBe('RateLimitedError');
    expect(readErrorOutput(carried(thrown))).toEqual({
      error: 'RateLimitedError',
      message: 'The CA is asked too often.',
      problem,
    });
  });

  test('without a problem where there is none', () => {
    expect(readErrorOutput(carried(toLambdaError(new errors.CaUnavailableError('The CA is away.'))))).toEqual({
      error: 'CaUnavailableError',
      message: 'The CA is away.',
      problem: null,
    });
  });

  test('with a sentence that happens to be JSON as it is', () => {
    const { message } = readErrorOutput(carried(toLambdaError(new errors.CaUnavailableError('{"answer":42}'))));
    expect(message).toBe('{"answer":42}');
  });

  test.each([
    ['an error of nobody’s', new TypeError('x is undefined'), 'UnexpectedError', 'x is undefined'],
    ['something that is no error', 'text', 'UnexpectedError', 'text'],
  ])('as an unexpected one when it is %s', (_, error, name, message) => {
    expect(readErrorOutput(carried(toLambdaError(error)))).toMatchObject({ error: name, message });
  });

  test('whole, however long a hundred failed proofs make it', () => {
    const proof = (index: number): errors.ProblemDocument => ({
      type: 'urn:ietf:params:acme:error:dns',
      detail: `${index} ${'ü"\\'.repeat(700)}`,
      identifier: `n${index}.example.com`,
      subproblems: [problem, problem],
    });
    const subproblems = Array.from({ length: 100 }, (_, index) => proof(index));
    const sentence = subproblems.map(({ detail }) => detail).join('; ');
    const thrown = toLambdaError(new errors.ChallengeFailedError(sentence, { problem: { ...proof(0), subproblems } }));
    const output = carried(thrown) as { readonly Cause: string };
    expect(output.Cause.length).toBeLessThan(32_768);
    const report = readErrorOutput(output);
    expect(report.message).toMatch(/^0 ü/);
    expect(report.message.length).toBeLessThanOrEqual(2048);
    expect(report.problem).toMatchObject({ type: 'urn:ietf:params:acme:error:dns', identifier: 'n0.example.com' });
    // Every one, since the CA counts the failures of each identifier; the first three with the CA's words.
    expect(report.problem?.subproblems?.map(({ identifier }) => identifier)).toEqual(
      subproblems.map(({ identifier }) => identifier),
    );
    expect(report.problem?.subproblems?.filter(({ detail }) => detail)).toHaveLength(3);
  });

  test('as whole JSON also when a hundred identifiers are as long as they may be', () => {
    const subproblems = Array.from({ length: 100 }, (_, index) => ({
      type: 'urn:ietf:params:acme:error:dns',
      detail: '"'.repeat(700),
      identifier: `${index}.${'a'.repeat(240)}.example`,
    }));
    const thrown = toLambdaError(
      new errors.ChallengeFailedError('"'.repeat(5000), { problem: { ...problem, subproblems } }),
    );
    const output = carried(thrown) as { readonly Cause: string };
    expect(output.Cause.length).toBeLessThan(32_768);
    expect(readErrorOutput(output).problem?.subproblems?.length).toBeGreaterThan(20);
  });
});

describe('what AWS itself reports', () => {
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

  test('keeps its own name in the sentence when it is unexpected', () => {
    expect(readErrorOutput({ Error: 'Runtime.ExitError', Cause: 'signal: killed' }).message).toBe(
      'Runtime.ExitError: signal: killed',
    );
  });

  test('is a timeout also when the function’s own report says so', () => {
    const Cause = JSON.stringify({ errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out after 20.00 seconds' });
    expect(readErrorOutput({ Error: 'Sandbox.Timedout', Cause })).toMatchObject({
      error: 'StepTimedOutError',
      message: 'Task timed out after 20.00 seconds',
    });
  });
});

test('whatever the error output is, an answer comes out that Fail can show', () => {
  const names = fc.constantFrom('States.Timeout', 'LeaseLostError', 'constructor', '__proto__', '');
  const anything = fc.oneof(
    fc.anything(),
    fc.record({ Error: fc.oneof(names, fc.anything()), Cause: fc.oneof(fc.json(), fc.string(), fc.anything()) }),
  );
  const classes = new Set(Object.keys(errors));
  fc.assert(
    fc.property(anything, (errorOutput) => {
      const { error, message } = readErrorOutput(errorOutput);
      expect(classes).toContain(error);
      expect(message).not.toBe('');
      expect(message.length).toBeLessThanOrEqual(2048);
    }),
  );
});

test('every error class has its own name as its name, so that Step Functions can match it', () => {
  for (const [name, ErrorClass] of Object.entries(errors)) {
    if (name === 'PerennialError') continue;
    const instance = Reflect.construct(ErrorClass, ['why']) as Error;
    expect(instance.name).toBe(name);
    expect(instance).toBeInstanceOf(errors.PerennialError);
  }
});
