import { describe, expect, test } from 'vitest';
import {
  InvalidInputError,
  RenewalsInProgressError,
  SameNamesTimeoutError,
} from '../../../lambdas/domain/contract/errors.ts';
import { deniedError } from '../../fakes/aws-errors.ts';
import { execution, factsWith, otherExecution, run, specWith } from '../../fakes/specs.ts';
import type { World } from '../../fakes/world.ts';
import { check, dueDay, failure, interrupted, issued, order, quietDay, recordFailed } from './checked-renewal.ts';

describe('the lease', () => {
  test('of a running execution for the same certificate is not taken, even with `force`', async () => {
    const world = issued(dueDay);
    const started = new Date('2026-03-14T23:00:00Z');
    await world.ledger.takeLease({ certificate: 'www' }, { ...run, execution: otherExecution }, started);
    await world.ledger.takeLease({ set: specWith().setHash }, { ...run, execution: otherExecution }, started);
    world.executions.setStatus(otherExecution, 'live');
    expect(await check(world, { request: { certificate: 'www', force: true } })).toMatchObject({
      action: 'none',
      reason: `in progress by ${otherExecution}`,
    });
    expect(world.ledger.get('www').lease).toBe(otherExecution);
  });

  test('of a running execution that only delivers is waited for with `force`, and then the certificate is issued', async () => {
    const world = issued();
    const force = { certificate: 'www', force: true };
    await world.ledger.takeLease({ certificate: 'www' }, { ...run, execution: otherExecution }, new Date(quietDay));
    world.executions.setStatus(otherExecution, 'live');
    const first = await check(world, { request: force });
    expect(first).toMatchObject({ action: 'wait', wait: 10, reason: `in progress by ${otherExecution}` });
    world.executions.setStatus(otherExecution, 'ended');
    expect(await check(world, { request: force, waitStarts: first.waitStarts })).toMatchObject({ action: 'issue' });
  });

  test('of a running execution that only delivers is waited for two hours, and then the forced execution fails', async () => {
    const world = issued();
    const force = { certificate: 'www', force: true };
    await world.ledger.takeLease({ certificate: 'www' }, { ...run, execution: otherExecution }, new Date(quietDay));
    world.executions.setStatus(otherExecution, 'live');
    const { waitStarts } = await check(world, { request: force });
    world.clock.advance(2 * 3_600_000 - 10_000);
    expect(await check(world, { request: force, waitStarts })).toMatchObject({ action: 'wait', wait: 10 });
    world.clock.advance(10_000);
    await expect(check(world, { request: force, waitStarts })).rejects.toThrow(RenewalsInProgressError);
    await expect(check(world, { request: force, waitStarts })).rejects.toThrow(`Execution ${otherExecution} works on`);
  });

  test('of an execution that has ended is taken', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:59:00Z' });
    world.executions.setStatus(otherExecution, 'ended');
    expect((await check(world)).action).toBe('issue');
    expect(world.ledger.get('www').lease).toBe(execution);
  });

  test.each([
    ['none', 'ten minutes ago, because the execution may just have started', '2026-03-14T23:50:00Z'],
    ['issue', 'more than ten minutes ago', '2026-03-14T23:49:59Z'],
  ])('of an unknown execution leads to `%s` if it was taken %s', async (action, _, leasedAt) => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt });
    world.executions.setStatus(otherExecution, 'unknown');
    expect((await check(world)).action).toBe(action);
  });

  test('of an execution that has ended is taken only once if two executions find it', async () => {
    const world = issued(dueDay);
    const third = `${otherExecution}-third`;
    world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:00:00Z' });
    world.executions.setStatus(otherExecution, 'ended');
    world.calls.meanwhile('executions.status', () =>
      world.ledger.put('www', { lease: third, leasedAt: '2026-03-15T00:00:00Z' }),
    );
    expect(await check(world)).toMatchObject({ action: 'none', reason: `in progress by ${third}` });
    expect(world.ledger.get('www').lease).toBe(third);
  });

  test('of the set is waited for without a lease while another execution orders for the same names', async () => {
    const world = issued(dueDay);
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
    world.executions.setStatus(otherExecution, 'live');
    expect(await check(world)).toMatchObject({
      action: 'wait',
      wait: 60,
      reason: `the same names are being issued by ${otherExecution}`,
    });
    expect(world.ledger.get('www').lease).toBeNull();
    expect(world.ledger.setLease(specWith().setHash)).toBe(otherExecution);
  });

  test('of the set is waited for two hours, then the certificate fails and keeps its lease for *Record failure*', async () => {
    const world = issued(dueDay);
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
    world.executions.setStatus(otherExecution, 'live');
    const { waitStarts } = await check(world);
    world.clock.advance(7_199_000);
    expect(await check(world, { waitStarts })).toMatchObject({ action: 'wait', wait: 1, waitStarts });
    world.clock.advance(1000);
    const failed = check(world, { waitStarts });
    await expect(failed).rejects.toThrow(SameNamesTimeoutError);
    await expect(failed).rejects.toThrow(`Certificate www: It waited for a certificate with the same names`);
    await expect(failed).rejects.toThrow(otherExecution);
    expect(world.ledger.get('www').lease).toBe(execution);
  });

  test('of the set is waited for until the emergency time of the certificate, and then the certificate fails', async () => {
    const world = issued(dueDay);
    // A twentieth of 90 days is 4.5 days.
    const emergency = new Date(Date.parse(factsWith().notAfter) - 4.5 * 86_400_000);
    world.clock.set(new Date(emergency.getTime() - 600_000).toISOString());
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
    world.executions.setStatus(otherExecution, 'live');
    const { waitStarts } = await check(world);
    world.clock.set(new Date(emergency.getTime() - 5000).toISOString());
    expect(await check(world, { waitStarts })).toMatchObject({ action: 'wait', wait: 5 });
    world.clock.set(emergency.toISOString());
    await expect(check(world, { waitStarts })).rejects.toThrow(SameNamesTimeoutError);
    expect(await check(world)).toMatchObject({ action: 'wait', wait: 60 });
  });

  test('of the set is waited for without removing the saved order or the recorded failure', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { current: factsWith(), order, failure });
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
    world.executions.setStatus(otherExecution, 'live');
    expect((await check(world)).action).toBe('wait');
    expect(world.ledger.get('www')).toMatchObject({ order, failure });
  });

  test('of the set is taken from an execution that has ended', async () => {
    const world = issued(dueDay);
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T20:00:00Z' });
    world.executions.setStatus(otherExecution, 'ended');
    expect((await check(world)).action).toBe('issue');
    expect(world.ledger.setLease(specWith().setHash)).toBe(execution);
  });

  test.each(['ledger.certificate', 'secrets.describe', 'ledger.issues'])(
    'is kept if %s fails, so that the failure is counted',
    async (call) => {
      const world = issued(dueDay);
      world.calls.answer(call, deniedError('Not allowed.'));
      const error = await check(world).catch((thrown: unknown) => thrown);
      expect(world.ledger.get('www').lease).toBe(execution);
      world.clock.advance(1000);
      const { nextAttempt } = await recordFailed(world, error as Error);
      expect(world.ledger.get('www')).toMatchObject({
        lease: null,
        failure: { count: 1, error: 'AccessDeniedError', specHash: specWith().specHash },
        notBefore: nextAttempt,
      });
    },
  );
});

