import { describe, expect, test } from 'vitest';
import { synthesize } from '../../synthesized.ts';
import { definition, run, TaskError, type Tasks, thrown } from '../state-machine.ts';

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
  order: null,
  replaces: null,
  challengeZones: [],
  account: null,
};
const zonesChecked = { challengeRecords: [{ identifier: 'example.com', hostedZoneId: 'Z1', name: record.name }] };
const saved = { url: 'https://ca/order/0', finalize: 'https://ca/finalize/0', expires: null };
const left = { ...record, value: 'left by a dead run' };
const resume = { ...checked, action: 'resume', order: saved, leftovers: [left] };
/** As *Record failure* says it of the last rung. */
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
    'Check zones': zonesChecked,
    'Check zones of saved order': zonesChecked,
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
    'Clean up leftover challenges': { removed: [record] },
    'Finalize order': reached,
    'Poll order until valid': reached,
    'Store certificate': { current, warnings: [] },
    'Read certificate': { current },
    'Share secret': {},
    'Import certificate': { region: 'us-east-1', arn: 'arn:acm', replaces: null },
    'Record success': {},
    'Check endpoints': { served: true, wait: 0, endpoints: [] },
    'Record failure': failure,
    'Check order': { outcome: 'gone', reason: 'not known', order: saved, challenges: [], records: [] },
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
    'Announce partial delivery': announcing('Announce partial delivery'),
    'Announce endpoints not served': announcing('Announce endpoints not served'),
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
      'Announce',
      'Record success',
    ]);
  });

  test('of one name and one region takes at most 30 transitions with INSYNC at once', async () => {
    const { entered } = await renew({ 'Finalize order': [{ ...reached, reached: false, wait: 1 }] });
    expect(entered.length).toBeLessThanOrEqual(30);
  });

  test('looks whether its endpoints serve what was issued at the cost of at most two transitions more, when they do', async () => {
    const { entered } = await renew({
      'Check renewal': [{ ...checked, spec: { ...checked.spec, endpoints: ['www.example.com:443'] } }],
      'Finalize order': [{ ...reached, reached: false, wait: 1 }],
    });
    expect(entered.length).toBeLessThanOrEqual(32);
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
    expect(inputsOf('Clean up leftover challenges')).toEqual([{ records: [record] }]);
    expect(inputsOf('Check renewal')[1]).toMatchObject({ cleaned: true, removed: [record] });
    expect(status).toBe('SUCCEEDED');
  });

  test('goes on when what a dead run left cannot be removed', async () => {
    const clean = { ...checked, action: 'clean', leftovers: [record] };
    const { inputsOf, status } = await renew({
      'Check renewal': [clean, checked],
      'Clean up leftover challenges': [thrown('AccessDeniedError', 'denied')],
    });
    expect(inputsOf('Check renewal')[1]).toMatchObject({ cleaned: true, removed: [] });
    expect(status).toBe('SUCCEEDED');
  });

  test('strikes off once what a dead run left: the same value may be in DNS again when the clean-up fails', async () => {
    const clean = { ...checked, action: 'clean', leftovers: [record] };
    const { inputsOf, status } = await renew({
      'Check renewal': [clean, checked],
      'Clean up challenges': [thrown('AccessDeniedError', 'denied')],
    });
    expect(inputsOf('Record success')).toEqual([{ removed: [] }]);
    expect(status).toBe('SUCCEEDED');
  });

  test('does not clean for ever', async () => {
    const { calls } = await renew({ 'Check renewal': [{ ...checked, action: 'clean', leftovers: [record] }] });
    expect(calls.filter(({ state }) => state === 'Clean up leftover challenges')).toHaveLength(1);
  });

  test('delivers what is stored without a new order', async () => {
    const { calls, inputsOf } = await renew({ 'Check renewal': [{ ...checked, action: 'deliver', current }] });
    expect(calls.map(({ state }) => state)).toEqual([
      'Check renewal',
      'Import certificate',
      'Announce',
      'Record success',
    ]);
    expect(inputsOf('Import certificate')).toEqual([{ spec: checked.spec, region: 'us-east-1', current }]);
  });

  test('reads the secret when the ledger does not know its certificate, and delivers that', async () => {
    const { inputsOf, status } = await renew({ 'Check renewal': [{ ...checked, action: 'repair' }] });
    expect(inputsOf('New order')).toEqual([]);
    expect(inputsOf('Import certificate')[0]).toMatchObject({ current });
    expect(status).toBe('SUCCEEDED');
  });

  test('that only changes who may read the secret is recorded, and neither announced nor looked at, so that no server reloads', async () => {
    const spec = { ...checked.spec, endpoints: ['www.example.com:443'] };
    const { status, entered, inputsOf, events } = await renew({
      'Check renewal': [{ ...checked, action: 'share', spec }],
    });
    expect(status).toBe('SUCCEEDED');
    expect(entered.slice(-4)).toEqual(['Share secret', 'Record success', 'Any endpoints?', 'Done']);
    expect(inputsOf('Share secret')).toEqual([{ spec }]);
    expect(events).toEqual([]);
  });

  test('whose reader is refused fails, and is recorded with that error', async () => {
    const refused = thrown('SecretAccessError', 'Nobody of that name.');
    const { status, inputsOf } = await renew({
      'Check renewal': [{ ...checked, action: 'share' }],
      'Share secret': [refused],
    });
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: refused.errorOutput }]);
    expect([status, inputsOf('Record success')]).toEqual(['FAILED', []]);
  });

  test('that reads a certificate the ledger did not know is announced', async () => {
    const { events } = await renew({ 'Check renewal': [{ ...checked, action: 'repair' }] });
    expect(events.map(({ DetailType }) => DetailType)).toEqual(['Certificate Renewed']);
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
          reason: 'never issued',
          current,
          deliveries: [{ region: 'us-east-1', arn: 'arn:acm', replaces: null }],
        }),
      }),
    ]);
  });

  test('has succeeded, and is recorded, although the event could not be published', async () => {
    const { status, inputsOf } = await renew({ Announce: [thrown('States.TaskFailed', 'throttled')] });
    expect([status, inputsOf('Record success')]).toEqual(['SUCCEEDED', [{ removed: [record] }]]);
  });
});

