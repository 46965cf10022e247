import { describe, expect, test } from 'vitest';
import { definition, run, TaskError, type Tasks, thrown } from './state-machine.ts';
import { synthesize } from './synthesized.ts';

const workflow = definition('-renewal', synthesize());

const record = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'digest' };
const current = { secretArn: 'arn:secret', versionId: 'v1' };
const checked = {
  action: 'issue',
  reason: 'never issued',
  wait: 0,
  certificate: 'www',
  spec: { name: 'www', regions: ['us-east-1'] },
  current: null,
  leftovers: [],
};
const reached = { reached: true, status: 'valid', wait: 0, certificateUrl: 'https://ca/cert' };

interface Call {
  readonly state: string;
  readonly input: Record<string, unknown>;
  readonly run: Record<string, unknown>;
}
interface Entry {
  readonly Detail: Record<string, unknown>;
  readonly DetailType: string;
}

/** A world in which all goes well, but for the states that the test gives other answers for (one for each call, the last again). */
async function renew(
  answers: Readonly<Record<string, readonly unknown[]>> = {},
  input: unknown = { certificate: 'www' },
) {
  const calls: Call[] = [];
  const events: Entry[] = [];
  const well: Readonly<Record<string, unknown>> = {
    'Check renewal': checked,
    'Check zones': { challengeRecords: [{ identifier: 'example.com', hostedZoneId: 'Z1', name: record.name }] },
    'New order': {
      order: { url: 'https://ca/order/1', finalize: 'https://ca/finalize/1', expires: null },
      challenges: [{ identifier: 'example.com', url: 'https://ca/chall/1', authorization: 'https://ca/authz/1' }],
      records: [record],
    },
    'Present challenges': { changes: [{ hostedZoneId: 'Z1', id: 'C1' }] },
    'Check propagation': { propagated: true, wait: 0, waitingFor: '' },
    'Respond to challenges': { wait: 1 },
    'Poll order until ready': { ...reached, status: 'ready', certificateUrl: null },
    'Clean up challenges': { removed: [record] },
    'Clean up challenges left over': { removed: [record] },
    'Finalize order': reached,
    'Poll order until valid': reached,
    'Store certificate': { current, warnings: [] },
    'Read certificate': { current },
    'Import certificate': { region: 'us-east-1', arn: 'arn:acm', replaces: null },
    'Record success': {},
    'Record failure': {
      error: 'ChallengeFailedError',
      cause: 'No TXT found.',
      problemType: 'urn:dns',
      identifier: 'example.com',
    },
  };
  const answer = (state: string, usual: unknown): unknown => {
    const given = answers[state] ?? [usual];
    const now = given[Math.min(calls.filter((call) => call.state === state).length, given.length) - 1];
    if (now instanceof Error) throw now;
    return now;
  };
  const steps = Object.entries(well).map(([state, usual]): [string, Tasks[string]] => [
    state,
    ({ Payload }) => {
      const { input: given, run: who } = Payload as Record<string, Record<string, unknown>>;
      calls.push({ state, input: given ?? {}, run: who ?? {} });
      return { Payload: answer(state, usual) };
    },
  ]);
  const announcing =
    (state: string): Tasks[string] =>
    ({ Entries }) => {
      events.push(...(Entries as Entry[]));
      calls.push({ state, input: {}, run: {} });
      return answer(state, {});
    };
  const tasks = {
    ...Object.fromEntries(steps),
    Announce: announcing('Announce'),
    'Announce failure': announcing('Announce failure'),
  };
  const ended = await run(workflow, { input, tasks });
  const inputsOf = (state: string) => calls.filter((call) => call.state === state).map((call) => call.input);
  return { ...ended, calls, events, inputsOf };
}

