import { Duration } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { schemaErrors } from '../../event-schemas.ts';
import { ofType, type Synthesized, smallConfig, synthesize } from '../synthesized.ts';
import { definition, run, TaskError, type Tasks, thrown } from './state-machine.ts';

const synthesized = synthesize(smallConfig);
const workflow = definition('-fleet', synthesized);
const execution = 'arn:aws:states:eu-west-1:111122223333:execution:Fleet:noon';

/** Returns the output of a selection. `paced` starts have a slot each, and the others the slot after them. */
const selection = (names: readonly string[], paced = names.length) => ({
  due: names.map((certificate, index) => ({
    certificate,
    action: index < paced ? 'issue' : 'announce',
    executionName: `${certificate}-1`,
    slot: Math.min(index, paced),
  })),
  checked: 100,
  postponed: 0,
  late: [] as readonly object[],
});
const many = (count: number, prefix = 'c') => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

interface World {
  /** Results or errors of *Select due certificates*, one for each call. The last one is followed by empty selections. */
  readonly selections?: readonly unknown[];
  /** Errors of *Start renewal* by certificate. */
  readonly starts?: Readonly<Record<string, Error>>;
  /** Results or errors of the other tasks by state, one for each call. */
  readonly answers?: Readonly<Record<string, readonly unknown[]>>;
  /** Certificates whose event EventBridge refuses. */
  readonly refusedEvents?: readonly string[];
  readonly input?: unknown;
}

/** Runs the fleet workflow with a clock that only waits move. */
async function runFleet({ selections = [], starts = {}, answers = {}, refusedEvents = [], input = {} }: World) {
  let now = Date.parse('2026-03-15T00:00:00Z');
  const inputs: Record<string, unknown[]> = {};
  const started: { readonly certificate: string; readonly name: unknown; readonly after: number }[] = [];
  const published: unknown[] = [];
  let next: unknown;
  const begin = now;
  const step = (state: string, defaults: unknown, results: readonly unknown[] = answers[state] ?? []) => {
    const left = [...results];
    return ({ Payload }: Record<string, unknown>) => {
      const given = (Payload as { readonly input: unknown }).input;
      inputs[state] = [...(inputs[state] ?? []), given];
      const answer = left.length > 0 ? left.shift() : defaults;
      if (answer instanceof Error) throw answer;
      return { Payload: answer };
    };
  };
  const publish = ({ Entries }: Record<string, unknown>) => {
    const [{ Detail }] = Entries as [{ readonly Detail: { readonly certificate: string } }];
    if (refusedEvents.includes(Detail.certificate)) throw new TaskError('EventBridge.LimitExceededException', 'slow');
    published.push(Detail);
    return {};
  };
  const tasks: Tasks = {
    'Take fleet lease': step('Take fleet lease', { holder: null, after: null }),
    'Refresh renewal information': step('Refresh renewal information', {
      after: null,
      failures: {},
      asked: 0,
      saved: 0,
    }),
    'Select due certificates': step('Select due certificates', selection([]), selections),
    'Compare with what is there': step('Compare with what is there', { changed: [], due: 0, done: true }),
    'Report failed comparison': step('Report failed comparison', {}),
    'Announce expiring certificate': publish,
    'Announce postponed renewal': publish,
    'Announce change': publish,
    'Hand over fleet lease': step('Hand over fleet lease', { executionName: 'continued-1' }),
    'Release fleet lease': step('Release fleet lease', { released: true }),
    'Start renewal': ({ Input, Name }) => {
      const { certificate } = Input as { readonly certificate: string };
      if (starts[certificate]) throw starts[certificate];
      started.push({ certificate, name: Name, after: (now - begin) / 1000 });
      return { ExecutionArn: 'arn' };
    },
    'Start replacement': ({ Input }) => {
      next = { Input };
      return { ExecutionArn: 'arn' };
    },
    'Start next execution': ({ Input, Name }) => {
      next = { Input, Name };
      return { ExecutionArn: 'arn' };
    },
  };
  const ended = await run(workflow, {
    input,
    tasks,
    execution,
    now: () => new Date(now),
    onWait: (seconds) => {
      now += seconds * 1000;
    },
  });
  return { ...ended, inputs, started, published, next };
}

