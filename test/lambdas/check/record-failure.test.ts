import { describe, expect, test } from 'vitest';
import { recordFailure } from '../../../lambdas/check/record-failure.ts';
import type { RecordFailureInput } from '../../../lambdas/domain/contract/steps.ts';
import { failedWith } from '../../fakes/error-output.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { configOf, execution, factsWith, issuer, otherExecution, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const urn = (type: string): string => `urn:ietf:params:acme:error:${type}`;

const refused = (identifier: string) => ({ type: urn('unauthorized'), detail: 'No TXT record found', identifier });
const rejected = failedWith('ChallengeFailedError', 'The CA did not accept the proof.', {
  ...refused('example.com'),
  subproblems: [refused('example.com'), refused('*.example.com')],
});
const unavailable = failedWith('CaUnavailableError', 'The CA is unavailable.');
const removed = [{ hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'gone' }];
const kept = { hostedZoneId: 'Z2', name: '_acme-challenge.example.net', value: 'still there' };
const order = {
  url: 'https://ca.test/order/1',
  finalize: 'https://ca.test/order/1/finalize',
  expires: null,
  execution,
  specHash: 'spec',
  directoryUrl: 'https://ca.test/directory',
};
const began = '2026-03-01T11:57:30.000Z';
const before = {
  count: 1,
  issuerFailures: 1,
  last: '2026-03-01T11:00:00.000Z',
  error: 'CaUnavailableError',
  cause: '',
};

function failing(): World {
  const world = createWorld({ now: '2026-03-01T12:00:00Z' });
  const leasedAt = '2026-03-01T11:58:00.000Z';
  world.ledger.put('www', { lease: execution, leasedAt, order, leftovers: [...removed, kept] });
  return world;
}

const record = ({ ports }: World, input: Partial<RecordFailureInput> = {}) =>
  recordFailure(
    {
      ...run,
      spec: specWith(),
      errorOutput: rejected,
      announced: null,
      removed,
      deploy: false,
      startedAt: began,
      ...input,
    },
    { ...ports, config: configOf(specWith()) },
  );

/** Returns the number of failed validations in the last hour, by identifier. */
async function failures({ ports, clock }: World, directoryUrl = issuer.directoryUrl): Promise<object> {
  const found = await ports.ledger.identifierFailures(directoryUrl, ['example.com', '*.example.com'], clock.now());
  return Object.fromEntries([...found].map(([identifier, times]) => [identifier, times.length]));
}

describe('a failed challenge', () => {
  test('is counted with the problem of the CA and retried after a minute, and the lease is released', async () => {
    const world = failing();
    expect(await record(world)).toEqual({
      error: 'ChallengeFailedError',
      cause: 'The CA did not accept the proof.',
      problemType: 'urn:ietf:params:acme:error:unauthorized',
      identifier: 'example.com',
      quiet: false,
      action: null,
      retryIn: 60,
      nextAttempt: '2026-03-01T12:01:00.000Z',
    });
    expect(world.ledger.get('www')).toMatchObject({
      lease: null,
      leftovers: [kept],
      failure: { count: 1, issuerFailures: 1, last: '2026-03-01T12:00:00.000Z', error: 'ChallengeFailedError' },
      notBefore: '2026-03-01T12:01:00.000Z',
    });
  });

  test('leaves the saved order for the next attempt', async () => {
    const world = failing();
    await record(world);
    expect(world.ledger.get('www').order).toEqual(order);
  });

  test('is counted for each refused identifier at this issuer', async () => {
    const world = failing();
    await record(world);
    expect(await failures(world)).toEqual({ 'example.com': 1, '*.example.com': 1 });
    expect(await failures(world, 'https://other.test/directory')).toEqual({ 'example.com': 0, '*.example.com': 0 });
  });

  test('is the only failure that is counted for identifiers', async () => {
    const world = failing();
    await record(world, { errorOutput: failedWith('CaaError', 'No.', refused('example.com')) });
    expect(await failures(world)).toEqual({ 'example.com': 0, '*.example.com': 0 });
  });
});

