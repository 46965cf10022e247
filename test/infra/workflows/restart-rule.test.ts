import { describe, expect, test } from 'vitest';
import { parseRequest } from '../../../lambdas/domain/contract/renewal-request.ts';
import { ofType, resolve, synthesize } from '../synthesized.ts';

const { resources } = synthesize();

interface Pattern {
  readonly source: readonly string[];
  readonly 'detail-type': readonly string[];
  readonly detail: {
    readonly stateMachineArn: readonly string[];
    readonly input: readonly { readonly 'anything-but': { readonly prefix: string } }[];
    readonly $or: readonly Readonly<Record<string, readonly (string | { readonly prefix: string })[]>>[];
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
  readonly error: string | null;
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
  const values: Readonly<Record<string, string | null>> = { ...event };
  const fits = (field: string, wanted: readonly (string | { readonly prefix: string })[]) =>
    wanted.some((each) =>
      typeof each === 'string' ? values[field] === each : values[field]?.startsWith(each.prefix) === true,
    );
  return (
    pattern.detail.input.every(({ 'anything-but': but }) => !event.input.startsWith(but.prefix)) &&
    pattern.detail.$or.some((way) => Object.entries(way).every(([field, wanted]) => fits(field, wanted)))
  );
}

/** Returns the input of the new execution. EventBridge inserts a string as a JSON string if the template has no quotes around it. */
function startedWith(event: Ended): string {
  const [transformer] = targets.map(({ InputTransformer }) => InputTransformer);
  return (transformer?.InputTemplate ?? '').replace(/<([^>]+)>/g, (_, name: string) => {
    const path = transformer?.InputPathsMap[name] ?? '';
    return JSON.stringify(Object.fromEntries(Object.entries(event))[path.replace('$.detail.', '')]);
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
  ])('restarts an execution that could not clean up: %j', (event) => {
    expect(matches(event)).toBe(true);
  });

  test.each([
    ended('RUNNING'),
    ended('SUCCEEDED'),
    ended('PENDING_REDRIVE'),
    ended('FAILED', { error: 'ChallengeFailedError' }),
    ended('FAILED', { error: 'LeaseLostError' }),
    ended('FAILED'),
  ])('ignores an execution that runs, has succeeded or has recorded its failure: %j', (event) => {
    expect(matches(event)).toBe(false);
  });

  test('passes the ARN and the input, which are parsed as the same certificate without force', () => {
    const event = ended('ABORTED');
    const input = JSON.parse(startedWith(event)) as unknown;
    expect(input).toEqual({ restartOf: event.executionArn, input: event.input });
    expect(parseRequest(input)).toMatchObject({ certificate: 'www', force: false });
  });

  test('does not restart a restart', () => {
    const restart = startedWith(ended('ABORTED'));
    for (const status of ['ABORTED', 'TIMED_OUT']) expect(matches(ended(status, { input: restart }))).toBe(false);
    expect(matches(ended('FAILED', { input: restart, error: 'States.Runtime' }))).toBe(false);
  });
});