describe('the servers of a certificate', () => {
  const endpoint = 'www.example.com:443';
  const spec = { ...checked.spec, endpoints: [endpoint] };
  const old = { endpoint, status: 'other', serialNumber: '0A00', detail: 'it shows 0A00' };
  const notYet = (wait: number) => ({ served: false, wait, endpoints: [old] });
  const watch = { ...checked, action: 'checkEndpoints', reason: 'a day ago', spec, current };
  const states = ({ calls }: { readonly calls: readonly Call[] }) => calls.map(({ state }) => state);

  test('are looked at when everyone has been told and no lease is held', async () => {
    const renewed = await renew({ 'Check renewal': [{ ...checked, spec }] });
    expect(states(renewed).slice(-4)).toEqual(['Import certificate', 'Announce', 'Record success', 'Check endpoints']);
    expect(renewed.inputsOf('Check endpoints')).toEqual([{ spec, current, tries: 0 }]);
    expect(renewed.output).toMatchObject({ current, served: true });
    expect(renewed.events.map(({ DetailType }) => DetailType)).toEqual(['Certificate Renewed']);
  });

  test('that need some time get it', async () => {
    const { status, inputsOf, waited, events, output } = await renew({
      'Check renewal': [watch],
      'Check endpoints': [notYet(60), notYet(300), { served: true, wait: 0, endpoints: [] }],
    });
    expect(inputsOf('Check endpoints').map(({ tries }) => tries)).toEqual([0, 1, 2]);
    expect({ status, waited, output, events }).toMatchObject({
      status: 'SUCCEEDED',
      waited: 360,
      output: { served: true },
      events: [],
    });
  });

  test('that do not serve it in the end are announced, and the renewal has succeeded', async () => {
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

  test('that nobody can be told of do not fail it', async () => {
    const { status, output } = await renew({
      'Check renewal': [watch],
      'Check endpoints': [notYet(0)],
      'Announce endpoints not served': [thrown('States.TaskFailed', 'throttled')],
    });
    expect({ status, output }).toMatchObject({ status: 'SUCCEEDED', output: { served: false } });
  });

  test('that cannot be looked at do not fail it', async () => {
    const { status, output, events } = await renew({
      'Check renewal': [watch],
      'Check endpoints': [thrown('ThrottledError', 'slow down')],
    });
    expect({ status, output, events }).toMatchObject({ status: 'SUCCEEDED', output: { served: null }, events: [] });
  });

  test('are nobody’s concern any more when another version is current by now', async () => {
    const { output, events } = await renew({
      'Check renewal': [watch],
      'Check endpoints': [notYet(60), { served: null, wait: 0, endpoints: [] }],
    });
    expect({ output, events }).toMatchObject({ output: { served: null }, events: [] });
  });

  test('are looked at once a day without anything else', async () => {
    expect(states(await renew({ 'Check renewal': [watch] }))).toEqual(['Check renewal', 'Check endpoints']);
  });

  test('do not keep a deployment that waits for the certificate', async () => {
    const renewed = await renew({ 'Check renewal': [{ ...checked, spec }] }, { certificate: 'www', deploy: true });
    expect(states(renewed).slice(-2)).toEqual(['Announce', 'Record success']);
    expect(renewed).toMatchObject({ status: 'SUCCEEDED', output: { served: null } });
  });

  test('do not matter to a renewal that was told nobody', async () => {
    const { inputsOf } = await renew({
      'Check renewal': [{ ...checked, spec }],
      Announce: [thrown('States.TaskFailed', 'throttled')],
    });
    expect(inputsOf('Check endpoints')).toHaveLength(1);
  });

  test('are not looked at when the success could not be recorded', async () => {
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
  const finish = { outcome: 'finish', reason: 'valid', order: saved, challenges: [], records: [left] };

  test('that is pending is proven and finished, and no other is placed', async () => {
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
        leftovers: [left],
      },
    ]);
    expect(inputsOf('Respond to challenges')).toEqual([{ spec: checked.spec, challenges: [challenge] }]);
    expect(inputsOf('Finalize order')).toEqual([{ spec: checked.spec, order: saved, resumed: true }]);
  });

  test('that is pending is cleaned up together with what the dead run left', async () => {
    const { inputsOf } = await renew({ 'Check renewal': [resume], 'Check order': [prove] });
    expect(inputsOf('Clean up challenges')).toEqual([{ records: [record, left] }]);
  });

  test('that is proven is cleaned up first and finished, with nothing presented', async () => {
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
    expect(inputsOf('Clean up challenges')[0]).toMatchObject({ records: expect.arrayContaining([left]) });
    expect(inputsOf('Finalize order')).toMatchObject([{ resumed: true }]);
    expect(status).toBe('SUCCEEDED');
  });

  test('that is of no use is given up, what it left is removed, and a new one is placed', async () => {
    const { status, inputsOf } = await renew({
      'Check renewal': [resume, { ...checked, action: 'clean', leftovers: [left] }, checked],
    });
    expect(inputsOf('Check renewal').map(({ discardedOrder }) => discardedOrder)).toEqual([null, saved.url, saved.url]);
    expect(inputsOf('Clean up leftover challenges')).toEqual([{ records: [left] }]);
    expect(inputsOf('New order')).toHaveLength(1);
    expect(status).toBe('SUCCEEDED');
  });

  test('is not looked at for ever', async () => {
    const { inputsOf } = await renew({ 'Check renewal': [resume] });
    expect(inputsOf('Check order')).toHaveLength(1);
  });

  const undelegated = thrown('ZoneNotDelegatedError', 'nobody would see it');

  test('that is proven is fetched although its zone is not in order any more', async () => {
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

  test('that is to be proven in a zone that is not in order fails with what is wrong there', async () => {
    const { status, inputsOf } = await renew({
      'Check renewal': [resume],
      'Check zones of saved order': [undelegated],
      'Check order': [{ ...prove, challenges: [], records: [] }],
    });
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: undelegated.errorOutput }]);
    expect([inputsOf('Present challenges'), inputsOf('Finalize order')]).toEqual([[], []]);
    expect(status).toBe('FAILED');
  });

  test('that is of no use makes room for a new one where the zone is in order again', async () => {
    const { status, inputsOf } = await renew({
      'Check renewal': [resume, checked],
      'Check zones of saved order': [undelegated],
    });
    expect([status, inputsOf('New order').length]).toEqual(['SUCCEEDED', 1]);
  });

  test('is named in the log from the moment it is known', async () => {
    const { calls } = await renew({ 'Check renewal': [resume], 'Check order': [prove] });
    expect(calls.find(({ state }) => state === 'Check order')?.run.order).toBe(saved.url);
  });
});