describe('the account at the CA', () => {
  const account = { url: 'https://ca.test/acct/1', caaIdentities: ['ca.test'] };
  const ofCheckZones = { type: urn('caa'), identifier: 'example.com' };
  const readAt = '2026-03-01T11:00:00.000Z';

  async function readAtAfter(errorOutput: object, world = failing()): Promise<string | null | undefined> {
    await world.ledger.recordAccount(issuer.directoryUrl, account, new Date(readAt));
    await record(world, { errorOutput });
    return (await world.ledger.account(issuer.directoryUrl))?.readAt;
  }

  test('is marked as stale after a CAA error of *Check zones*, so that the CA decides at the next attempt', async () => {
    expect(await readAtAfter(failedWith('CaaError', 'CAA forbids.', ofCheckZones))).toBeNull();
    expect(await readAtAfter(failedWith('CaaError', 'CAA forbids.'))).toBeNull();
  });

  test('is not marked as stale after a CAA error of the CA', async () => {
    expect(await readAtAfter(failedWith('CaaError', 'CAA forbids.', { ...ofCheckZones, status: 403 }))).toBe(readAt);
    expect(await readAtAfter(failedWith('ChallengeFailedError', 'CAA forbids.', ofCheckZones))).toBe(readAt);
  });

  test('is not marked as stale by an execution that lost its lease', async () => {
    const world = failing();
    world.ledger.put('www', { lease: otherExecution });
    expect(await readAtAfter(failedWith('CaaError', 'CAA forbids.', ofCheckZones), world)).toBe(readAt);
  });
});

test('a rejected reader ends the execution with advice for the operator, and the recorded failure stays', async () => {
  const world = failing();
  world.ledger.put('www', { failure: { ...before, count: 2, issuerFailures: 2 } });
  const output = await record(world, { errorOutput: failedWith('SecretAccessError', 'The reader does not exist.') });
  expect(output).toMatchObject({
    action: expect.stringContaining('readers or replicas'),
    retryIn: null,
    nextAttempt: '2026-03-01T18:00:00.000Z',
  });
  expect(world.ledger.get('www')).toMatchObject({
    lease: null,
    notBefore: null,
    failure: { error: 'CaUnavailableError', count: 2, issuerFailures: 2 },
  });
});

describe('the next attempt', () => {
  test.each([
    [1, 1, 600, '2026-03-01T12:10:00.000Z'],
    [2, 2, 6000, '2026-03-01T13:40:00.000Z'],
    [3, 3, null, '2026-03-02T12:00:00.000Z'],
    [7, 1, null, '2026-03-02T12:00:00.000Z'],
  ])('after %i earlier failures and at attempt %i comes after %j s', async (count, attempt, retryIn, nextAttempt) => {
    const world = failing();
    world.ledger.put('www', { failure: { ...before, count } });
    expect(await record(world, { errorOutput: unavailable, attempt })).toMatchObject({ retryIn, nextAttempt });
    expect(world.ledger.get('www')).toMatchObject({ failure: { count: count + 1 }, notBefore: nextAttempt });
  });

  test('is saved in the ledger and the execution ends if the Retry-After of the CA is longer than two hours', async () => {
    const world = failing();
    const problem = { type: urn('rateLimited'), status: 429, retryAfter: 36_000 };
    expect(
      await record(world, { errorOutput: failedWith('RateLimitedError', 'Too many orders.', problem) }),
    ).toMatchObject({
      error: 'RateLimitedError',
      action: null,
      retryIn: null,
      nextAttempt: '2026-03-01T22:30:00.000Z',
    });
    expect(world.ledger.get('www').notBefore).toBe('2026-03-01T22:30:00.000Z');
  });

  test('ignores the Retry-After of the issuer if the third failure changes to another issuer', async () => {
    const world = failing();
    const fallback = { ...issuer, name: 'other', directoryUrl: 'https://other.test/directory' };
    world.ledger.put('www', { failure: { ...before, count: 2, issuerFailures: 2 } });
    const output = await record(world, {
      spec: specWith({ issuers: [issuer, fallback] }),
      errorOutput: failedWith('RateLimitedError', 'Too many.', { type: urn('rateLimited'), retryAfter: 36_000 }),
    });
    expect(output).toMatchObject({ retryIn: 6000 });
    expect(world.ledger.get('www').failure).toMatchObject({ count: 3, issuerFailures: 3 });
  });

  test('is made a day later if the operator has to act, and the output has the advice', async () => {
    const world = failing();
    const problem = { type: urn('caa'), identifier: 'example.com' };
    expect(await record(world, { errorOutput: failedWith('CaaError', 'CAA forbids.', problem) })).toMatchObject({
      error: 'CaaError',
      identifier: 'example.com',
      action: expect.stringContaining('CAA records of example.com'),
      retryIn: null,
      nextAttempt: '2026-03-02T12:00:00.000Z',
    });
    expect(world.ledger.get('www').failure).toMatchObject({ count: 1, issuerFailures: 0 });
  });

  test('is made in less than a day for a certificate with a lifetime of six days', async () => {
    const world = failing();
    const current = factsWith({ notBefore: '2026-02-26T00:00:00Z', notAfter: '2026-03-04T12:00:00Z' });
    world.ledger.put('www', { current, failure: { ...before, count: 4 } });
    expect((await record(world, { errorOutput: unavailable })).nextAttempt).toBe('2026-03-01T21:00:00.000Z');
  });
});

