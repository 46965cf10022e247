import { describe, expect, test } from 'vitest';
import { ofType, type Resource, synthesize } from '../../synthesized.ts';
import { definition, run, TaskError, type Tasks, thrown } from '../state-machine.ts';

const workflow = definition('-accounts', synthesize());

const first = { name: 'test-ca', directoryUrl: 'https://ca.test/directory' };
const second = { name: 'other-ca', directoryUrl: 'https://other.test/directory' };
const nothing = {
  issuers: [],
  issuer: null,
  spec: null,
  versionId: null,
  reason: null,
  executionName: null,
  until: null,
};
const spec = { name: 'www' };
const resolvedRevocation = {
  ...nothing,
  action: 'revoke',
  spec,
  versionId: 'version-1',
  reason: 'keyCompromise',
  executionName: 'www-revoked-01234567',
};

interface Call {
  readonly state: string;
  readonly input: Record<string, unknown>;
}

/** Runs the workflow. `answers` has the results of each state, one for each call. The last one repeats, and an error is thrown. */
async function start(input: unknown, answers: Readonly<Record<string, readonly unknown[]>>) {
  const calls: Call[] = [];
  const events: unknown[] = [];
  const states = [
    'Resolve account request',
    'Register account',
    'Hold fleet lease',
    'Roll over key',
    'Free fleet lease',
    'Deactivate account',
    'Read account link',
    'Set pause',
  ];
  const answer = (state: string) => {
    const given = answers[state] ?? [{}];
    const now = given[Math.min(calls.filter((call) => call.state === state).length, given.length) - 1];
    if (now instanceof Error) throw now;
    return now;
  };
  const tasks = Object.fromEntries([
    ...[...states, 'Mark compromised key', 'Take lease', 'Revoke certificate', 'Revoke again', 'Release lease'].map(
      (state): [string, Tasks[string]] => [
        state,
        ({ Payload }) => {
          calls.push({ state, input: (Payload as { readonly input: Call['input'] }).input });
          return { Payload: answer(state) };
        },
      ],
    ),
    [
      'Announce failure',
      ({ Entries }: Record<string, unknown>) => {
        events.push(...(Entries as unknown[]));
        if (answers['Announce failure']) throw new TaskError('States.TaskFailed', 'no bus');
        return {};
      },
    ] as const,
    [
      'Start renewal',
      (args: Record<string, unknown>) => {
        calls.push({ state: 'Start renewal', input: args });
        return answer('Start renewal');
      },
    ] as const,
    [
      'Start fleet',
      (args: Record<string, unknown>) => {
        calls.push({ state: 'Start fleet', input: args });
        return answer('Start fleet');
      },
    ] as const,
  ]);
  const ended = await run(workflow, { input, tasks });
  return { ...ended, calls, events, states: calls.map(({ state }) => state) };
}

describe('a registration', () => {
  const request = { action: 'register' };
  const resolved = { ...nothing, action: 'register', issuers: [first, second] };

  test('registers an account with every issuer', async () => {
    const { status, calls } = await start(request, {
      'Resolve account request': [resolved],
      'Register account': [{ issuer: 'test-ca', account: 'url' }],
    });
    expect(status).toBe('SUCCEEDED');
    expect(calls).toEqual([
      { state: 'Resolve account request', input: { request } },
      { state: 'Register account', input: { issuer: first } },
      { state: 'Register account', input: { issuer: second } },
    ]);
  });

  const registered = (issuer: string, ...caa: readonly string[]) => ({
    issuer,
    url: `https://${issuer}/account/1`,
    caaIdentities: [],
    caa,
  });

  test.each([
    ['one issuer', [first], [registered('test-ca', 'a', 'b')], ['a', 'b']],
    ['two issuers', [first, second], [registered('test-ca', 'a'), registered('other-ca', 'b')], ['a', 'b']],
    ['one issuer without records', [first], [registered('test-ca')], []],
    ['two issuers, one with a record', [first, second], [registered('test-ca'), registered('other-ca', 'b')], ['b']],
  ])('returns the accounts and all CAA records: %s', async (_, issuers, accounts, caa) => {
    const { output } = await start(request, {
      'Resolve account request': [{ ...resolved, issuers }],
      'Register account': accounts,
    });
    expect(output).toEqual({ accounts, caa });
  });

  test('continues with the other issuers if one CA rejects it, and reports the issuer without an account', async () => {
    const refused = thrown('ExternalAccountBindingError', 'The binding of test-ca was used before.');
    const { status, error, cause, states, events } = await start(request, {
      'Resolve account request': [resolved],
      'Register account': [refused, { issuer: 'other-ca', account: 'url' }],
    });
    expect(states.filter((state) => state === 'Register account')).toHaveLength(2);
    expect({ status, error, cause }).toEqual({
      status: 'FAILED',
      error: 'ExternalAccountBindingError',
      cause: 'There is no usable account at test-ca. The binding of test-ca was used before.',
    });
    expect(events).toEqual([
      expect.objectContaining({
        DetailType: 'Certificate Account Request Failed',
        Detail: expect.objectContaining({
          request,
          error,
          cause,
          issuers: [{ issuer: 'test-ca', error: 'ExternalAccountBindingError' }],
        }),
      }),
    ]);
  });

  test('reports every issuer without an account', async () => {
    const { cause, events } = await start(request, {
      'Resolve account request': [resolved],
      'Register account': [thrown('AccountNotValidError', 'It is revoked.'), thrown('ContactRefusedError', 'No MX.')],
    });
    expect(cause).toBe('There is no usable account at test-ca, other-ca. It is revoked.');
    const issuers = [
      { issuer: 'test-ca', error: 'AccountNotValidError' },
      { issuer: 'other-ca', error: 'ContactRefusedError' },
    ];
    expect(events).toEqual([expect.objectContaining({ Detail: expect.objectContaining({ issuers }) })]);
  });
});