describe('a fleet run', () => {
  test('takes the lease, refreshes, selects until nothing is due, and releases the lease', async () => {
    const { status, entered, started, inputs } = await runFleet({
      selections: [selection(['a', 'b']), selection(['c'])],
    });
    expect(status).toBe('SUCCEEDED');
    expect(entered).toEqual([
      ...['Start', 'Take fleet lease', 'Already running?', 'Refresh renewal information', 'All refreshed?'],
      ...['Select due certificates', 'Anything due?', 'Start renewals'],
      ...['Wait for pace', 'Start renewal', 'Wait for pace', 'Start renewal', 'Continue here?'],
      ...[
        'Select due certificates',
        'Anything due?',
        'Start renewals',
        'Wait for pace',
        'Start renewal',
        'Continue here?',
      ],
      ...['Select due certificates', 'Anything due?'],
      'Announce late certificates',
      ...['Compare with what is there', 'Announce changes', 'All compared?'],
      ...['Release fleet lease', 'Selection requested?', 'All started?', 'Done'],
    ]);
    expect(started.map(({ certificate, name }) => [certificate, name])).toEqual([
      ['a', 'a-1'],
      ['b', 'b-1'],
      ['c', 'c-1'],
    ]);
    expect(inputs['Select due certificates']).toEqual([
      { continues: execution, started: [] },
      { continues: execution, started: ['a', 'b'] },
      { continues: execution, started: ['a', 'b', 'c'] },
    ]);
  });

  test('that finds another one running ends as such, and shows its ARN', async () => {
    const holder = `${execution}-other`;
    const { status, entered, output } = await runFleet({ answers: { 'Take fleet lease': [{ holder, after: null }] } });
    expect(status).toBe('SUCCEEDED');
    expect(entered).toEqual(['Start', 'Take fleet lease', 'Already running?', 'Already running']);
    expect(output).toEqual({ holder, after: null });
  });

  test('refreshes in several calls, each from where the one before stopped', async () => {
    const answers = {
      'Take fleet lease': [{ holder: null, after: 'certificate#x' }],
      'Refresh renewal information': [
        { after: 'certificate#y', failures: { 0: 3 } },
        { after: null, failures: {} },
      ],
    };
    const { status, inputs } = await runFleet({ answers });
    const since = '2026-03-15T00:00:00.000Z';
    expect(inputs['Refresh renewal information']).toEqual([
      { after: 'certificate#x', since, failures: {} },
      { after: 'certificate#y', since, failures: { 0: 3 } },
    ]);
    expect(status).toBe('SUCCEEDED');
  });

  test('continues with the selection after a refresh that fails, and fails at the end', async () => {
    const answers = { 'Refresh renewal information': [thrown('ThrottledError', 'slow down')] };
    const { error, cause, started } = await runFleet({ answers, selections: [selection(['a'])] });
    expect(started).toHaveLength(1);
    expect(error).toBe('FleetCheckError');
    expect(cause).toContain('renewal information: ThrottledError. The next fleet run');
  });

  test('starts paced renewals 1 / 0.7 s apart from each other, and the others right after them', async () => {
    const { started } = await runFleet({ selections: [selection(many(8), 6), selection(['x', 'y'])] });
    expect(started.map(({ after }) => after)).toEqual([
      0, 1.428, 2.857, 4.285, 5.714, 7.142, 8.571, 8.571, 8.571, 9.999,
    ]);
  });

  test('starts renewals at the configured pace', async () => {
    const { States } = definition('-fleet', synthesize({ ...smallConfig, pace: 0.4 }));
    expect(States['Start renewals']?.ItemProcessor?.States['Wait for pace']?.Timestamp).toContain('1000 / 0.4)');
    expect(States['Start renewals']?.MaxConcurrency).toBe(1);
  });

  test('succeeds if a renewal with the same name was already started', async () => {
    const exists = new TaskError('StepFunctions.ExecutionAlreadyExistsException', 'name in use');
    expect((await runFleet({ selections: [selection(['a'])], starts: { a: exists } })).status).toBe('SUCCEEDED');
  });

  test('continues after renewals that cannot be started, and fails with their names', async () => {
    const refused = new TaskError('StepFunctions.StateMachineDeletingException', 'gone');
    const { error, cause, started } = await runFleet({
      selections: [selection(['a', 'b', 'c']), selection(['d', 'e'])],
      starts: { a: refused, c: refused, e: refused },
    });
    expect(started.map(({ certificate }) => certificate)).toEqual(['b', 'd']);
    expect(error).toBe('FleetCheckError');
    expect(cause).toMatch(/a: .*; c: .*; e: .*\. The next fleet run/);
  });

  test('fails with a short cause if nothing can be started', async () => {
    const names = many(100, 'a-long-name-of-a-certificate-');
    const refused = new TaskError('StepFunctions.StateMachineDeletingException', 'gone');
    const { cause } = await runFleet({
      selections: [selection(names)],
      starts: Object.fromEntries(names.map((name) => [name, refused])),
    });
    expect(cause.length).toBeLessThan(2500);
  });

  test('releases the lease and fails if it cannot select', async () => {
    const { error, cause, inputs } = await runFleet({ selections: [thrown('AccessDeniedError', 'no')] });
    expect([error, cause]).toEqual(['FleetCheckError', expect.stringContaining('selection: AccessDeniedError')]);
    expect(inputs['Release fleet lease']).toHaveLength(1);
  });

  test('selects again as a new run if another run asked for it, also what it has started before', async () => {
    const answers = { 'Release fleet lease': [{ released: false }, { released: true }] };
    const selections = [selection(['changed']), selection([]), selection(['changed', 'new'])];
    const { status, started, inputs } = await runFleet({ answers, selections });
    expect(status).toBe('SUCCEEDED');
    expect(started.map(({ certificate }) => certificate)).toEqual(['changed', 'changed', 'new']);
    const [first, , requested, last] = inputs['Select due certificates'] as readonly Record<string, unknown>[];
    expect(requested).toMatchObject({ continues: expect.stringContaining(execution), started: [] });
    // Otherwise the renewals would have the names of those that are started already.
    expect(requested?.continues).not.toBe(first?.continues);
    expect(last?.continues).toBe(requested?.continues);
  });

  test('that another run asked for a selection after 2,000 starts passes it on to the next execution', async () => {
    const exists = new TaskError('StepFunctions.ExecutionAlreadyExistsException', 'name in use');
    const selections = Array.from({ length: 20 }, (_, index) => selection(many(100, `s${index}-`), 0));
    const starts = Object.fromEntries(
      selections.flatMap(({ due }) => due.map(({ certificate }) => [certificate, exists])),
    );
    const answers = { 'Release fleet lease': [{ released: false }] };
    const { status, next } = await runFleet({ answers, selections, starts });
    expect(status).toBe('SUCCEEDED');
    expect(next).toMatchObject({ Name: 'continued-1' });
    expect(next).not.toEqual({ Name: 'continued-1', Input: { continues: execution } });
  });
});