describe('a renewal', () => {
  test('goes through the states of RFC 8555 in order', async () => {
    const { status, calls } = await renew();
    expect(status).toBe('SUCCEEDED');
    expect(calls.map(({ state }) => state)).toEqual([
      'Check renewal',
      'Check zones',
      'New order',
      'Present challenges',
      'Check propagation',
      'Respond to challenges',
      'Poll order until ready',
      'Clean up challenges',
      'Finalize order',
      'Store certificate',
      'Import certificate',
      'Record success',
      'Announce',
    ]);
  });

  test('of one name and one region takes at most 30 transitions with INSYNC at once', async () => {
    const { entered } = await renew({ 'Finalize order': [{ ...reached, reached: false, wait: 1 }] });
    expect(entered).toHaveLength(29);
  });

  test('of one name and one region takes at most 50 transitions with INSYNC after a minute', async () => {
    const pending = (wait: number) => ({ propagated: false, wait, waitingFor: 'INSYNC' });
    const { entered, waited } = await renew({
      'Check propagation': [...[1, 5, 10, 15, 15, 15].map(pending), { propagated: true, wait: 0, waitingFor: '' }],
      'Finalize order': [{ ...reached, reached: false, wait: 1 }],
    });
    expect(waited).toBeGreaterThan(60);
    expect(entered.length).toBeLessThanOrEqual(50);
  });

  test('tells every step who runs it, and which order once there is one', async () => {
    const { calls } = await renew();
    const who = { certificate: 'www', execution: 'arn:aws:states:::execution:renewal:test', attempt: 1 };
    expect(calls.find(({ state }) => state === 'New order')?.run).toEqual({ ...who, order: null });
    expect(calls.find(({ state }) => state === 'Finalize order')?.run).toEqual({ ...who, order: 'https://ca/order/1' });
  });

  test('does nothing when nothing is due, and says why', async () => {
    const { status, output, calls } = await renew({
      'Check renewal': [{ ...checked, action: 'none', reason: 'due in May' }],
    });
    expect({ status, output }).toEqual({ status: 'SUCCEEDED', output: { reason: 'due in May' } });
    expect(calls).toHaveLength(1);
  });

  test('waits as long as it is told and asks again', async () => {
    const { inputsOf, waited, status } = await renew({
      'Check renewal': [{ ...checked, action: 'wait', wait: 60 }, { ...checked, action: 'wait', wait: 60 }, checked],
    });
    expect(inputsOf('Check renewal').map(({ waits }) => waits)).toEqual([0, 1, 2]);
    expect({ waited, status }).toEqual({ waited: 121, status: 'SUCCEEDED' });
  });

  test('removes what a dead run left, once, and asks again with what is gone', async () => {
    const clean = { ...checked, action: 'clean', leftovers: [record] };
    const { inputsOf, status } = await renew({ 'Check renewal': [clean, checked] });
    expect(inputsOf('Clean up challenges left over')).toEqual([{ records: [record] }]);
    expect(inputsOf('Check renewal')[1]).toMatchObject({ cleaned: true, removed: [record] });
    expect(status).toBe('SUCCEEDED');
  });

  test('goes on when what a dead run left cannot be removed', async () => {
    const clean = { ...checked, action: 'clean', leftovers: [record] };
    const { inputsOf, status } = await renew({
      'Check renewal': [clean, checked],
      'Clean up challenges left over': [thrown('AccessDeniedError', 'denied')],
    });
    expect(inputsOf('Check renewal')[1]).toMatchObject({ cleaned: true, removed: [] });
    expect(status).toBe('SUCCEEDED');
  });

  test('does not clean for ever', async () => {
    const { calls } = await renew({ 'Check renewal': [{ ...checked, action: 'clean', leftovers: [record] }] });
    expect(calls.filter(({ state }) => state === 'Clean up challenges left over')).toHaveLength(1);
  });

  test('delivers what is stored without a new order', async () => {
    const { calls, inputsOf } = await renew({ 'Check renewal': [{ ...checked, action: 'deliver', current }] });
    expect(calls.map(({ state }) => state)).toEqual([
      'Check renewal',
      'Import certificate',
      'Record success',
      'Announce',
    ]);
    expect(inputsOf('Import certificate')).toEqual([{ spec: checked.spec, region: 'us-east-1', current }]);
  });

  test('reads the secret when the ledger does not know its certificate, and delivers that', async () => {
    const { inputsOf, status } = await renew({ 'Check renewal': [{ ...checked, action: 'repair' }] });
    expect(inputsOf('New order')).toEqual([]);
    expect(inputsOf('Import certificate')[0]).toMatchObject({ current });
    expect(status).toBe('SUCCEEDED');
  });

  test('proves nothing when every authorization is valid already', async () => {
    const order = { url: 'https://ca/order/1', finalize: 'https://ca/finalize/1', expires: null };
    const { inputsOf, status } = await renew({ 'New order': [{ order, challenges: [], records: [] }] });
    expect(inputsOf('Present challenges')).toEqual([]);
    expect(status).toBe('SUCCEEDED');
  });

  test('polls with a counter, and waits what each look says', async () => {
    const notYet = (wait: number) => ({ ...reached, reached: false, status: 'processing', wait });
    const { inputsOf, waited } = await renew({
      'Poll order until ready': [notYet(2), reached],
      'Finalize order': [notYet(5)],
      'Poll order until valid': [notYet(30), reached],
    });
    expect(inputsOf('Poll order until ready').map(({ tries }) => tries)).toEqual([0, 1]);
    expect(inputsOf('Poll order until valid').map(({ tries }) => tries)).toEqual([0, 1]);
    expect(waited).toBe(1 + 2 + 5 + 30);
  });

  test('is announced with what was issued and where it was delivered', async () => {
    const { events } = await renew();
    expect(events).toEqual([
      expect.objectContaining({
        Source: 'perennial',
        DetailType: 'Certificate Renewed',
        Detail: expect.objectContaining({
          certificate: 'www',
          current,
          deliveries: [{ region: 'us-east-1', arn: 'arn:acm', replaces: null }],
        }),
      }),
    ]);
  });

  test('has succeeded although nobody could be told', async () => {
    const { status } = await renew({ Announce: [thrown('States.TaskFailed', 'throttled')] });
    expect(status).toBe('SUCCEEDED');
  });
});