test('a second failure in a row is counted, and only the first counts as a failure of the issuer', async () => {
  const world = failing();
  await record(world);
  world.clock.set('2026-03-01T12:01:10Z');
  await world.ledger.takeLease({ certificate: 'www' }, run, world.clock.now());
  world.clock.set('2026-03-01T12:02:00Z');
  await record(world, { attempt: 2, errorOutput: { Error: 'States.Timeout', Cause: 'The task timed out.' } });
  expect(world.ledger.get('www').failure).toMatchObject({ count: 2, issuerFailures: 1, error: 'StepTimedOutError' });
});

test('an execution that lost its lease only removes TXT values from the ledger, and does not retry', async () => {
  const world = failing();
  world.ledger.put('www', { lease: otherExecution });
  expect(await record(world)).toMatchObject({ error: 'ChallengeFailedError', retryIn: null });
  expect(world.ledger.get('www')).toMatchObject({ lease: otherExecution, order, failure: null, leftovers: [kept] });
  expect(await failures(world)).toEqual({ 'example.com': 0, '*.example.com': 0 });
});

test('the version of a partial delivery that was announced is saved, also by a second run, and only under the lease', async () => {
  const world = failing();
  await record(world, { announced: 'version-1' });
  expect(world.ledger.get('www').announcedVersion).toBe('version-1');
  await record(world, { announced: 'version-1' });
  expect(world.ledger.get('www')).toMatchObject({ announcedVersion: 'version-1', failure: { count: 1 } });

  const other = failing();
  other.ledger.put('www', { lease: otherExecution });
  await record(other, { announced: 'version-1' });
  expect(other.ledger.get('www').announcedVersion).toBeUndefined();
});

test('nothing is recorded if the lease is lost between the read and the write', async () => {
  const world = failing();
  world.calls.meanwhile('ledger.recordFailure', () => world.ledger.put('www', { lease: otherExecution }));
  expect((await record(world)).error).toBe('ChallengeFailedError');
  expect(world.ledger.get('www')).toMatchObject({ lease: otherExecution, failure: null });
});

test.each([
  // No attempt is scheduled. The steps have waited for hours, or another execution has the lease. The next fleet run, after at most six hours, checks
  // again.
  ['ThrottledError', true],
  ['LeaseLostError', false],
  ['FunctionsReplacedError', true],
])('%s is not counted as a failure of the certificate, and its event is left out: %s', async (name, quiet) => {
  const world = failing();
  expect(await record(world, { errorOutput: failedWith(name, 'Slow down.') })).toMatchObject({
    error: name,
    cause: 'Slow down.',
    quiet,
    retryIn: null,
    nextAttempt: '2026-03-01T18:00:00.000Z',
  });
  expect(world.ledger.get('www')).toMatchObject({ lease: null, failure: null, notBefore: null, order });
});