test('deactivate runs for the named issuer only and returns its account', async () => {
  const [action, state] = ['deactivate', 'Deactivate account'];
  const account = { issuer: 'test-ca', account: 'https://ca.test/account/1' };
  const { status, output, calls } = await start(
    { action, issuer: 'test-ca' },
    { 'Resolve account request': [{ ...nothing, action, issuer: first }], [state]: [account] },
  );
  expect(status).toBe('SUCCEEDED');
  expect(calls.at(-1)).toEqual({ state, input: { issuer: first } });
  expect(output).toEqual(account);
});

test.each([
  [{ action: 'pause', certificate: 'www', until: '2027-01-31T00:00:00Z' }, '2027-01-31T00:00:00Z'],
  [{ action: 'resume', certificate: 'www' }, null],
] as const)('%j sets the pause of the certificate and starts nothing', async (request, until) => {
  const { calls, output } = await start(request, {
    'Resolve account request': [{ ...nothing, action: request.action, spec, until }],
    'Set pause': [{ certificate: 'www', pausedUntil: until }],
  });
  expect(calls.map(({ state }) => state)).toEqual(['Resolve account request', 'Set pause']);
  expect(calls[1]?.input).toEqual({ until });
  expect(output).toEqual({ certificate: 'www', pausedUntil: until });
});

test('accountLink runs for the named certificate and returns the link in its output only', async () => {
  const result = { certificate: 'www', issuer: 'test-ca', link: 'https://ca.test/unpause?jwt=token' };
  const { status, output, calls, events } = await start(
    { action: 'accountLink', certificate: 'www' },
    { 'Resolve account request': [{ ...nothing, action: 'accountLink', spec }], 'Read account link': [result] },
  );
  expect({ status, output, events }).toEqual({ status: 'SUCCEEDED', output: result, events: [] });
  expect(calls.at(-1)).toEqual({ state: 'Read account link', input: { spec } });
});

describe('a key change', () => {
  const request = { action: 'rollOverKey', issuer: 'test-ca' };
  const account = { issuer: 'test-ca', account: 'https://ca.test/account/1' };
  const rollOver = (answers: Readonly<Record<string, readonly unknown[]>> = {}) =>
    start(request, {
      'Resolve account request': [{ ...nothing, action: 'rollOverKey', issuer: first }],
      'Roll over key': [account],
      'Free fleet lease': [{ selectionRequested: false }],
      ...answers,
    });
  const path = ['Resolve account request', 'Hold fleet lease', 'Roll over key', 'Free fleet lease'];

  test('holds the lease of the fleet, runs for the named issuer only, and returns its account', async () => {
    const { status, output, calls, states } = await rollOver();
    expect({ status, output, states }).toEqual({ status: 'SUCCEEDED', output: account, states: path });
    for (const { state, input } of calls.slice(1, 3)) expect(input, state).toEqual({ issuer: first });
  });

  test('starts a fleet run if one began in the meantime', async () => {
    const { output, states } = await rollOver({ 'Free fleet lease': [{ selectionRequested: true }] });
    expect(states).toEqual([...path, 'Start fleet']);
    expect(output).toEqual(account);
  });

  test.each(['Hold fleet lease', 'Roll over key'])(
    'releases the lease and fails with the error of *%s*',
    async (state) => {
      const { status, error, states } = await rollOver({ [state]: [thrown('RenewalsInProgressError', 'www-1.')] });
      expect({ status, error }).toEqual({ status: 'FAILED', error: 'RenewalsInProgressError' });
      expect(states).toEqual(path.filter((each) => state === 'Roll over key' || each !== 'Roll over key'));
    },
  );

  test.each([
    ['the lease cannot be released', { 'Free fleet lease': [thrown('AccessDeniedError', 'no')] }],
    [
      'the fleet run cannot be started',
      { 'Free fleet lease': [{ selectionRequested: true }], 'Start fleet': [new TaskError('States.TaskFailed', 'no')] },
    ],
  ])('succeeds although %s', async (_, answers) => {
    expect(await rollOver(answers)).toMatchObject({ status: 'SUCCEEDED', output: account });
  });

  test('waits ten minutes for a fleet run and for renewals in progress', () => {
    const { Retry: retries = [] } = workflow.States['Hold fleet lease'] ?? {};
    const waiting = retries.find(({ ErrorEquals }) => ErrorEquals.includes('RenewalsInProgressError'));
    expect(waiting).toMatchObject({ IntervalSeconds: 30, BackoffRate: 1, MaxAttempts: 20 });
  });
});