describe('an order', () => {
  test('names the certificate that it replaces', async () => {
    const { inputsOf } = await renew({ 'Check renewal': [{ ...checked, replaces: 'aki.serial' }] });
    expect(inputsOf('New order')).toMatchObject([{ replaces: 'aki.serial' }]);
  });

  test('that was just placed has not been finalized before', async () => {
    const { inputsOf } = await renew();
    expect(inputsOf('Finalize order')).toMatchObject([{ resumed: false }]);
  });
});

describe('CAA that refuses', () => {
  const caa = thrown('CaaError', 'the CAA set allows other CAs only');

  test('fails the renewal with what *Check zones* found, and costs no order', async () => {
    const { inputsOf, status } = await renew({ 'Check zones': [caa] });
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: caa.errorOutput }]);
    expect([status, inputsOf('New order')]).toEqual(['FAILED', []]);
  });

  test('is left to the CA where a saved order is proven', async () => {
    const finish = { outcome: 'finish', reason: 'valid', order: saved, challenges: [], records: [] };
    const answers = { 'Check renewal': [resume], 'Check zones of saved order': [caa], 'Check order': [finish] };
    expect((await renew(answers)).status).toBe('SUCCEEDED');
  });
});

describe('the retry ladder', () => {
  const rung = (retryIn: number | null) => ({ ...failure, retryIn });
  const failed = thrown('CaUnavailableError', 'The CA is away.');
  const rungs = [rung(60), rung(600), rung(6000), rung(null)];

  test('waits as long as it is told, tells of each failure, and ends under the last one', async () => {
    const { status, error, waited, inputsOf, events, calls } = await renew({
      'New order': [failed],
      'Record failure': rungs,
    });
    expect({ status, error, waited }).toEqual({ status: 'FAILED', error: 'ChallengeFailedError', waited: 6660 });
    expect(inputsOf('New order')).toHaveLength(4);
    expect(events.map(({ Detail }) => Detail.attempt)).toEqual([1, 2, 3, 4]);
    const attempts = calls.filter(({ state }) => state === 'Check renewal').map(({ run: { attempt } }) => attempt);
    expect(attempts).toEqual([1, 2, 3, 4]);
  });

  test('ends with a try that succeeds', async () => {
    const order = { order: saved, challenges: [], records: [] };
    const { status, events } = await renew({ 'New order': [failed, failed, order], 'Record failure': rungs });
    expect(status).toBe('SUCCEEDED');
    expect(events.map(({ DetailType }) => DetailType)).toEqual([
      'Certificate Renewal Failed',
      'Certificate Renewal Failed',
      'Certificate Renewed',
    ]);
  });

  test('carries on from the saved order', async () => {
    const finish = { outcome: 'finish', reason: 'valid', order: saved, challenges: [], records: [] };
    const { status, inputsOf } = await renew({
      'Check renewal': [checked, resume],
      'Check order': [finish],
      'Store certificate': [thrown('Runtime.ExitError', 'signal: killed'), { current, warnings: [] }],
      'Record failure': [rung(60)],
    });
    expect(status).toBe('SUCCEEDED');
    expect(inputsOf('New order')).toHaveLength(1);
    expect(inputsOf('Finalize order').map(({ resumed }) => resumed)).toEqual([false, true]);
  });

  test('begins each rung with nothing of the last one', async () => {
    const { inputsOf } = await renew({
      'Check renewal': [{ ...checked, action: 'wait', wait: 5 }, { ...resume }, checked],
      'Check zones': [thrown('ZoneNotFoundError', 'no zone')],
      'Record failure': [rung(60), rung(null)],
    });
    expect(inputsOf('Check renewal').at(-1)).toMatchObject({
      waits: 0,
      cleaned: false,
      removed: [],
      discardedOrder: null,
    });
  });

  test('counts its looks at the order anew', async () => {
    const notYet = { ...reached, reached: false, status: 'processing', wait: 1 };
    const { inputsOf } = await renew({
      'Finalize order': [notYet],
      'Poll order until valid': [notYet, thrown('OrderTimeoutError', 'never'), reached],
      'Record failure': [rung(60)],
    });
    expect(inputsOf('Poll order until valid').map(({ tries }) => tries)).toEqual([0, 1, 0]);
  });

  test('goes on when nobody could be told', async () => {
    const { inputsOf } = await renew({
      'New order': [failed],
      'Record failure': [rung(60), rung(null)],
      'Announce failure': [thrown('States.TaskFailed', 'throttled')],
    });
    expect(inputsOf('New order')).toHaveLength(2);
  });

  test('tells nobody of a permission that a deployment has made a moment ago, but when it was the last try', async () => {
    const settling = { ...rung(20), quiet: true };
    const denied = thrown('AccessDeniedError', 'no identity-based policy allows it');
    const order = { order: saved, challenges: [], records: [] };
    const settled = await renew({ 'New order': [denied, denied, order], 'Record failure': [settling] });
    expect(settled.status).toBe('SUCCEEDED');
    expect(settled.events.map(({ DetailType }) => DetailType)).toEqual(['Certificate Renewed']);
    const { events } = await renew({ 'New order': [denied], 'Record failure': [settling] });
    expect(events.map(({ Detail }) => Detail.attempt)).toEqual([10]);
  });

  test('ends after ten tries whatever it is told', async () => {
    const { status, inputsOf } = await renew({ 'Check zones': [failed], 'Record failure': [rung(1)] });
    expect(inputsOf('Check zones')).toHaveLength(10);
    expect(status).toBe('FAILED');
  });

  test('says what a person has to do and when it is tried again', async () => {
    const action = 'Allow the CA in the CAA record.';
    const { events } = await renew({ 'New order': [failed], 'Record failure': [{ ...failure, action }] });
    expect(events[0]?.Detail).toMatchObject({ action, nextAttempt: '2026-03-02T12:00:00Z', attempt: 1 });
  });
});