describe('certificates that are late', () => {
  const expiring = {
    ...{ kind: 'expiring', certificate: 'a', resource: 'arn', notAfter: '2026-03-20T00:00:00Z', lifetimeLeft: 5.5 },
    error: null,
  };
  const postponed = {
    ...{
      kind: 'postponed',
      certificate: 'b',
      since: '2026-03-13T00:00:00Z',
      directoryUrl: 'https://ca.test/directory',
    },
    notAfter: null,
  };
  const selections = [selection(['x']), { ...selection([]), late: [expiring, postponed] }];

  test('are published after all starts, each with the members of its event and what to do', async () => {
    const { status, started, published } = await runFleet({ selections });
    expect([status, started.length]).toEqual(['SUCCEEDED', 1]);
    const action = expect.any(String);
    // The Map publishes both at the same time.
    const events = published as readonly { readonly certificate: string; readonly action: string }[];
    const [first, second, ...more] = events.toSorted((a, b) => (a.certificate < b.certificate ? -1 : 1));
    expect(first).toEqual({ ...expiring, kind: undefined, execution, action });
    expect(first?.action).toContain('"npx cdk-perennial explain a"');
    expect(second).toEqual({ ...postponed, kind: undefined, execution, action });
    expect(more).toEqual([]);
    expect(schemaErrors('Certificate Expiring', first)).toEqual([]);
    expect(schemaErrors('Certificate Renewal Postponed', second)).toEqual([]);
  });

  test('do not make the run fail if EventBridge refuses an event', async () => {
    const { status, published, inputs } = await runFleet({ selections, refusedEvents: ['a'] });
    expect([status, published.length]).toEqual(['SUCCEEDED', 1]);
    expect(inputs['Compare with what is there']).toHaveLength(1);
  });
});