describe('a revocation', () => {
  const request = { action: 'revoke', certificate: 'www', reason: 'keyCompromise' };
  const started = { ExecutionArn: 'arn:renewal' };
  const revoke = (answers: Readonly<Record<string, readonly unknown[]>> = {}) =>
    start(request, {
      'Resolve account request': [resolvedRevocation],
      'Revoke certificate': [{ revoked: ['0a01'], renew: true }],
      'Start renewal': [started],
      ...answers,
    });
  const states = [
    'Resolve account request',
    'Mark compromised key',
    'Take lease',
    'Revoke certificate',
    'Release lease',
  ];
  const inState = (calls: readonly Call[], state: string) => calls.find((call) => call.state === state);

  test('marks the key, takes the lease, revokes, releases the lease, and then starts the renewal', async () => {
    expect((await revoke()).states).toEqual([...states, 'Start renewal']);
  });

  test('for another reason marks no key', async () => {
    const { states: called } = await revoke({
      'Resolve account request': [{ ...resolvedRevocation, reason: 'superseded' }],
    });
    expect(called).toEqual([...states.filter((state) => state !== 'Mark compromised key'), 'Start renewal']);
  });

  test('waits ten minutes for a renewal in progress, and then revokes without the lease', async () => {
    const inProgress = thrown('RenewalsInProgressError', 'Execution www-1 holds it.');
    expect(await revoke({ 'Take lease': [inProgress] })).toMatchObject({
      status: 'SUCCEEDED',
      states: [...states, 'Start renewal'],
    });
    const { Retry: retries = [] } = workflow.States['Take lease'] ?? {};
    const waiting = retries.find(({ ErrorEquals }) => ErrorEquals.includes('RenewalsInProgressError'));
    expect(waiting).toMatchObject({ IntervalSeconds: 30, BackoffRate: 1, MaxAttempts: 20 });
  });

  test('revokes nothing if the key cannot be marked', async () => {
    const denied = thrown('AccessDeniedError', 'Not allowed.');
    expect(await revoke({ 'Mark compromised key': [denied] })).toMatchObject({
      error: 'AccessDeniedError',
      states: ['Resolve account request', 'Mark compromised key'],
    });
  });

  test('names no version to try again with if the version holds no certificate', async () => {
    const unreadable = thrown('UnreadableSecretError', 'Version version-1 holds no certificate.');
    const { cause } = await revoke({ 'Mark compromised key': [unreadable] });
    expect(cause).toBe('Version version-1 holds no certificate.');
  });

  test('starts the renewal even if the lease cannot be released', async () => {
    const failed = thrown('ThrottledError', 'Too many calls.');
    const { status, output } = await revoke({ 'Release lease': [failed] });
    expect([status, output]).toEqual(['SUCCEEDED', { revoked: ['0a01'], renew: true, renewal: 'arn:renewal' }]);
  });

  test('names the version that was current when it started', async () => {
    const { calls } = await revoke();
    expect(inState(calls, 'Mark compromised key')?.input).toEqual({ versionId: 'version-1' });
    expect(inState(calls, 'Revoke certificate')?.input).toEqual({
      spec,
      versionId: 'version-1',
      reason: 'keyCompromise',
    });
  });

  test('starts a forced renewal with a name of its own, and returns its ARN', async () => {
    const { calls, output } = await revoke();
    const { Name: name, Input: input } = (inState(calls, 'Start renewal')?.input ?? {}) as {
      Name: string;
      Input: Record<string, unknown>;
    };
    expect(name).toBe('www-revoked-01234567');
    expect(input).toMatchObject({ certificate: 'www', force: true });
    expect(output).toEqual({ revoked: ['0a01'], renew: true, renewal: 'arn:renewal' });
  });

  describe('while a function may still send the CSR of an order with the compromised key', () => {
    const mayFollow = { revoked: ['0a01'], renew: true, mayFollow: true };
    const again = { revoked: ['0a01', '0a02'], renew: false };

    test('starts the replacement, and revokes again when the function has ended', async () => {
      const { states: called, output } = await revoke({ 'Revoke certificate': [mayFollow], 'Revoke again': [again] });
      expect(called).toEqual([...states, 'Start renewal', 'Revoke again']);
      expect(output).toEqual({ revoked: ['0a01', '0a02'], renew: true, renewal: 'arn:renewal' });
      const { resources } = synthesize();
      const [[, certificate]] = ofType(resources, 'AWS::Lambda::Function').filter(([id]) =>
        id.startsWith('CertificatesCertificateFunction'),
      ) as [[string, Resource]];
      expect(workflow.States['Wait for the end of functions']?.Seconds).toBe(certificate.Properties.Timeout);
    });

    test('fails with the version if the second revocation fails', async () => {
      const busy = thrown('RenewalsInProgressError', 'Order 1 is processing.');
      const { error, cause } = await revoke({ 'Revoke certificate': [mayFollow], 'Revoke again': [busy] });
      expect(error).toBe('RenewalsInProgressError');
      expect(cause).toContain('Start the revocation again with this versionId: version-1.');
    });
  });

  test('starts no renewal if no replacement is needed', async () => {
    const { status, states: called } = await revoke({ 'Revoke certificate': [{ revoked: ['0a01'], renew: false }] });
    expect(status).toBe('SUCCEEDED');
    expect(called).not.toContain('Start renewal');
  });

  test('succeeds if an earlier attempt has started the renewal', async () => {
    const exists = new TaskError('StepFunctions.ExecutionAlreadyExistsException', 'name in use');
    expect((await revoke({ 'Start renewal': [exists] })).status).toBe('SUCCEEDED');
  });

  test('waits ten minutes for a CA that issues a certificate with the compromised key', () => {
    const { Retry: retries = [] } = workflow.States['Revoke certificate'] ?? {};
    const waiting = retries.find(({ ErrorEquals }) => ErrorEquals.includes('RenewalsInProgressError'));
    expect(waiting).toMatchObject({ IntervalSeconds: 30, BackoffRate: 1, MaxAttempts: 20 });
  });

  const refused = thrown('UnauthorizedError', 'Not yours.\n{"certificate":"www"}');

  test('for a compromised key starts a renewal that is not forced even if the CA rejects it', async () => {
    const { status, calls, states: called } = await revoke({ 'Revoke certificate': [refused] });
    expect({ status, called }).toEqual({ status: 'FAILED', called: [...states, 'Start renewal'] });
    const { Input: input } = inState(calls, 'Start renewal')?.input ?? {};
    expect(input).toMatchObject({ certificate: 'www', force: false });
  });

  test('releases the lease and starts no renewal if the CA rejects it, and fails with the error of the CA', async () => {
    const {
      error,
      cause,
      states: called,
      events,
    } = await revoke({
      'Resolve account request': [{ ...resolvedRevocation, reason: 'superseded' }],
      'Revoke certificate': [refused],
    });
    const again = 'Not yours. Start the revocation again with this versionId: version-1.';
    expect([error, cause]).toEqual(['UnauthorizedError', again]);
    expect(called).toEqual(states.filter((state) => state !== 'Mark compromised key'));
    expect(events).toEqual([
      expect.objectContaining({
        DetailType: 'Certificate Account Request Failed',
        Detail: expect.objectContaining({ request, error: 'UnauthorizedError', cause: again }),
      }),
    ]);
  });

  test('fails with its own error if the event cannot be published', async () => {
    const { error } = await revoke({
      'Revoke certificate': [thrown('UnauthorizedError', 'Not yours.')],
      'Announce failure': [true],
    });
    expect(error).toBe('UnauthorizedError');
  });

  test('fails if the renewal cannot be started', async () => {
    const denied = new TaskError('StepFunctions.AccessDeniedException', 'denied');
    expect((await revoke({ 'Start renewal': [denied] })).status).toBe('FAILED');
  });
});

describe('an input', () => {
  test.each([['text'], [7], [{ action: 'register', certificate: 5 }], [[]]])(
    '%j fails with the error of the step that parses it',
    async (input) => {
      const refused = thrown('InvalidInputError', 'The input is not understood.');
      const { status, error, cause } = await start(input, { 'Resolve account request': [refused] });
      expect({ status, error, cause }).toEqual({
        status: 'FAILED',
        error: 'InvalidInputError',
        cause: 'The input is not understood.',
      });
    },
  );
});
