import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { schemaErrors } from '../../../event-schemas.ts';
import { synthesize } from '../../synthesized.ts';
import { definition, run, TaskError, type Tasks, thrown } from '../state-machine.ts';

const workflow = definition('-renewal', synthesize());

const record = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'digest' };
const current = { secretArn: 'arn:secret', versionId: 'v1' };
const checked = {
  action: 'issue',
  reason: 'never issued',
  wait: 0,
  waitStarts: {},
  certificate: 'www',
  spec: { name: 'www', regions: ['us-east-1'] },
  current: null,
  announced: null,
  leftovers: [],
  unremovable: [],
  reportDue: false,
  order: null,
  replaces: null,
  challengeZones: [],
  account: null,
};
const zonesChecked = {
  challengeRecords: [{ identifier: 'example.com', hostedZoneId: 'Z1', name: record.name }],
  zoneServers: { Z1: ['ns.Z1.test'] },
};
const saved = { url: 'https://ca/order/0', finalize: 'https://ca/finalize/0', expires: null };
const leftover = { ...record, value: 'value of an interrupted execution' };
const resume = { ...checked, action: 'resume', order: saved, leftovers: [leftover] };
/** The output of *Record failure* after the last attempt. */
const failure = {
  error: 'ChallengeFailedError',
  cause: 'No TXT found.',
  problemType: 'urn:dns',
  identifier: 'example.com',
  quiet: false,
  action: null,
  retryIn: null,
  nextAttempt: '2026-03-02T12:00:00Z',
};
const refused = { readAfter: 60, answered: [] };
const reached = { reached: true, status: 'valid', wait: 0, certificateUrl: 'https://ca/cert', refused };

interface Call {
  readonly state: string;
  readonly input: Record<string, unknown>;
  readonly run: Record<string, unknown>;
}
interface Entry {
  readonly Detail: Record<string, unknown>;
  readonly DetailType: string;
}

/**
 * Runs the workflow. Every step succeeds, except the states in `answers`. They have one answer for each call, and the last one repeats. An
 * answer that is a function is called.
 */