describe('the comparison', () => {
  const change = (certificate: string) => ({
    certificate,
    changes: [{ kind: 'secretDeleted', resource: 'arn', detail: 'It was deleted.', action: 'It is issued.' }],
  });
  const compared = (names: readonly string[], { due = 0, done = true } = {}) => ({
    changed: names.map(change),
    due,
    done,
  });

  test('comes after all starts, in several calls, and publishes an event for each certificate that was changed', async () => {
    const answers = { 'Compare with what is there': [compared(['a', 'b'], { done: false }), compared(['c'])] };
    const { status, started, inputs, published } = await runFleet({ selections: [selection(['x'])], answers });
    expect([status, started.length]).toEqual(['SUCCEEDED', 1]);
    const since = '2026-03-15T00:00:00.000Z';
    expect(inputs['Compare with what is there']).toEqual([{ since }, { since }]);
    expect(published).toEqual(['a', 'b', 'c'].map((name) => ({ ...change(name), execution })));
    expect(inputs['Select due certificates']).toHaveLength(2);
  });

  test('is followed by another selection and its starts if certificates became due, and compares again', async () => {
    const answers = { 'Compare with what is there': [compared(['a'], { due: 1, done: false }), compared([])] };
    const { status, entered, started } = await runFleet({ selections: [selection([]), selection(['a'])], answers });
    expect([status, started.map(({ certificate }) => certificate)]).toEqual(['SUCCEEDED', ['a']]);
    expect(entered.filter((state) => state === 'Compare with what is there')).toHaveLength(3);
    expect(entered.filter((state) => state === 'Select due certificates')).toHaveLength(3);
  });

  test('that makes a certificate due on which another execution works ends the run', async () => {
    const answers = { 'Compare with what is there': [compared(['a'], { due: 1 })] };
    const { status, inputs } = await runFleet({ answers });
    expect(status).toBe('SUCCEEDED');
    expect(inputs['Select due certificates']).toHaveLength(2);
  });

  test('that fails is counted, does not make the run fail, and lets it release the lease', async () => {
    const answers = { 'Compare with what is there': [thrown('AccessDeniedError', 'no')] };
    const { status, started, inputs } = await runFleet({ selections: [selection(['a'])], answers });
    expect([status, started.length]).toEqual(['SUCCEEDED', 1]);
    expect(inputs['Report failed comparison']).toHaveLength(1);
    expect(inputs['Release fleet lease']).toHaveLength(1);
  });

  test('is not retried for hours while it is throttled, because the next run waits for the lease', () => {
    for (const state of ['Compare with what is there', 'Report failed comparison']) {
      const policies = workflow.States[state]?.Retry?.filter(({ ErrorEquals }) =>
        ErrorEquals.includes('ThrottledError'),
      );
      expect(policies?.[0]?.MaxAttempts, state).toBe(5);
    }
  });

  test('passes to a new execution before the events about changes fill the history', async () => {
    const calls = Array.from({ length: 40 }, (_, call) => compared(many(100, `s${call}-`), { due: 100, done: false }));
    const { status, published, next } = await runFleet({ answers: { 'Compare with what is there': calls } });
    expect(status).toBe('SUCCEEDED');
    // Each has 7 of the 25,000 events that a history may have.
    expect(published.length).toBeGreaterThan(2000);
    expect(published.length * 7).toBeLessThan(24_000);
    expect(next).toEqual({ Name: 'continued-1', Input: { continues: execution } });
  });

  test('and the starts that it causes pass to a new execution before they fill the history', async () => {
    const found = many(100, 'found');
    const rounds = Array.from({ length: 40 }, (_, round) => found.map((name) => `${name}-${round}`));
    const { status, published, started, next } = await runFleet({
      answers: { 'Compare with what is there': rounds.map((names) => compared(names, { due: 100 })) },
      selections: [selection([]), ...rounds.flatMap((names) => [selection(names, 0), selection([])])],
    });
    expect(status).toBe('SUCCEEDED');
    expect(published.length * 7 + started.length * 10).toBeLessThan(24_000);
    expect(next).toBeDefined();
  });

  test('that cannot even be counted does not make the run fail', async () => {
    const refused = [thrown('AccessDeniedError', 'no')];
    const answers = { 'Compare with what is there': refused, 'Report failed comparison': refused };
    expect((await runFleet({ answers })).status).toBe('SUCCEEDED');
  });

  test('continues after events that EventBridge refuses', async () => {
    const answers = { 'Compare with what is there': [compared(['a', 'b'])] };
    const { status, published } = await runFleet({ answers, refusedEvents: ['a'] });
    expect([status, published.length]).toEqual(['SUCCEEDED', 1]);
  });
});

