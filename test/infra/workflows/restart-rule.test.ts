import { describe, expect, test } from 'vitest';
import { interruptedExecution } from '../../../lambdas/domain/contract/renewal-request.ts';
import { ofType, resolve, synthesize } from '../synthesized.ts';

const { resources } = synthesize();

/** What a pattern allows for a field. */
type Wanted = string | null | { readonly prefix?: string; readonly exists?: boolean };

interface Pattern {
  readonly source: readonly string[];
  readonly 'detail-type': readonly string[];
  readonly detail: {
    readonly stateMachineArn: readonly string[];
    readonly input: readonly { readonly 'anything-but': { readonly prefix: string } }[];
    readonly $or: readonly Readonly<Record<string, readonly Wanted[]>>[];
  };
}
interface Target {
  readonly Arn: string;
  readonly InputTransformer: { readonly InputPathsMap: Record<string, string>; readonly InputTemplate: string };
}

const [rule] = ofType(resources, 'AWS::Events::Rule').map(
  ([, { Properties }]) =>
    resolve(Properties, resources) as { readonly EventPattern: Pattern; readonly Targets: readonly Target[] },
);
const { EventPattern: pattern, Targets: targets } = rule as NonNullable<typeof rule>;
const [renewal = ''] = pattern.detail.stateMachineArn;

/** The fields of an event that the pattern reads. */
interface Ended {
  readonly executionArn: string;
  readonly status: string;
  readonly input: string;
  /** `undefined` if the event has no such field. */
  readonly error: string | null | undefined;
}
const ended = (status: string, fields: Partial<Ended> = {}): Ended => ({
  executionArn: 'arn:aws:states:eu-central-1:123456789012:execution:renewal:www-1',
  status,
  input: '{"certificate":"www","force":true}',
  error: null,
  ...fields,
});

/** Returns whether the event matches the pattern by the rules of EventBridge. */
function matches(event: Ended): boolean {
  const values: Readonly<Record<string, string | null | undefined>> = { ...event };
  const fits = (field: string, wanted: readonly Wanted[]) =>
    wanted.some((each) => {
      const value = values[field];
      if (each === null || typeof each === 'string') return value === each;
      if (each.prefix !== undefined) return value?.startsWith(each.prefix) === true;
      return each.exists === (value !== undefined);
    });
  return (
    pattern.detail.input.every(({ 'anything-but': but }) => !event.input.startsWith(but.prefix)) &&
    pattern.detail.$or.some((way) => Object.entries(way).every(([field, wanted]) => fits(field, wanted)))
  );
}

/**
 * Returns the input of the new execution. EventBridge puts a string into quotes if the template has none around it, and does not escape it.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
function startedWith(event: Ended): string {
  const [transformer] = targets.map(({ InputTransformer }) => InputTransformer);
  return (transformer?.InputTemplate ?? '').replace(/<([^>]+)>/g, (_, name: string) => {
    const path = transformer?.InputPathsMap[name] ?? '';
    return `"${Object.fromEntries(Object.entries(event))[path.replace('$.detail.', '')]}"`;
  });
}

describe('the restart rule', () => {
  test('matches executions of the renewal workflow only, and starts that workflow', () => {
    expect(pattern.source).toEqual(['aws.states']);
    expect(pattern['detail-type']).toEqual(['Step Functions Execution Status Change']);
    expect(pattern.detail.stateMachineArn).toEqual([expect.stringMatching(/:stateMachine:Perennial-.*-renewal$/)]);
    expect(targets.map(({ Arn }) => Arn)).toEqual([renewal]);
  });

  test.each([
    ended('ABORTED'),
    ended('ABORTED', { error: 'Stopped', input: '{ "certificate": "www" }' }),
    ended('TIMED_OUT'),
    ended('FAILED', { error: 'States.Runtime' }),
    ended('FAILED', { error: 'States.DataLimitExceeded' }),
    ended('FAILED', { error: null }),
    ended('FAILED', { error: undefined }),
    ended('FAILED', { error: 'FunctionsReplacedError' }),
  ])('restarts an execution that could not clean up: %j', (event) => {
    expect(matches(event)).toBe(true);
  });

  test.each([
    ended('RUNNING'),
    ended('SUCCEEDED'),
    ended('PENDING_REDRIVE'),
    ended('FAILED', { error: 'ChallengeFailedError' }),
    ended('FAILED', { error: 'LeaseLostError' }),
  ])('ignores an execution that runs, has succeeded or has recorded its failure: %j', (event) => {
    expect(matches(event)).toBe(false);
  });

  test('passes the ARN only, because an input with quotes would make the input of the restart invalid', () => {
    const event = ended('ABORTED');
    const input = JSON.parse(startedWith(event)) as unknown;
    expect(input).toEqual({ restartOf: event.executionArn });
    expect(interruptedExecution(input)).toBe(event.executionArn);
  });

  test('does not restart a restart', () => {
    const restart = startedWith(ended('ABORTED'));
    for (const status of ['ABORTED', 'TIMED_OUT']) expect(matches(ended(status, { input: restart }))).toBe(false);
    for (const error of ['States.Runtime', 'FunctionsReplacedError'])
      expect(matches(ended('FAILED', { input: restart, error }))).toBe(false);
  });
});