async function renew(
  answers: Readonly<Record<string, readonly unknown[]>> = {},
  input: unknown = { certificate: 'www' },
  { retries = false } = {},
) {
  const calls: Call[] = [];
  const events: Entry[] = [];
  const usualAnswers: Readonly<Record<string, unknown>> = {
    'Check renewal': checked,
    'Check zones': zonesChecked,
    'Check zones of saved order': zonesChecked,
    'New order': {
      order: { url: 'https://ca/order/1', finalize: 'https://ca/finalize/1', expires: null },
      pending: true,
      challenges: [{ identifier: 'example.com', url: 'https://ca/chall/1', authorization: 'https://ca/authz/1' }],
      records: [record],
    },
    'Present challenges': { changes: [{ hostedZoneId: 'Z1', id: 'C1' }], wait: 1 },
    'Check propagation': { propagated: true, wait: 0, waitingFor: '' },
    'Respond to challenges': { wait: 1 },
    'Poll order until ready': { ...reached, status: 'ready', certificateUrl: null },
    'Clean up challenges': { removed: [record] },
    'Clean up leftover challenges': { removed: [record], failed: [] },
    'Finalize order': reached,
    'Poll order until valid': reached,
    'Store certificate': { current, warnings: [] },
    'Read certificate': { current },
    'Share secret': {},
    'Import certificate': { region: 'us-east-1', arn: 'arn:acm', replaces: null },
    'Record success': {},
    'Check endpoints': { served: true, wait: 0, endpoints: [], reportDue: false },
    'Record failure': failure,
    'Check order': { outcome: 'discard', reason: 'not known', order: saved, challenges: [], records: [] },
  };
  const answer = (state: string, usual: unknown): unknown => {
    const given = answers[state] ?? [usual];
    const now = given[Math.min(calls.filter((call) => call.state === state).length, given.length) - 1];
    if (now instanceof Error) throw now;
    return typeof now === 'function' ? now() : now;
  };
  const steps = Object.entries(usualAnswers).map(([state, usual]): [string, Tasks[string]] => [
    state,
    async ({ Payload }) => {
      const { input: given, run: who } = Payload as Record<string, Record<string, unknown>>;
      calls.push({ state, input: given ?? {}, run: who ?? {} });
      return { Payload: await answer(state, usual) };
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
    'Announce unrecorded failure': announcing('Announce unrecorded failure'),
    'Announce partial delivery': announcing('Announce partial delivery'),
    'Announce leftover challenges': announcing('Announce leftover challenges'),
    'Announce endpoints not served': announcing('Announce endpoints not served'),
  };
  let seconds = 0;
  const now = () => new Date(Date.parse('2026-03-01T12:00:00Z') + 1000 * seconds);
  const onWait = (waited: number) => {
    seconds += waited;
  };
  const ended = await run(workflow, { input, tasks, now, onWait, retries });
  const inputsOf = (state: string) => calls.filter((call) => call.state === state).map((call) => call.input);
  return { ...ended, calls, events, inputsOf };
}

describe('a renewal', () => {
  test('runs the states of RFC 8555 in order', async () => {
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
      'Announce',
      'Record success',
    ]);
  });

  test('takes at most 31 transitions for one name and one region if Route 53 is INSYNC at the first check', async () => {
    const { entered } = await renew({ 'Finalize order': [{ ...reached, reached: false, wait: 1 }] });
    expect(entered.length).toBeLessThanOrEqual(31);
  });

  test('takes at most two transitions more to check endpoints that serve the certificate', async () => {
    const { entered } = await renew({
      'Check renewal': [{ ...checked, spec: { ...checked.spec, endpoints: ['www.example.com:443'] } }],
      'Finalize order': [{ ...reached, reached: false, wait: 1 }],
    });
    expect(entered.length).toBeLessThanOrEqual(33);
  });

  test('takes at most 48 transitions for one name and one region if Route 53 is INSYNC after a minute', async () => {
    const pending = (wait: number) => ({ propagated: false, wait, waitingFor: 'INSYNC' });
    const { entered, waited } = await renew({
      'Check propagation': [...[5, 10, 15, 15, 15].map(pending), { propagated: true, wait: 0, waitingFor: '' }],
      'Finalize order': [{ ...reached, reached: false, wait: 1 }],
    });
    expect(waited).toBeGreaterThan(60);
    expect(entered.length).toBeLessThanOrEqual(48);
  });

  test('passes the execution to every step, and the order to every step after it is placed', async () => {
    const { calls } = await renew();
    const who = { certificate: 'www', execution: 'arn:aws:states:::execution:renewal:test', attempt: 1 };
    expect(calls.find(({ state }) => state === 'New order')?.run).toEqual({ ...who, order: null });
    expect(calls.find(({ state }) => state === 'Finalize order')?.run).toEqual({ ...who, order: 'https://ca/order/1' });
  });

  test('does nothing if nothing is due, and returns the reason', async () => {
    const { status, output, calls } = await renew({
      'Check renewal': [{ ...checked, action: 'none', reason: 'due in May' }],
    });
    expect({ status, output }).toEqual({ status: 'SUCCEEDED', output: { reason: 'due in May' } });
    expect(calls).toHaveLength(1);
  });

  test('waits as long as *Check renewal* returns, and checks again with the start of the wait', async () => {
    const waitStarts = { setLease: '2026-03-01T12:00:00.000Z' };
    const waiting = { ...checked, action: 'wait', wait: 60, waitStarts };
    const { inputsOf, waited, status } = await renew({
      'Check renewal': [waiting, waiting, checked],
    });
    expect(inputsOf('Check renewal').map(({ waitStarts }) => waitStarts)).toEqual([{}, waitStarts, waitStarts]);
    expect({ waited, status }).toEqual({ waited: 60 + 60 + 1 + 1, status: 'SUCCEEDED' });
  });

  test('removes the TXT values of an interrupted execution once, and checks again with the removed values', async () => {
    const clean = { ...checked, action: 'clean', leftovers: [record] };
    const { inputsOf, status } = await renew({ 'Check renewal': [clean, checked] });
    expect(inputsOf('Clean up leftover challenges')).toEqual([{ records: [record] }]);
    expect(inputsOf('Check renewal')[1]).toMatchObject({ cleaned: true, removed: [record] });
    expect(status).toBe('SUCCEEDED');
  });

  test('continues if the TXT values of an interrupted execution cannot be removed', async () => {
    const clean = { ...checked, action: 'clean', leftovers: [record] };
    const { inputsOf, status } = await renew({
      'Check renewal': [clean, checked],
      'Clean up leftover challenges': [thrown('AccessDeniedError', 'denied')],
    });
    expect(inputsOf('Check renewal')[1]).toMatchObject({ cleaned: true, removed: [] });
    expect(status).toBe('SUCCEEDED');
  });

  test('removes TXT values from the ledger once, because a failed clean-up may keep the same value in DNS', async () => {
    const clean = { ...checked, action: 'clean', leftovers: [record] };
    const { inputsOf, status } = await renew({
      'Check renewal': [clean, checked],
      'Clean up challenges': [thrown('AccessDeniedError', 'denied')],
    });
    expect(inputsOf('Record success')).toEqual([{ announced: 'v1', removed: [] }]);
    expect(status).toBe('SUCCEEDED');
  });

  test('removes the TXT values of an interrupted execution only once', async () => {
    const { calls } = await renew({ 'Check renewal': [{ ...checked, action: 'clean', leftovers: [record] }] });
    expect(calls.filter(({ state }) => state === 'Clean up leftover challenges')).toHaveLength(1);
  });

  test('publishes one event about TXT values that cannot be removed, and checks again with them', async () => {
    const [gone, refused] = ['gone', 'refused'].map((value) => ({ ...record, value, reason: `It is ${value}.` }));
    const clean = { ...checked, action: 'clean', leftovers: [record], unremovable: [gone], reportDue: true };
    const { events, inputsOf, status } = await renew({
      'Check renewal': [clean, checked],
      'Clean up leftover challenges': [{ removed: [], failed: [refused] }],
    });
    expect(events.map(({ DetailType }) => DetailType)).toEqual(['Certificate Clean-Up Failed', 'Certificate Renewed']);
    expect(events[0]?.Detail).toMatchObject({ certificate: 'www', values: [gone, refused] });
    expect(inputsOf('Check renewal')[1]).toMatchObject({ cleaned: true, reported: [gone, refused] });
    expect(status).toBe('SUCCEEDED');
  });

  test.each([
    ['are reported with the name of the error if the clean-up itself fails', true, 'AccessDeniedError'],
    ['are not reported again on the same day', false, undefined],
  ])('TXT values %s', async (_, reportDue, reason) => {
    const clean = { ...checked, action: 'clean', leftovers: [record], reportDue };
    const { events, inputsOf } = await renew({
      'Check renewal': [clean, checked],
      'Clean up leftover challenges': [thrown('AccessDeniedError', 'denied')],
    });
    const { hostedZoneId, name, value } = record;
    const reported = reason ? [{ hostedZoneId, name, value, reason }] : [];
    expect(events.flatMap(({ Detail }) => Detail.values ?? [])).toEqual(reported);
    expect(inputsOf('Check renewal')[1]).toMatchObject({ cleaned: true, reported });
  });

  test('values whose event cannot be published stay in the ledger, and the renewal continues', async () => {
    const clean = { ...checked, action: 'clean', unremovable: [{ ...record, reason: 'Gone.' }], reportDue: true };
    const { inputsOf, status } = await renew({
      'Check renewal': [clean, checked],
      'Announce leftover challenges': [thrown('States.TaskFailed', 'no event bus')],
    });
    expect(inputsOf('Check renewal')[1]).toMatchObject({ cleaned: true, reported: [] });
    expect(status).toBe('SUCCEEDED');
  });

  test('delivers a stored certificate without a new order', async () => {
    const { calls, inputsOf } = await renew({ 'Check renewal': [{ ...checked, action: 'deliver', current }] });
    expect(calls.map(({ state }) => state)).toEqual([
      'Check renewal',
      'Import certificate',
      'Announce',
      'Record success',
    ]);
    expect(inputsOf('Import certificate')).toEqual([{ spec: checked.spec, region: 'us-east-1', current }]);
  });

  test('reads the certificate from its secret if the ledger has none, and delivers it', async () => {
    const { inputsOf, status } = await renew({ 'Check renewal': [{ ...checked, action: 'repair' }] });
    expect(inputsOf('New order')).toEqual([]);
    expect(inputsOf('Import certificate')[0]).toMatchObject({ current });
    expect(status).toBe('SUCCEEDED');
  });

  test('records a change of readers without an event or a check of endpoints, so that no server reloads', async () => {
    const spec = { ...checked.spec, endpoints: ['www.example.com:443'] };
    const { status, entered, inputsOf, events } = await renew({
      'Check renewal': [{ ...checked, action: 'share', spec }],
    });
    expect(status).toBe('SUCCEEDED');
    expect(entered.slice(-4)).toEqual(['Share secret', 'Record success', 'Any endpoints?', 'Done']);
    expect(inputsOf('Share secret')).toEqual([{ spec }]);
    expect(events).toEqual([]);
  });

  test('fails if a reader is rejected, and records that error', async () => {
    const refused = thrown('SecretAccessError', 'The principal does not exist.');
    const { status, inputsOf } = await renew({
      'Check renewal': [{ ...checked, action: 'share' }],
      'Share secret': [refused],
    });
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: refused.errorOutput }]);
    expect([status, inputsOf('Record success')]).toEqual(['FAILED', []]);
  });

  test('publishes an event for a certificate that it has read from the secret', async () => {
    const { events } = await renew({ 'Check renewal': [{ ...checked, action: 'repair' }] });
    expect(events.map(({ DetailType }) => DetailType)).toEqual(['Certificate Renewed']);
  });

  test('presents no challenges if the order is not pending', async () => {
    const order = { url: 'https://ca/order/1', finalize: 'https://ca/finalize/1', expires: null };
    const { inputsOf, status } = await renew({ 'New order': [{ order, pending: false, challenges: [], records: [] }] });
    expect(inputsOf('Present challenges')).toEqual([]);
    expect(status).toBe('SUCCEEDED');
  });

  test('measures how long it polls DNS and the order, and waits as long as each of them returns', async () => {
    const notYet = (wait: number) => ({ ...reached, reached: false, status: 'processing', wait });
    const { inputsOf, waited } = await renew({
      'Check propagation': [
        { propagated: false, wait: 10, waitingFor: 'INSYNC' },
        { propagated: true, wait: 0, waitingFor: '' },
      ],
      'Poll order until ready': [notYet(2), reached],
      'Finalize order': [notYet(5)],
      'Poll order until valid': [notYet(30), reached],
    });
    expect(inputsOf('Check propagation').map((each) => each.waited)).toEqual([1, 11]);
    expect(inputsOf('Poll order until ready').map((each) => each.waited)).toEqual([1, 1 + 2]);
    expect(inputsOf('Poll order until valid').map((each) => each.waited)).toEqual([5, 5 + 30]);
    expect(waited).toBe(1 + 10 + 1 + 2 + 5 + 30);
  });

  test('publishes an event with the certificate and its deliveries', async () => {
    const { events } = await renew();
    expect(events).toEqual([
      expect.objectContaining({
        Source: 'perennial',
        DetailType: 'Certificate Renewed',
        Detail: expect.objectContaining({
          certificate: 'www',
          reason: 'never issued',
          current,
          deliveries: [{ region: 'us-east-1', arn: 'arn:acm', replaces: null }],
        }),
      }),
    ]);
  });

  test('records the success without the announced version if the event could not be published', async () => {
    const { status, inputsOf } = await renew({ Announce: [thrown('States.TaskFailed', 'throttled')] });
    expect([status, inputsOf('Record success')]).toEqual(['SUCCEEDED', [{ announced: null, removed: [record] }]]);
  });
});