describe('after 2,000 starts', () => {
  const full = Array.from({ length: 20 }, (_, index) => selection(many(100, `s${index}-`), 0));

  test('the lease passes to a new execution, which continues the run', async () => {
    const { status, started, next, inputs } = await runFleet({ selections: [...full, selection(['one-more'])] });
    expect(started).toHaveLength(2000);
    expect(next).toEqual({ Name: 'continued-1', Input: { continues: execution } });
    expect(inputs['Release fleet lease']).toBeUndefined();
    expect(status).toBe('SUCCEEDED');
  });

  test('the new execution selects with the ARN of the first one', async () => {
    const { inputs } = await runFleet({ input: { continues: `${execution}-first` } });
    expect(inputs['Select due certificates']).toEqual([{ continues: `${execution}-first`, started: [] }]);
  });

  test('of which none was new the run ends', async () => {
    const exists = new TaskError('StepFunctions.ExecutionAlreadyExistsException', 'name in use');
    const starts = Object.fromEntries(full.flatMap(({ due }) => due.map(({ certificate }) => [certificate, exists])));
    const { status, next, inputs } = await runFleet({ selections: full, starts });
    expect(next).toBeUndefined();
    expect(inputs['Release fleet lease']).toHaveLength(1);
    expect(status).toBe('SUCCEEDED');
  });

  test('a lease that cannot be passed on makes the run fail', async () => {
    const answers = { 'Hand over fleet lease': [thrown('AccessDeniedError', 'no')] };
    expect((await runFleet({ selections: full, answers })).cause).toContain('lease: AccessDeniedError');
  });
});

describe('the states', () => {
  test.each([1, 1000, 10_000, 100_000])('have outputs of less than 64 KB with %i due certificates', async (count) => {
    // A selection returns at most 100 (`select-due-certificates.test.ts`), so only the number of selections differs.
    const name = (index: number) => `${index}`.padEnd(40, 'n');
    const selections = Array.from({ length: Math.min(20, Math.ceil(count / 100)) }, (_, chunk) =>
      selection(
        Array.from({ length: Math.min(100, count) }, (_, index) => name(chunk * 100 + index)),
        0,
      ),
    );
    const { outputs } = await runFleet({ selections });
    expect(outputs.length).toBeGreaterThan(10);
    for (const [state, bytes] of outputs) expect(bytes, state).toBeLessThan(64_000);
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

describe('a fleet run whose functions a deployment has replaced', () => {
  const replaced = new TaskError('FunctionsReplacedError', 'of different versions');
  const held = { holder: 'another execution', after: null };
  const isReplacement = { Input: { replacement: true } };

  test('starts a new run when it selects again, and does not fail', async () => {
    const { status, entered, started, next } = await runFleet({ selections: [selection(['a']), replaced] });
    expect(status).toBe('SUCCEEDED');
    expect(started.map(({ certificate }) => certificate)).toEqual(['a']);
    expect(next).toEqual(isReplacement);
    expect(entered.slice(-3)).toEqual(['Start replacement', 'All started?', 'Done']);
  });

  test('starts a new run when it refreshes renewal information', async () => {
    const { status, next } = await runFleet({ answers: { 'Refresh renewal information': [replaced] } });
    expect(status).toBe('SUCCEEDED');
    expect(next).toEqual(isReplacement);
  });

  test('starts a new run instead of passing its lease to the next execution', async () => {
    const { status, next } = await runFleet({
      selections: Array.from({ length: 20 }, (_, index) => selection(many(100, `c${index}-`))),
      answers: { 'Hand over fleet lease': [replaced] },
    });
    expect(status).toBe('SUCCEEDED');
    expect(next).toEqual(isReplacement);
  });

  test('starts a new run if it can neither compare nor release its lease, because another run may have asked for a selection', async () => {
    const { status, next } = await runFleet({
      answers: {
        'Compare with what is there': [replaced],
        'Report failed comparison': [replaced],
        'Release fleet lease': [replaced],
      },
    });
    expect(status).toBe('SUCCEEDED');
    expect(next).toEqual(isReplacement);
  });

  test('is replaced by one that waits until its lease is free', async () => {
    const { status, entered, inputs } = await runFleet({
      input: { replacement: true },
      answers: { 'Take fleet lease': [held] },
    });
    expect(status).toBe('SUCCEEDED');
    expect(entered.slice(1, 5)).toEqual([
      ...['Take fleet lease', 'Already running?', 'Wait for fleet lease', 'Take fleet lease'],
    ]);
    expect(inputs['Select due certificates']).toHaveLength(1);
  });

  test('is replaced by one that ends if a third run has taken the lease first', async () => {
    const { entered } = await runFleet({
      input: { replacement: true },
      answers: { 'Take fleet lease': [held, held] },
    });
    expect(entered.at(-1)).toBe('Already running');
  });

  test('starts no other run if its first step comes too late, because the deployment starts one at its end', async () => {
    const { error, next } = await runFleet({ answers: { 'Take fleet lease': [replaced] } });
    expect(error).toBe('FleetCheckError');
    expect(next).toBeUndefined();
  });
});