test('an order that was finalized for another certificate is removed, not counted, and placed again at once', async () => {
  const world = failing();
  expect(await record(world, { errorOutput: failedWith('OrderSharedError', 'Another key.') })).toMatchObject({
    retryIn: 1,
  });
  expect(world.ledger.get('www')).toMatchObject({ order: null, failure: null, lease: null, leftovers: [kept] });
});

test.each([undefined, null, 'text', 7, [], {}, { Error: 7, Cause: { deep: true } }])(
  'the error output %j is recorded as UnexpectedError',
  async (errorOutput) => {
    const world = failing();
    expect(await record(world, { errorOutput, spec: null })).toMatchObject({ error: 'UnexpectedError', retryIn: 60 });
    expect(world.ledger.get('www')).toMatchObject({ lease: null, failure: { count: 1 } });
  },
);

test('no item is created for a certificate that is not in the ledger', async () => {
  const world = createWorld();
  await record(world, { errorOutput: { Error: 'UnknownCertificateError', Cause: 'No such certificate.' }, spec: null });
  expect((await world.ledger.certificates(['www'])).size).toBe(0);
});

test('an error of the ledger is thrown and not treated as a lost lease', async () => {
  const world = failing();
  world.calls.answer('ledger.recordFailure', new Error('The table is gone.'));
  await expect(record(world)).rejects.toThrow('The table is gone.');
});

describe('a failure that a deployment waits for', () => {
  test('is not quiet if this execution does not retry because another execution holds the lease', async () => {
    const world = failing();
    world.ledger.put('www', { lease: otherExecution });
    const denied = failedWith('AccessDeniedError', 'It was denied.');
    expect(await record(world, { deploy: true, errorOutput: denied })).toMatchObject({ retryIn: null, quiet: false });
  });

  test('ends the execution and is counted', async () => {
    const world = failing();
    expect(await record(world, { deploy: true })).toMatchObject({
      error: 'ChallengeFailedError',
      retryIn: null,
      nextAttempt: '2026-03-01T12:01:00.000Z',
    });
    expect(world.ledger.get('www')).toMatchObject({
      lease: null,
      failure: { count: 1, error: 'ChallengeFailedError' },
      notBefore: '2026-03-01T12:01:00.000Z',
    });
  });

  test('is retried quietly for three minutes if access was denied, because roles and policies are new', async () => {
    const world = failing();
    const denied = failedWith('AccessDeniedError', 'It was denied.');
    const startedAt = '2026-03-01T11:58:00.000Z';
    expect(await record(world, { deploy: true, startedAt, errorOutput: denied })).toMatchObject({
      retryIn: 20,
      quiet: true,
      action: null,
    });
    expect(world.ledger.get('www')).toMatchObject({ lease: null, failure: null, notBefore: null });
    world.ledger.put('www', { lease: execution });
    const later = await record(world, { deploy: true, startedAt: '2026-03-01T11:57:00.000Z', errorOutput: denied });
    expect(later).toMatchObject({ retryIn: null, quiet: false });
    expect(world.ledger.get('www').failure).toMatchObject({ error: 'AccessDeniedError', count: 1 });
  });
});

test('a second run counts nothing and returns the same', async () => {
  const world = failing();
  const first = await record(world);
  expect(await record(world)).toEqual(first);
  expect(world.ledger.get('www').failure).toMatchObject({ count: 1, issuerFailures: 1 });
  expect(await failures(world)).toEqual({ 'example.com': 1, '*.example.com': 1 });
});