test('a certificate is imported into five regions at the same time at most', async () => {
  const regions = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1', 'eu-west-2', 'eu-west-3'];
  let running = 0;
  const importing: number[] = [];
  const importInto = async () => {
    importing.push(++running);
    await setImmediate();
    running -= 1;
    return { region: 'any', arn: 'arn:acm', replaces: null };
  };
  const { status } = await renew({
    'Check renewal': [{ ...checked, spec: { ...checked.spec, regions } }],
    'Import certificate': [importInto],
  });
  expect(status).toBe('SUCCEEDED');
  expect(importing).toHaveLength(7);
  expect(Math.max(...importing)).toBe(5);
});

describe('the endpoints of a certificate', () => {
  const endpoint = 'www.example.com:443';
  const spec = { ...checked.spec, endpoints: [endpoint] };
  const old = { endpoint, status: 'other', serialNumber: '0A00', detail: 'it shows 0A00' };
  const notYet = (wait: number) => ({ served: false, wait, endpoints: [old], reportDue: wait === 0 });
  const endpointCheck = { ...checked, action: 'checkEndpoints', reason: 'a day ago', spec, current };
  const states = ({ calls }: { readonly calls: readonly Call[] }) => calls.map(({ state }) => state);

  test('are checked when the event is published and no lease is held', async () => {
    const renewed = await renew({ 'Check renewal': [{ ...checked, spec }] });
    expect(states(renewed).slice(-4)).toEqual(['Import certificate', 'Announce', 'Record success', 'Check endpoints']);
    expect(renewed.inputsOf('Check endpoints')).toEqual([{ spec, current, tries: 0 }]);
    expect(renewed.output).toMatchObject({ current, served: true });
    expect(renewed.events.map(({ DetailType }) => DetailType)).toEqual(['Certificate Renewed']);
  });

  test('are checked again until they serve the certificate', async () => {
    const { status, inputsOf, waited, events, output } = await renew({
      'Check renewal': [endpointCheck],
      'Check endpoints': [notYet(60), notYet(300), { served: true, wait: 0, endpoints: [], reportDue: false }],
    });
    expect(inputsOf('Check endpoints').map(({ tries }) => tries)).toEqual([0, 1, 2]);
    expect({ status, waited, output, events }).toMatchObject({
      status: 'SUCCEEDED',
      waited: 360,
      output: { served: true },
      events: [],
    });
  });

  test('cause an event if they do not serve the certificate, and the renewal succeeds', async () => {
    const { status, output, events } = await renew({
      'Check renewal': [{ ...checked, spec }],
      'Check endpoints': [notYet(60), notYet(0)],
    });
    expect({ status, output }).toMatchObject({ status: 'SUCCEEDED', output: { current, served: false } });
    expect(events.map(({ DetailType }) => DetailType)).toEqual(['Certificate Renewed', 'Certificate Not Served']);
    expect(events[1]).toMatchObject({
      Source: 'perennial',
      Detail: {
        certificate: 'www',
        execution: 'arn:aws:states:::execution:renewal:test',
        current,
        endpoints: [old],
        action: expect.stringContaining('load the current certificate'),
      },
    });
  });

  test('cause no event if it was published less than a day ago', async () => {
    const { status, output, events } = await renew({
      'Check renewal': [endpointCheck],
      'Check endpoints': [notYet(60), { ...notYet(0), reportDue: false }],
    });
    expect({ status, output, events }).toMatchObject({ status: 'SUCCEEDED', output: { served: false }, events: [] });
  });

  test('do not fail the renewal if the event cannot be published', async () => {
    const { status, output } = await renew({
      'Check renewal': [endpointCheck],
      'Check endpoints': [notYet(0)],
      'Announce endpoints not served': [thrown('States.TaskFailed', 'throttled')],
    });
    expect({ status, output }).toMatchObject({ status: 'SUCCEEDED', output: { served: false } });
  });

  test('do not fail the renewal if they cannot be checked', async () => {
    const { status, output, events } = await renew({
      'Check renewal': [endpointCheck],
      'Check endpoints': [thrown('ThrottledError', 'slow down')],
    });
    expect({ status, output, events }).toMatchObject({ status: 'SUCCEEDED', output: { served: null }, events: [] });
  });

  test('cause no event if another version has become current', async () => {
    const { output, events } = await renew({
      'Check renewal': [endpointCheck],
      'Check endpoints': [notYet(60), { served: null, wait: 0, endpoints: [], reportDue: false }],
    });
    expect({ output, events }).toMatchObject({ output: { served: null }, events: [] });
  });

  test('are checked without any other step if nothing else is due', async () => {
    expect(states(await renew({ 'Check renewal': [endpointCheck] }))).toEqual(['Check renewal', 'Check endpoints']);
  });

  test('do not delay a deployment that waits for the certificate', async () => {
    const renewed = await renew({ 'Check renewal': [{ ...checked, spec }] }, { certificate: 'www', deploy: true });
    expect(states(renewed).slice(-2)).toEqual(['Announce', 'Record success']);
    expect(renewed).toMatchObject({ status: 'SUCCEEDED', output: { served: null } });
  });

  test('are checked even if the event could not be published', async () => {
    const { inputsOf } = await renew({
      'Check renewal': [{ ...checked, spec }],
      Announce: [thrown('States.TaskFailed', 'throttled')],
    });
    expect(inputsOf('Check endpoints')).toHaveLength(1);
  });

  test('are not checked if the success could not be recorded', async () => {
    const { status, inputsOf } = await renew({
      'Check renewal': [{ ...checked, spec }],
      'Record success': [thrown('LeaseLostError', 'another has it')],
    });
    expect([status, inputsOf('Record failure').length, inputsOf('Check endpoints')]).toEqual(['FAILED', 1, []]);
  });
});

