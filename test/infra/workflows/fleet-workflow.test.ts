import { Duration } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { ofType, type Synthesized, smallConfig, synthesize } from '../synthesized.ts';
import { definition, run, TaskError, type Tasks, thrown } from './state-machine.ts';

const certificates = Array.from({ length: 250 }, (_, index) => ({
  name: `c${index}`,
  identifiers: [`c${index}.example.com`],
}));
const synthesized = synthesize({ ...smallConfig, certificates });
const workflow = definition('-fleet', synthesized);

const due = (...names: string[]) => ({
  due: names.map((name) => ({ certificate: name, executionName: `${name}-1`, reason: 'due' })),
  checked: 100,
  postponed: 0,
});

/** Runs the fleet workflow. `batches` has the result of *Check fleet* for each batch, and `starts` the errors of *Start renewal* by certificate. */
async function check(batches: readonly unknown[], starts: Readonly<Record<string, Error>> = {}) {
  const checked: unknown[] = [];
  const started: unknown[] = [];
  const tasks: Tasks = {
    'Check fleet': ({ Payload }) => {
      const { input } = Payload as { readonly input: { readonly batch: number } };
      checked.push(input);
      const answer = batches[input.batch];
      if (answer instanceof Error) throw answer;
      return { Payload: answer };
    },
    'Start renewal': ({ Input, Name }) => {
      const { certificate } = Input as { readonly certificate: string };
      const failure = starts[certificate];
      if (failure) throw failure;
      started.push([Name, Input]);
      return { ExecutionArn: 'arn' };
    },
  };
  const ended = await run(workflow, { input: {}, tasks });
  return { ...ended, checked, started };
}

describe('a fleet run', () => {
  test('checks every batch of a hundred, and starts the due renewals by name', async () => {
    const { status, checked, started } = await check([due('c1'), due(), due('c201', 'c202')]);
    expect(checked).toEqual([
      { batch: 0, batches: 3 },
      { batch: 1, batches: 3 },
      { batch: 2, batches: 3 },
    ]);
    expect(started).toEqual([
      ['c1-1', { certificate: 'c1' }],
      ['c201-1', { certificate: 'c201' }],
      ['c202-1', { certificate: 'c202' }],
    ]);
    expect(status).toBe('SUCCEEDED');
  });

  test('succeeds if a renewal with the same name was already started', async () => {
    const exists = new TaskError('StepFunctions.ExecutionAlreadyExistsException', 'name in use');
    expect((await check([due('c1'), due(), due()], { c1: exists })).status).toBe('SUCCEEDED');
  });

  test('continues after a batch that cannot be checked, and fails with its number', async () => {
    const { error, cause, started } = await check([due('c1'), thrown('ThrottledError', 'slow down'), due('c201')]);
    expect(started).toHaveLength(2);
    expect(error).toBe('FleetCheckError');
    expect(cause).toContain('batch 1: ThrottledError');
  });

  test('continues after renewals that cannot be started, and fails with all their names', async () => {
    const refused = new TaskError('StepFunctions.StateMachineDeletingException', 'gone');
    const { error, cause, started } = await check([due('c1', 'c2', 'c3'), due(), due('c201')], {
      c1: refused,
      c3: refused,
    });
    expect(started).toHaveLength(2);
    expect(error).toBe('FleetCheckError');
    expect(cause).toMatch(/c1: .*c3: .*next fleet run/);
  });
});

describe('the schedule', () => {
  const scheduleOf = ({ resources }: Synthesized) => ofType(resources, 'AWS::Scheduler::Schedule')[0]?.[1].Properties;

  test('starts the fleet every six hours, at most an hour late', () => {
    expect(scheduleOf(synthesized)).toMatchObject({
      ScheduleExpression: 'rate(6 hours)',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 60 },
      State: 'ENABLED',
    });
  });

  test('starts the fleet at the configured interval, at most a quarter of it late', () => {
    expect(scheduleOf(synthesize({ ...smallConfig, schedule: Duration.minutes(90) }))).toMatchObject({
      ScheduleExpression: 'rate(90 minutes)',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 22 },
    });
  });
});