describe('a failing proof', () => {
  const states = ['Present challenges', 'Check propagation', 'Respond to challenges', 'Poll order until ready'];
  const challengeFailed = thrown('ChallengeFailedError', 'No TXT found.\n{"problem":{"type":"urn:dns"}}');

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
    expect(inputsOf('Record failure')).toEqual([
      {
        spec: checked.spec,
        errorOutput: challengeFailed.errorOutput,
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

  test('that cannot be cleaned up is recorded with nothing removed', async () => {
    const { inputsOf, error } = await renew({
      'Poll order until ready': [challengeFailed],
      'Clean up challenges': [thrown('ThrottledError', 'slow down')],
    });
    expect(inputsOf('Record failure')).toEqual([
      {
        spec: checked.spec,
        errorOutput: challengeFailed.errorOutput,
        removed: [],
        deploy: false,
        startedAt: expect.any(String),
      },
    ]);
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
  const told = ({ events }: { readonly events: readonly Entry[] }) =>
    events.map(({ DetailType, Detail }) => [DetailType, Detail.deliveries]);

  test('leaves the others announced, before its own failure', async () => {
    const delivered = [fine('eu-west-1'), fine('us-west-2')];
    const imports = [delivered[0], full, delivered[1]];
    expect(told(await renew({ ...answers, 'Import certificate': imports }))).toEqual([
      ['Certificate Renewed', delivered],
      ['Certificate Renewal Failed', undefined],
    ]);
  });

  test('is followed by a try that does the rest: what is there is announced again only with something new', async () => {
    const { inputsOf, status, ...rest } = await renew({
      'Check renewal': [deliver],
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
    expect(told(rest)).toEqual([
      ['Certificate Renewed', [fine('eu-west-1')]],
      ['Certificate Renewal Failed', undefined],
      ['Certificate Renewal Failed', undefined],
      ['Certificate Renewed', [fine('eu-west-1', false), fine('us-east-1')]],
    ]);
  });

  test('leaves readers of the secret told of a new certificate although no region has it', async () => {
    const events = told(await renew({ ...answers, 'Import certificate': [full] }));
    expect(events).toEqual([
      ['Certificate Renewed', []],
      ['Certificate Renewal Failed', undefined],
    ]);
  });

  test('fails the renewal also when nobody could be told of the others', async () => {
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
  ])('by %j is recorded as %s: what waits for a person holds nothing else back', async (names, recorded) => {
    const imports = names.map((name) => thrown(name, `${name} in its region`));
    const { inputsOf } = await renew({ 'Check renewal': [deliver], 'Import certificate': imports });
    expect(inputsOf('Record failure')).toMatchObject([{ errorOutput: { Error: recorded } }]);
  });

  test('because it takes one import a second has time for a thousand of them before it counts as refusing', () => {
    const { Retry: retries = [] } = workflow.States.Deliver?.ItemProcessor?.States['Import certificate'] ?? {};
    // Step Functions takes the first policy that has the name.
    expect(retries.find(({ ErrorEquals }) => ErrorEquals.includes('ThrottledError'))).toMatchObject({
      IntervalSeconds: 10,
      BackoffRate: 2,
      MaxDelaySeconds: 300,
      MaxAttempts: 12,
      JitterStrategy: 'FULL',
    });
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
  ])('%j fails at once with the sentence of %s, and nothing is recorded', async (input, name) => {
    const { error, cause, calls } = await renew({ 'Check renewal': [thrown(name, 'Do this and that.')] }, input);
    expect({ error, cause }).toEqual({ error: name, cause: 'Do this and that.' });
    expect(calls.map(({ state }) => state)).toEqual(['Check renewal']);
  });
});

test.each(['SecretNotOursError', 'SecretDeletedError'])(
  '%s is announced, since the certificate will expire',
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

  test('ends under its own name, with the sentence out of the function’s reply', async () => {
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
    '{"errorMessage":"cut',
    '{"errorMessage":5}',
    '{"errorType":"CaUnavailableError"}',
    'two\nlines',
  ])('with the strange cause %j still ends under its own name', async (cause) => {
    expect((await ends(new TaskError('CaUnavailableError', cause))).error).toBe('CaUnavailableError');
  });
});