describe('a saved order', () => {
  const challenge = { identifier: 'example.com', url: 'https://ca/chall/0', authorization: 'https://ca/authz/0' };
  const prove = { outcome: 'prove', reason: 'pending', order: saved, challenges: [challenge], records: [record] };
  const finish = { outcome: 'finish', reason: 'valid', order: saved, challenges: [], records: [leftover] };

  test('is proven and finalized if it is pending, and no other order is placed', async () => {
    const { status, calls, inputsOf } = await renew({ 'Check renewal': [resume], 'Check order': [prove] });
    expect(status).toBe('SUCCEEDED');
    expect(calls.map(({ state }) => state).slice(0, 5)).toEqual([
      'Check renewal',
      'Check zones of saved order',
      'Check order',
      'Present challenges',
      'Check propagation',
    ]);
    expect(inputsOf('New order')).toEqual([]);
    expect(inputsOf('Check order')).toEqual([
      {
        spec: checked.spec,
        order: saved,
        challengeRecords: [{ identifier: 'example.com', hostedZoneId: 'Z1', name: record.name }],
        leftovers: [leftover],
      },
    ]);
    expect(inputsOf('Respond to challenges')).toEqual([{ spec: checked.spec, challenges: [challenge] }]);
    expect(inputsOf('Finalize order')).toEqual([{ spec: checked.spec, order: saved, resumed: true }]);
  });

  test('is cleaned up together with the TXT values of the interrupted execution', async () => {
    const { inputsOf } = await renew({ 'Check renewal': [resume], 'Check order': [prove] });
    expect(inputsOf('Clean up challenges')).toEqual([{ records: [record, leftover] }]);
  });

  test('is cleaned up and finalized without new challenges if it is proven', async () => {
    const { status, calls, inputsOf } = await renew({ 'Check renewal': [resume], 'Check order': [finish] });
    expect(calls.map(({ state }) => state)).toEqual([
      'Check renewal',
      'Check zones of saved order',
      'Check order',
      'Clean up challenges',
      'Finalize order',
      'Store certificate',
      'Import certificate',
      'Announce',
      'Record success',
    ]);
    expect(inputsOf('Clean up challenges')[0]).toMatchObject({ records: expect.arrayContaining([leftover]) });
    expect(inputsOf('Finalize order')).toMatchObject([{ resumed: true }]);
    expect(status).toBe('SUCCEEDED');
  });

  test('is discarded if it cannot be used, its TXT values are removed, and a new order is placed', async () => {
    const { status, inputsOf } = await renew({
      'Check renewal': [resume, { ...checked, action: 'clean', leftovers: [leftover] }, checked],
    });
    expect(inputsOf('Check renewal').map(({ discardedOrder }) => discardedOrder)).toEqual([null, saved.url, saved.url]);
    expect(inputsOf('Clean up leftover challenges')).toEqual([{ records: [leftover] }]);
    expect(inputsOf('New order')).toHaveLength(1);
    expect(status).toBe('SUCCEEDED');
  });

  test('is checked only once if it cannot be used', async () => {
    const { inputsOf } = await renew({ 'Check renewal': [resume] });
    expect(inputsOf('Check order')).toHaveLength(1);
  });

  const undelegated = thrown('ZoneNotDelegatedError', 'no resolver would see the record');

  test('is finalized if it is proven, even if its zone has become invalid', async () => {
    const { status, calls, inputsOf } = await renew({
      'Check renewal': [resume],
      'Check zones of saved order': [undelegated],
      'Check order': [finish],
    });
    expect(inputsOf('Check order')).toMatchObject([{ challengeRecords: null }]);
    expect(inputsOf('Record failure')).toEqual([]);
    expect(calls.map(({ state }) => state)).toContain('Store certificate');
    expect(status).toBe('SUCCEEDED');
  });

  test('fails with the error of its zone if it is not proven yet', async () => {
    const { status, inputsOf } = await renew({
      'Check renewal': [resume],
      'Check zones of saved order': [undelegated],
      'Check order': [{ ...prove, challenges: [], records: [] }],
    });
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: undelegated.errorOutput }]);
    expect([inputsOf('Present challenges'), inputsOf('Finalize order')]).toEqual([[], []]);
    expect(status).toBe('FAILED');
  });

  test('is replaced by a new order if it cannot be used and its zone is valid again', async () => {
    const { status, inputsOf } = await renew({
      'Check renewal': [resume, checked],
      'Check zones of saved order': [undelegated],
    });
    expect([status, inputsOf('New order').length]).toEqual(['SUCCEEDED', 1]);
  });

  test('is passed to the first step after *Check renewal* for its log', async () => {
    const { calls } = await renew({ 'Check renewal': [resume], 'Check order': [prove] });
    expect(calls.find(({ state }) => state === 'Check order')?.run.order).toBe(saved.url);
  });
});