describe('a restart', () => {
  const request = { restartOf: otherExecution };
  const refuses = async (world: World, why: string, restartOf = otherExecution) => {
    const error = await check(world, { request: { restartOf } }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect((error as Error).message).toContain(why);
    expect(world.ledger.get('www').lease).toBeNull();
  };

  test.each([
    ['ABORTED', null],
    ['TIMED_OUT', null],
    ['FAILED', null],
    ['FAILED', 'States.DataLimitExceeded'],
    ['FAILED', 'FunctionsReplacedError'],
  ] as const)('of an execution that ended with %s and the error %s takes its leases', async (status, error) => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:59:59Z' });
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:59Z' });
    interrupted(world);
    world.executions.end(otherExecution, status, error);
    expect((await check(world, { request })).action).toBe('issue');
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBe(execution);
  });

  test('first returns the certificate of the interrupted execution and takes no lease, so that a failure is recorded for it', async () => {
    const world = issued(dueDay);
    interrupted(world);
    expect(await check(world, { request, certificate: '' })).toMatchObject({
      action: 'wait',
      wait: 1,
      certificate: 'www',
    });
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test.each([
    ['SUCCEEDED', null, 'it ended with SUCCEEDED'],
    ['FAILED', 'ChallengeFailedError', 'it ended with FAILED and ChallengeFailedError'],
  ] as const)('of an execution that ended with %s and the error %s is rejected', async (status, error, why) => {
    const world = issued(dueDay);
    interrupted(world);
    world.executions.end(otherExecution, status, error);
    await refuses(world, why);
  });

  test('of an unknown execution, or of one of another state machine, is rejected', async () => {
    const world = issued(dueDay);
    world.executions.setStatus(otherExecution, 'unknown');
    await refuses(world, 'Step Functions knows no execution');
    await refuses(world, 'no execution of this state machine', otherExecution.replace('Renewal', 'Accounts'));
    await refuses(world, 'no execution of this state machine', 'www-1');
    expect(world.calls.names('executions.describe')).toHaveLength(1);
  });

  test('checks every ten seconds while DescribeExecution still shows RUNNING, and takes no lease of it', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:59:59Z' });
    interrupted(world);
    world.executions.setStatus(otherExecution, 'live');
    const { waitStarts, ...first } = await check(world, { request });
    expect(first).toMatchObject({ action: 'wait', wait: 10, certificate: 'www' });
    expect(world.ledger.get('www').lease).toBe(otherExecution);
    world.clock.advance(10_000);
    world.executions.end(otherExecution, 'ABORTED');
    expect((await check(world, { request, waitStarts })).action).toBe('issue');
  });

  test('of an execution that an operator redrives waits like one that runs', async () => {
    const world = issued(dueDay);
    interrupted(world);
    world.executions.end(otherExecution, 'PENDING_REDRIVE');
    expect(await check(world, { request })).toMatchObject({ action: 'wait', wait: 10 });
  });

  test('is rejected if the execution has been running for two minutes', async () => {
    const world = issued(dueDay);
    interrupted(world);
    world.executions.setStatus(otherExecution, 'live');
    const { waitStarts } = await check(world, { request });
    world.clock.advance(119_000);
    expect(await check(world, { request, waitStarts })).toMatchObject({ action: 'wait', wait: 1 });
    world.clock.advance(1000);
    await expect(check(world, { request, waitStarts })).rejects.toThrow('It has been running for two minutes');
  });

  test('renews the certificate in the input of the interrupted execution', async () => {
    const world = issued(dueDay);
    interrupted(world, '{"certificate":"other"}');
    expect((await check(world, { request, spec: specWith({ name: 'other' }) })).certificate).toBe('other');
  });
});

describe('a deployment that waits for its certificate', () => {
  const request = { certificate: 'www', deploy: true };
  const startedAt = '2026-03-15T00:00:00Z';

  test('does not order a certificate that is not due', async () => {
    const answer = await check(issued(), { request, startedAt: quietDay });
    expect(answer.action).toBe('none');
  });

  test('retries a failure from before the deployment without waiting for the `notBefore` time', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { failure, notBefore: '2026-03-15T10:00:00Z' });
    expect((await check(world, { request, startedAt })).action).toBe('issue');
    expect((await check(world, { request: { certificate: 'www' }, startedAt })).action).toBe('none');
  });

  test('waits for the `notBefore` time after a rate limit of the CA', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', {
      failure: { ...failure, error: 'RateLimitedError', limit: true },
      notBefore: '2026-03-15T10:00:00Z',
    });
    expect((await check(world, { request, startedAt })).action).toBe('none');
  });

  test('waits for a limit that another execution has met, also in a later attempt', async () => {
    const world = issued(dueDay);
    world.clock.advance(60_000);
    const last = '2026-03-15T00:00:40Z';
    const limited = { ...failure, last, error: 'OrderInvalidError', limit: true as const };
    world.ledger.put('www', { failure: limited, notBefore: '2026-03-15T10:00:00Z' });
    expect((await check(world, { request, startedAt, attempt: 2 })).action).toBe('none');
    expect((await check(world, { request: { certificate: 'www' }, startedAt, attempt: 2 })).action).toBe('issue');
  });

  test('checks every ten seconds for 25 minutes while another execution holds the lease', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt: dueDay });
    world.executions.setStatus(otherExecution, 'live');
    const answer = await check(world, { request, startedAt });
    expect(answer).toMatchObject({ action: 'wait', wait: 10, reason: `in progress by ${otherExecution}` });
    expect(world.ledger.get('www').lease).toBe(otherExecution);
    const { waitStarts } = answer;
    world.clock.advance(1_499_000);
    expect(await check(world, { request, startedAt, waitStarts })).toMatchObject({ action: 'wait', wait: 1 });
    world.clock.advance(1000);
    expect(await check(world, { request, startedAt, waitStarts })).toMatchObject({ action: 'none', wait: 0 });
  });

  test('does not retry if another execution has failed during the deployment, and returns its failure as the reason', async () => {
    const world = issued('2026-03-15T00:01:00Z');
    world.ledger.put('www', {
      failure: { ...failure, last: '2026-03-15T00:00:50Z' },
      notBefore: '2026-03-16T00:00:50Z',
    });
    const answer = await check(world, { request, startedAt });
    expect(answer.action).toBe('none');
    expect(answer.reason).toContain('CaaError');
    expect(world.ledger.get('www').lease).toBeNull();
  });
});