test('a run after an interruption at any call leaves one counted failure, no lease and the same next attempt', async () => {
  // Each run is one second later. After an interruption between the two counts, the identifiers are counted twice.
  const step = (world: World) => {
    world.clock.advance(1000);
    return record(world);
  };
  await interruptedAfterEachCall(failing, step, async (world, { retryIn }, last) => {
    const { failure, lease, leftovers } = world.ledger.get('www');
    expect(failure, last).toMatchObject({ count: 1, issuerFailures: 1 });
    expect({ lease, leftovers, retryIn }, last).toEqual({ lease: null, leftovers: [kept], retryIn: 60 });
    const counted = last === 'ledger.countIdentifierFailures' ? 2 : 1;
    expect(await failures(world), last).toEqual({ 'example.com': counted, '*.example.com': counted });
  });
});

test('a run after an interruption at any call removes an order that cannot be used', async () => {
  const step = (world: World) => record(world, { errorOutput: failedWith('StagedKeyMissingError', 'No key.') });
  await interruptedAfterEachCall(failing, step, (world, _, last) => {
    expect(world.ledger.get('www'), last).toMatchObject({ order: null, failure: { count: 1 }, lease: null });
  });
});

describe('a reply in which the CA asks to wait', () => {
  const busy = (problem: object, error = 'CaBusyError') => failedWith(error, 'The CA is busy.', problem as never);
  const unavailableFor = (retryAfter: number) => busy({ type: 'about:blank', status: 503, retryAfter });
  const saved = ({ ledger }: World) => ledger.busyReply(issuer.directoryUrl);
  const at = '2026-03-01T12:00:00.000Z';

  test.each([
    ['HTTP 503', busy({ type: 'about:blank', status: 503, retryAfter: 600 }), 600],
    [
      'HTTP 503 with a problem document',
      busy({ type: urn('rateLimited'), status: 503, retryAfter: 10 }, 'RateLimitedError'),
      10,
    ],
    ['HTTP 429 of a load balancer', busy({ type: 'about:blank', status: 429, retryAfter: 30 }, 'RateLimitedError'), 30],
    ['HTTP 503 with a time of 30 days, which is cut to an hour', unavailableFor(30 * 86_400), 3600],
  ])('is saved for all certificates of the directory: %s', async (_, errorOutput, seconds) => {
    const world = failing();
    await record(world, { errorOutput });
    expect(await saved(world)).toEqual({ at, seconds, certificate: 'www' });
  });

  test.each([
    [
      'a rate limit that may be about one name',
      busy({ type: urn('rateLimited'), status: 429, retryAfter: 600 }, 'RateLimitedError'),
    ],
    ['HTTP 500, which may be about one order', busy({ type: urn('serverInternal'), status: 500, retryAfter: 600 })],
    ['HTTP 503 without a time', busy({ type: 'about:blank', status: 503 }, 'CaUnavailableError')],
    ['a time of zero', unavailableFor(0)],
    ['our own limit', busy({ type: 'about:blank', retryAfter: 600 }, 'IssueCapError')],
    ['the same reply that the ledger has for this certificate', busy({ type: 'about:blank', retryAfter: 600 })],
    [
      'an order that the CA made invalid',
      busy({ type: urn('serverInternal'), status: 503, retryAfter: 600 }, 'OrderInvalidError'),
    ],
  ])('is not made of %s', async (_, errorOutput) => {
    const world = failing();
    await record(world, { errorOutput });
    expect(world.ledger.get('www').failure).not.toBeNull();
    expect(await saved(world)).toBeNull();
  });

  test('applies to the directory of the fallback issuer that was used', async () => {
    const world = failing();
    const fallback = { ...issuer, name: 'fallback', directoryUrl: 'https://fallback.test/directory' };
    await record(world, { errorOutput: unavailableFor(600), spec: specWith({ issuer: fallback }) });
    expect(await saved(world)).toBeNull();
    expect(await world.ledger.busyReply(fallback.directoryUrl)).toMatchObject({ seconds: 600 });
  });

  test('is saved once if the step is interrupted after any call and runs again', async () => {
    await interruptedAfterEachCall(
      failing,
      (world) => record(world, { errorOutput: unavailableFor(600) }),
      async (world, _, last) => {
        expect(await saved(world), last).toEqual({ at, seconds: 600, certificate: 'www' });
      },
    );
  });
});