describe('an order', () => {
  test('names the certificate that it replaces', async () => {
    const { inputsOf } = await renew({ 'Check renewal': [{ ...checked, replaces: 'aki.serial' }] });
    expect(inputsOf('New order')).toMatchObject([{ replaces: 'aki.serial' }]);
  });

  test('is not passed as a resumed order if it was just placed', async () => {
    const { inputsOf } = await renew();
    expect(inputsOf('Finalize order')).toMatchObject([{ resumed: false }]);
  });
});

describe('a CAA record set that does not allow the CA', () => {
  const caa = thrown('CaaError', 'the CAA set allows other CAs only');

  test('fails the renewal with the error of *Check zones* and without an order', async () => {
    const { inputsOf, status } = await renew({ 'Check zones': [caa] });
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: caa.errorOutput }]);
    expect([status, inputsOf('New order')]).toEqual(['FAILED', []]);
  });

  test('does not stop a saved order that is proven', async () => {
    const finish = { outcome: 'finish', reason: 'valid', order: saved, challenges: [], records: [] };
    const answers = { 'Check renewal': [resume], 'Check zones of saved order': [caa], 'Check order': [finish] };
    expect((await renew(answers)).status).toBe('SUCCEEDED');
  });
});

describe('the retry schedule', () => {
  const retryAfter = (retryIn: number | null) => ({ ...failure, retryIn });
  const failed = thrown('CaUnavailableError', 'The CA is away.');
  const schedule = [retryAfter(60), retryAfter(600), retryAfter(6000), retryAfter(null)];

  test('waits as long as *Record failure* returns, publishes each failure, and ends with the last one', async () => {
    const { status, error, waited, inputsOf, events, calls } = await renew({
      'New order': [failed],
      'Record failure': schedule,
    });
    expect({ status, error, waited }).toEqual({ status: 'FAILED', error: 'ChallengeFailedError', waited: 6660 });
    expect(inputsOf('New order')).toHaveLength(4);
    expect(events.map(({ Detail }) => Detail.attempt)).toEqual([1, 2, 3, 4]);
    const attempts = calls.filter(({ state }) => state === 'Check renewal').map(({ run: { attempt } }) => attempt);
    expect(attempts).toEqual([1, 2, 3, 4]);
  });

  test('ends with the first attempt that succeeds', async () => {
    const order = { order: saved, pending: false, challenges: [], records: [] };
    const { status, events } = await renew({ 'New order': [failed, failed, order], 'Record failure': schedule });
    expect(status).toBe('SUCCEEDED');
    expect(events.map(({ DetailType }) => DetailType)).toEqual([
      'Certificate Renewal Failed',
      'Certificate Renewal Failed',
      'Certificate Renewed',
    ]);
  });

  test('resumes the saved order', async () => {
    const finish = { outcome: 'finish', reason: 'valid', order: saved, challenges: [], records: [] };
    const { status, inputsOf } = await renew({
      'Check renewal': [checked, resume],
      'Check order': [finish],
      'Store certificate': [thrown('Runtime.ExitError', 'signal: killed'), { current, warnings: [] }],
      'Record failure': [retryAfter(60)],
    });
    expect(status).toBe('SUCCEEDED');
    expect(inputsOf('New order')).toHaveLength(1);
    expect(inputsOf('Finalize order').map(({ resumed }) => resumed)).toEqual([false, true]);
  });

  test('begins each attempt without the variables of the last one', async () => {
    const { inputsOf } = await renew({
      'Check renewal': [
        { ...checked, action: 'wait', wait: 5, waitStarts: { setLease: '2026-03-01T12:00:00.000Z' } },
        { ...resume },
        checked,
      ],
      'Check zones': [thrown('ZoneNotFoundError', 'no zone')],
      'Record failure': [retryAfter(60), retryAfter(null)],
    });
    expect(inputsOf('Check renewal').at(-1)).toMatchObject({
      waitStarts: {},
      cleaned: false,
      removed: [],
      reported: [],
      discardedOrder: null,
    });
  });

  test('measures the wait for the certificate from the CSR of each attempt', async () => {
    const notYet = { ...reached, reached: false, status: 'processing', wait: 1 };
    const { inputsOf } = await renew({
      'Finalize order': [notYet],
      'Poll order until valid': [notYet, thrown('OrderTimeoutError', 'never'), reached],
      'Record failure': [retryAfter(60)],
    });
    expect(inputsOf('Poll order until valid').map((each) => each.waited)).toEqual([1, 2, 1]);
  });

  test('continues if the failure could not be published', async () => {
    const { inputsOf } = await renew({
      'New order': [failed],
      'Record failure': [retryAfter(60), retryAfter(null)],
      'Announce failure': [thrown('States.TaskFailed', 'throttled')],
    });
    expect(inputsOf('New order')).toHaveLength(2);
  });

  test('publishes no event for a permission that a deployment has just made, except after the last attempt', async () => {
    const iamPropagation = { ...retryAfter(20), quiet: true };
    const denied = thrown('AccessDeniedError', 'no identity-based policy allows it');
    const order = { order: saved, pending: false, challenges: [], records: [] };
    const deployed = await renew({ 'New order': [denied, denied, order], 'Record failure': [iamPropagation] });
    expect(deployed.status).toBe('SUCCEEDED');
    expect(deployed.events.map(({ DetailType }) => DetailType)).toEqual(['Certificate Renewed']);
    const { events } = await renew({ 'New order': [denied], 'Record failure': [iamPropagation] });
    expect(events.map(({ Detail }) => Detail.attempt)).toEqual([10]);
  });

  test('ends after ten attempts even if *Record failure* always returns a time for a retry', async () => {
    const { status, inputsOf } = await renew({ 'Check zones': [failed], 'Record failure': [retryAfter(1)] });
    expect(inputsOf('Check zones')).toHaveLength(10);
    expect(status).toBe('FAILED');
  });

  test('publishes what the operator has to do and the time of the next attempt', async () => {
    const action = 'Allow the CA in the CAA record.';
    const { events } = await renew({ 'New order': [failed], 'Record failure': [{ ...failure, action }] });
    expect(events[0]?.Detail).toMatchObject({ action, nextAttempt: '2026-03-02T12:00:00Z', attempt: 1 });
  });
});