describe('a failing proof', () => {
  const states = ['Present challenges', 'Check propagation', 'Respond to challenges', 'Poll order until ready'];
  const challengeFailed = thrown('ChallengeFailedError', '{"message":"No TXT found.","problem":{"type":"urn:dns"}}');

  test.each(states)('at %s is cleaned up, recorded and announced, and ends under its real name', async (state) => {
    const { status, error, cause, calls, events, inputsOf } = await renew({ [state]: [challengeFailed] });
    expect({ status, error, cause }).toEqual({
      status: 'FAILED',
      error: 'ChallengeFailedError',
      cause: 'No TXT found.',
    });
    expect(calls.slice(-3).map((call) => call.state)).toEqual([
      'Clean up challenges',
      'Record failure',
      'Announce failure',
    ]);
    expect(inputsOf('Record failure')).toEqual([{ errorOutput: challengeFailed.errorOutput, removed: [record] }]);
    expect(events[0]).toMatchObject({
      DetailType: 'Certificate Renewal Failed',
      Detail: { certificate: 'www', error: 'ChallengeFailedError', problemType: 'urn:dns', identifier: 'example.com' },
    });
  });

  test('that cannot be cleaned up is recorded with nothing removed', async () => {
    const { inputsOf, error } = await renew({
      'Poll order until ready': [challengeFailed],
      'Clean up challenges': [thrown('ThrottledError', 'slow down')],
    });
    expect(inputsOf('Record failure')).toEqual([{ errorOutput: challengeFailed.errorOutput, removed: [] }]);
    expect(error).toBe('ChallengeFailedError');
  });

  test('never reaches the CA again', async () => {
    const { inputsOf } = await renew({ 'Check propagation': [thrown('PropagationTimeoutError', 'not there')] });
    expect([...inputsOf('Respond to challenges'), ...inputsOf('Finalize order')]).toEqual([]);
  });
});

