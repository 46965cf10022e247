import { expect, test } from 'vitest';
import { synthesize } from '../synthesized.ts';
import { definition, type State, type StateMachine } from './state-machine.ts';

const tasksOf = ({ States }: StateMachine): State[] =>
  Object.values(States).flatMap((state) => {
    const inner = [...(state.Branches ?? []), ...(state.ItemProcessor ? [state.ItemProcessor] : [])];
    return [...(state.Type === 'Task' ? [state] : []), ...inner.flatMap(tasksOf)];
  });
const tasks = ['-renewal', '-fleet', '-accounts'].flatMap((ending) => tasksOf(definition(ending, synthesize())));

/** Seconds until the last retry, without jitter. */
function longest({ IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds = Infinity, MaxAttempts }: Retrier): number {
  const waits = Array.from({ length: MaxAttempts }, (_, index) => IntervalSeconds * BackoffRate ** index);
  return waits.reduce((sum, wait) => sum + Math.min(wait, MaxDelaySeconds), 0);
}

type Retrier = NonNullable<State['Retry']>[number];

test('each error is retried as often and for as long as its policy says', () => {
  const policies = new Set(
    tasks.flatMap(({ Retry = [] }) =>
      Retry.map((each) => `${each.ErrorEquals[0]}: ${each.MaxAttempts} times, ${longest(each)} s`),
    ),
  );
  expect([...policies].toSorted()).toEqual([
    'AccessDeniedError: 9 times, 180 s',
    'CaUnavailableError: 3 times, 35 s',
    'Lambda.TooManyRequestsException: 5 times, 62 s',
    'Lambda.TooManyRequestsException: 773 times, 15391 s',
    'RecordSetContentionError: 4 times, 30 s',
    'RenewalsInProgressError: 20 times, 600 s',
    'States.TaskFailed: 3 times, 7 s',
    'States.TaskFailed: 6 times, 47 s',
    'StepFunctions.ExecutionAlreadyExistsException: 0 times, 0 s',
    'ThrottledError: 68 times, 18211 s',
  ]);
});

test.each(['ThrottledError', 'Lambda.TooManyRequestsException'])(
  '%s is waited out for two hours, also with unlucky jitter',
  (error) => {
    const {
      IntervalSeconds = 1,
      MaxDelaySeconds = 0,
      MaxAttempts,
    } = tasks
      .flatMap(({ Retry = [] }) => Retry)
      .find(({ ErrorEquals, MaxAttempts }) => ErrorEquals.includes(error) && MaxAttempts > 5) as Retrier;
    const waits = Array.from({ length: MaxAttempts }, (_, n) => Math.min(IntervalSeconds * 2 ** n, MaxDelaySeconds));
    // Full jitter is uniform from 0 to the wait, with a variance of wait² / 12. Three standard deviations below the mean are rare.
    const mean = waits.reduce((sum, wait) => sum + wait / 2, 0);
    const deviation = Math.sqrt(waits.reduce((sum, wait) => sum + wait ** 2 / 12, 0));
    expect(mean - 2.8 * deviation).toBeGreaterThan(2 * 3600);
  },
);

test('every function call is retried if Lambda or another service is busy', () => {
  const functions = tasks.filter(({ Arguments }) => Arguments?.FunctionName !== undefined);
  expect(functions.length).toBeGreaterThan(20);
  for (const { Arguments, Retry = [] } of functions)
    expect(
      Retry.flatMap(({ ErrorEquals }) => ErrorEquals),
      JSON.stringify(Arguments),
    ).toEqual(expect.arrayContaining(['Lambda.TooManyRequestsException', 'ThrottledError']));
});

test.each(['Take fleet lease', 'Select due certificates'])(
  '%s is retried if the first deployment starts it before IAM has propagated the role of its function',
  (state) => {
    const { Retry = [] } = definition('-fleet', synthesize()).States[state] as State;
    expect(Retry.find(({ ErrorEquals }) => ErrorEquals.includes('AccessDeniedError'))?.MaxAttempts).toBe(9);
  },
);