describe('a failing proof', () => {
  const states = ['Present challenges', 'Check propagation', 'Respond to challenges', 'Poll order until ready'];
  const challengeFailed = thrown('ChallengeFailedError', 'No TXT found.\n{"problem":{"type":"urn:dns"}}');

  test.each(states)('at %s is cleaned up, recorded and published, and ends with its own error', async (state) => {
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
    expect(inputsOf('Record failure')).toEqual([
      {
        spec: checked.spec,
        errorOutput: challengeFailed.errorOutput,
        announced: null,
        removed: [record],
        deploy: false,
        startedAt: expect.any(String),
      },
    ]);
    expect(events[0]).toMatchObject({
      DetailType: 'Certificate Renewal Failed',
      Detail: {
        certificate: 'www',
        reason: 'never issued',
        error: 'ChallengeFailedError',
        problemType: 'urn:dns',
        identifier: 'example.com',
      },
    });
  });

  test('is recorded without removed values if it cannot be cleaned up', async () => {
    const { inputsOf, error } = await renew({
      'Poll order until ready': [challengeFailed],
      'Clean up challenges': [thrown('ThrottledError', 'slow down')],
    });
    expect(inputsOf('Record failure')).toEqual([
      {
        spec: checked.spec,
        errorOutput: challengeFailed.errorOutput,
        announced: null,
        removed: [],
        deploy: false,
        startedAt: expect.any(String),
      },
    ]);
    expect(error).toBe('ChallengeFailedError');
  });

  test('sends no response to a challenge and no CSR if its records do not propagate', async () => {
    const { inputsOf } = await renew({ 'Check propagation': [thrown('PropagationTimeoutError', 'not there')] });
    expect([...inputsOf('Respond to challenges'), ...inputsOf('Finalize order')]).toEqual([]);
  });
});