describe('a renewal whose proof is not cleaned up', () => {
  test('goes on', async () => {
    const { status, inputsOf } = await renew({ 'Clean up challenges': [thrown('ThrottledError', 'slow down')] });
    expect(status).toBe('SUCCEEDED');
    expect(inputsOf('Record success')).toEqual([{ removed: [] }]);
  });
});

describe('a region that refuses', () => {
  const answers = {
    'Check renewal': [{ ...checked, spec: { name: 'www', regions: ['eu-west-1', 'us-east-1', 'us-west-2'] } }],
    'Import certificate': [
      { region: 'eu-west-1', arn: 'arn:acm:1', replaces: null },
      thrown('ImportLimitError', 'us-east-1 is full'),
      { region: 'us-west-2', arn: 'arn:acm:3', replaces: null },
    ],
  };

  test('does not stop the others, and fails the renewal when they are through', async () => {
    const { status, inputsOf } = await renew(answers);
    expect(inputsOf('Import certificate').map(({ region }) => region)).toEqual(['eu-west-1', 'us-east-1', 'us-west-2']);
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: { Error: 'ImportLimitError' } }]);
    expect(inputsOf('Record success')).toEqual([]);
    expect(status).toBe('FAILED');
  });
});

describe('a failing step', () => {
  test.each([
    'Check renewal',
    'Check zones',
    'New order',
    'Finalize order',
    'Poll order until valid',
    'Store certificate',
    'Record success',
  ])('%s is recorded with its error', async (state) => {
    const failure = thrown('LeaseLostError', 'another has it');
    const { inputsOf, status } = await renew({
      [state]: [failure],
      ...(state === 'Poll order until valid' && { 'Finalize order': [{ ...reached, reached: false, wait: 1 }] }),
    });
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: failure.errorOutput }]);
    expect(status).toBe('FAILED');
  });
});

describe('input that names no certificate of ours', () => {
  test.each([
    [{ certificate: 'nope' }, 'UnknownCertificateError'],
    [{ name: 'www' }, 'InvalidInputError'],
    ['www', 'InvalidInputError'],
    [null, 'InvalidInputError'],
    [[{ certificate: 'www' }], 'InvalidInputError'],
    [{ certificate: 'www' }, 'SecretNotOursError'],
    [{ certificate: 'www' }, 'SecretDeletedError'],
  ])('%j fails at once with the sentence of %s, and nothing is recorded', async (input, name) => {
    const { error, cause, calls } = await renew({ 'Check renewal': [thrown(name, 'Do this and that.')] }, input);
    expect({ error, cause }).toEqual({ error: name, cause: 'Do this and that.' });
    expect(calls.map(({ state }) => state)).toEqual(['Check renewal']);
  });
});

describe('a failure that cannot be recorded', () => {
  const ends = async (failure: Error) => {
    const { error, cause } = await renew({
      'New order': [failure],
      'Record failure': [thrown('AccessDeniedError', 'no')],
    });
    return { error, cause };
  };

  test('ends under its own name, with the sentence out of the function’s reply', async () => {
    expect(
      await ends(thrown('RateLimitedError', '{"message":"Too many.","problem":{"type":"urn:rateLimited"}}')),
    ).toEqual({
      error: 'RateLimitedError',
      cause: 'Too many.',
    });
  });

  test.each([
    ['States.Timeout', 'StepTimedOutError'],
    ['Sandbox.Timedout', 'StepTimedOutError'],
    ['States.QueryEvaluationError', 'UnexpectedError'],
    ['Lambda.TooManyRequestsException', 'Lambda.TooManyRequestsException'],
  ])('as %s ends as %s', async (name, shown) => {
    expect(await ends(new TaskError(name, 'in words'))).toEqual({ error: shown, cause: 'in words' });
  });

  test.each([
    '',
    '{',
    '{}',
    '{"errorMessage"',
    'not {"message":"JSON"}',
    '[]',
    '{"errorMessage":"{\\"message\\":\\"cut',
  ])('with the strange cause %j still ends under its own name', async (cause) => {
    expect((await ends(new TaskError('CaUnavailableError', cause))).error).toBe('CaUnavailableError');
  });
});