describe('a renewal whose clean-up fails', () => {
  test('succeeds and records no removed values', async () => {
    const { status, inputsOf } = await renew({ 'Clean up challenges': [thrown('ThrottledError', 'slow down')] });
    expect(status).toBe('SUCCEEDED');
    expect(inputsOf('Record success')).toEqual([{ announced: 'v1', removed: [] }]);
  });
});

describe('a region that rejects the import', () => {
  const answers = {
    'Check renewal': [{ ...checked, spec: { name: 'www', regions: ['eu-west-1', 'us-east-1', 'us-west-2'] } }],
    'Import certificate': [
      { region: 'eu-west-1', arn: 'arn:acm:1', replaces: null },
      thrown('ImportLimitError', 'us-east-1 is full'),
      { region: 'us-west-2', arn: 'arn:acm:3', replaces: null },
    ],
  };

  test('does not stop the other regions, and fails the renewal after them', async () => {
    const { status, inputsOf } = await renew(answers);
    expect(inputsOf('Import certificate').map(({ region }) => region)).toEqual(['eu-west-1', 'us-east-1', 'us-west-2']);
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: { Error: 'ImportLimitError' } }]);
    expect(inputsOf('Record success')).toEqual([]);
    expect(status).toBe('FAILED');
  });

  const full = thrown('ImportLimitError', 'us-east-1 is full');
  const fine = (region: string, imported = true) => ({
    region,
    arn: `arn:${region}`,
    replaces: null,
    action: null,
    imported,
  });
  const deliver = {
    ...checked,
    action: 'deliver',
    current,
    spec: { name: 'www', regions: ['eu-west-1', 'us-east-1'] },
  };
  const published = ({ events }: { readonly events: readonly Entry[] }) =>
    events.map(({ DetailType, Detail }) => [DetailType, Detail.deliveries]);

  test('does not prevent the event for the other regions, which is published before the failure', async () => {
    const delivered = [fine('eu-west-1'), fine('us-west-2')];
    const imports = [delivered[0], full, delivered[1]];
    expect(published(await renew({ ...answers, 'Import certificate': imports }))).toEqual([
      ['Certificate Renewed', delivered],
      ['Certificate Renewal Failed', undefined],
    ]);
  });

  test('is retried, and the event for the other regions is published again only after a new import', async () => {
    const { inputsOf, status, ...rest } = await renew({
      'Check renewal': [deliver, { ...deliver, announced: 'v1' }],
      'Import certificate': [
        fine('eu-west-1'),
        full,
        fine('eu-west-1', false),
        full,
        fine('eu-west-1', false),
        fine('us-east-1'),
      ],
      'Record failure': [{ ...failure, retryIn: 60 }],
    });
    expect(status).toBe('SUCCEEDED');
    expect(inputsOf('Record failure').map(({ announced }) => announced)).toEqual(['v1', 'v1']);
    expect(published(rest)).toEqual([
      ['Certificate Renewed', [fine('eu-west-1')]],
      ['Certificate Renewal Failed', undefined],
      ['Certificate Renewal Failed', undefined],
      ['Certificate Renewed', [fine('eu-west-1', false), fine('us-east-1')]],
    ]);
  });

  test('does not prevent the event for the readers of the secret, even if no region has the certificate', async () => {
    const events = published(await renew({ ...answers, 'Import certificate': [full] }));
    expect(events).toEqual([
      ['Certificate Renewed', []],
      ['Certificate Renewal Failed', undefined],
    ]);
  });

  test('fails the renewal even if the event for the other regions could not be published', async () => {
    const { status, inputsOf } = await renew({
      ...answers,
      'Announce partial delivery': [thrown('States.TaskFailed', 'throttled')],
    });
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: { Error: 'ImportLimitError' } }]);
    expect(status).toBe('FAILED');
  });

  test.each([
    [['ImportLimitError', 'ThrottledError'], 'ThrottledError'],
    [['AccessDeniedError', 'ImportRefusedError'], 'AccessDeniedError'],
    [['ImportRefusedError', 'ImportLimitError'], 'ImportRefusedError'],
  ])('with the errors %j is recorded as %s, so errors for the operator come last', async (names, recorded) => {
    const imports = names.map((name) => thrown(name, `${name} in its region`));
    const { inputsOf } = await renew({ 'Check renewal': [deliver], 'Import certificate': imports });
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: { Error: recorded } }]);
  });
});

describe('throttling', () => {
  // 1 + 2 + ... + 256 + 23 × 300 s = 7,411 s without jitter.
  const forTwoHours = Array<Error>(32).fill(thrown('ThrottledError', 'Rate exceeded'));

  test.each([
    ['Check renewal', checked],
    ['Check zones', zonesChecked],
    ['Check propagation', { propagated: true, wait: 0, waitingFor: '' }],
    ['Import certificate', { region: 'us-east-1', arn: 'arn:acm', replaces: null }],
  ])('of %s for two hours neither ends the renewal nor counts as a failure', async (state, answer) => {
    const deliveries = { ...checked, spec: { ...checked.spec, regions: ['us-east-1'] } };
    const answers = {
      'Check renewal': [deliveries],
      [state]: [...forTwoHours, answer === checked ? deliveries : answer],
    };
    const { status, inputsOf, events } = await renew(answers, undefined, { retries: true });
    expect(status).toBe('SUCCEEDED');
    expect(inputsOf(state)).toHaveLength(33);
    expect(inputsOf('Record failure')).toEqual([]);
    expect(events.map(({ DetailType }) => DetailType)).toEqual(['Certificate Renewed']);
  });

  test('that lasts longer ends the renewal without an event', async () => {
    const quiet = { ...failure, error: 'ThrottledError', quiet: true };
    const answers = { 'Check zones': [thrown('ThrottledError', 'Rate exceeded')], 'Record failure': [quiet] };
    const { status, error, events } = await renew(answers, undefined, { retries: true });
    expect([status, error, events]).toEqual(['FAILED', 'ThrottledError', []]);
  });

  test('of the clean-up delays the certificate for a minute only', async () => {
    const answers = { 'Clean up challenges': [thrown('ThrottledError', 'Rate exceeded')] };
    const { status, inputsOf } = await renew(answers, undefined, { retries: true });
    expect(status).toBe('SUCCEEDED');
    expect(inputsOf('Clean up challenges')).toHaveLength(6);
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

describe('an input that names no configured certificate', () => {
  test.each([
    [{ certificate: 'nope' }, 'UnknownCertificateError'],
    [{ name: 'www' }, 'InvalidInputError'],
    ['www', 'InvalidInputError'],
    [null, 'InvalidInputError'],
    [[{ certificate: 'www' }], 'InvalidInputError'],
  ])('%j fails at once with the message of %s, and nothing is recorded', async (input, name) => {
    const { error, cause, calls } = await renew({ 'Check renewal': [thrown(name, 'Do this and that.')] }, input);
    expect({ error, cause }).toEqual({ error: name, cause: 'Do this and that.' });
    expect(calls.map(({ state }) => state)).toEqual(['Check renewal']);
  });
});

test.each(['SecretNotOwnedError', 'SecretDeletedError'])(
  '%s is published, because the certificate will expire',
  async (name) => {
    const failure = { error: name, cause: 'Do this and that.', retryIn: null };
    const { error, calls } = await renew(
      {
        'Check renewal': [thrown(name, 'Do this and that.')],
        'Record failure': [
          { ...failure, problemType: null, identifier: null, action: null, nextAttempt: '2026-03-02T00:00:00.000Z' },
        ],
      },
      { certificate: 'www' },
    );
    expect(error).toBe(name);
    expect(calls.map(({ state }) => state)).toEqual(['Check renewal', 'Record failure', 'Announce failure']);
  },
);

describe('a failure that cannot be recorded', () => {
  const ends = async (failure: Error) => {
    const { error, cause } = await renew({
      'New order': [failure],
      'Record failure': [thrown('AccessDeniedError', 'no')],
    });
    return { error, cause };
  };

  test('is published with the time of the next fleet run, and only if the certificate is known', async () => {
    const failed = [thrown('CaUnavailableError', 'It is down.')];
    const unrecorded = { 'Check renewal': failed, 'Record failure': [thrown('AccessDeniedError', 'no')] };
    const { events } = await renew(unrecorded);
    expect(events).toMatchObject([
      { DetailType: 'Certificate Renewal Failed', Detail: { error: 'CaUnavailableError' } },
    ]);
    expect(schemaErrors('Certificate Renewal Failed', events[0]?.Detail)).toEqual([]);
    expect(events[0]?.Detail.nextAttempt).toBe('2026-03-01T18:00:00.000Z');
    expect((await renew(unrecorded, { restartOf: 'arn:execution' })).events).toEqual([]);
  });

  test('ends the execution with its own name and with the message of the function', async () => {
    expect(
      await ends(thrown('RateLimitedError', 'Too many.\n{"certificate":"www","problem":{"type":"urn:rateLimited"}}')),
    ).toEqual({
      error: 'RateLimitedError',
      cause: 'Too many.',
    });
  });

  test.each([
    ['States.Timeout', 'StepTimedOutError'],
    ['Sandbox.Timedout', 'StepTimedOutError'],
    ['States.QueryEvaluationError', 'UnexpectedError'],
    ['States.HeartbeatTimeout', 'StepTimedOutError'],
    ['States.', 'UnexpectedError'],
    ['Lambda.TooManyRequestsException', 'ThrottledError'],
    ['Lambda.Unknown', 'Lambda.Unknown'],
  ])('with the name %s ends the execution with the name %s', async (name, shown) => {
    expect(await ends(new TaskError(name, 'in words'))).toEqual({ error: shown, cause: 'in words' });
  });

  test.each([
    '',
    '{',
    '{}',
    '{"errorMessage"',
    'not {"message":"JSON"}',
    '[]',
    '{"errorMessage":"cut',
    '{"errorMessage":5}',
    '{"errorType":"CaUnavailableError"}',
    'two\nlines',
  ])('with the malformed cause %j ends the execution with its own name', async (cause) => {
    expect((await ends(new TaskError('CaUnavailableError', cause))).error).toBe('CaUnavailableError');
  });
});
