import { describe, expect, test } from 'vitest';
import { CaBusyError, IssueCapError, ValidationLimitError } from '../../../lambdas/domain/contract/errors.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, factsWith, issuer, otherExecution, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  check,
  dueDay,
  failure,
  interrupted,
  issued,
  order,
  quietDay,
  recordFailed,
  withId,
} from './checked-renewal.ts';

describe('limits', () => {
  const spec = specWith();
  const two = { 'https://ca.test/order/8': '2026-03-14T10:00:00Z', 'https://ca.test/order/9': '2026-03-14T20:00:00Z' };
  const force = { request: { certificate: 'www', force: true } };

  test('reject a third certificate of the set in a day with the time of the next attempt, even with `force`', async () => {
    const world = issued(dueDay);
    world.ledger.putIssues(spec.setHash, two);
    await expect(check(world, force)).rejects.toThrow(IssueCapError);
    await expect(check(world)).rejects.toThrow('2026-03-15T10:00:00.000Z');
  });

  test('keep the lease, because *Record failure* saves that time', async () => {
    const world = issued(dueDay);
    world.ledger.putIssues(spec.setHash, two);
    await expect(check(world)).rejects.toThrow(IssueCapError);
    expect(world.ledger.get('www').lease).toBe(execution);
  });

  test('leave no mark on a healthy certificate if nothing but `force` asks for a renewal', async () => {
    const world = issued();
    world.ledger.putIssues(spec.setHash, {
      'https://ca.test/order/8': '2026-01-31T10:00:00Z',
      'https://ca.test/order/9': '2026-01-31T20:00:00Z',
    });
    const before = world.ledger.get('www');
    const error = await check(world, force).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(IssueCapError);
    const { nextAttempt } = await recordFailed(world, error as Error);
    expect(world.ledger.get('www')).toMatchObject({
      lease: null,
      failure: null,
      notBefore: null,
      current: before.current,
    });
    expect(nextAttempt).toBe(new Date(world.clock.now().getTime() + 21_600_000).toISOString());
  });

  test('are not reached by forced executions that waited while another one issued, because `force` is spent', async () => {
    const world = issued();
    world.ledger.putIssues(spec.setHash, { 'https://ca.test/order/9': quietDay });
    const waitStarts = { certificateLease: quietDay };
    expect((await check(world, { ...force, waitStarts })).action).toBe('none');
    expect((await check(world, force)).action).toBe('issue');
  });

  test('do not apply with `ignoreIssueCap`', async () => {
    const world = issued(dueDay);
    world.ledger.putIssues(spec.setHash, two);
    expect((await check(world, { spec: specWith({ ignoreIssueCap: true }) })).action).toBe('issue');
  });

  test('do not apply to an emergency', async () => {
    const world = issued('2026-03-29T00:00:00Z');
    world.ledger.putIssues(spec.setHash, {
      'https://ca.test/order/8': '2026-03-28T10:00:00Z',
      'https://ca.test/order/9': '2026-03-28T20:00:00Z',
    });
    expect((await check(world)).action).toBe('issue');
  });

  test('do not apply to a saved order', async () => {
    const world = issued(dueDay);
    world.ledger.putIssues(spec.setHash, two);
    world.ledger.put('www', { order });
    expect((await check(world)).action).toBe('resume');
  });

  test('reject a fifth validation of an identifier in an hour, even if other certificates failed', async () => {
    const world = issued(dueDay);
    const times = ['10', '20', '30', '40'].map((minute) => `2026-03-14T23:${minute}:00Z`);
    world.ledger.putIdentifierFailures(issuer.directoryUrl, 'example.com', times);
    await expect(check(world)).rejects.toThrow(ValidationLimitError);
    await expect(check(world)).rejects.toThrow('2026-03-15T00:10:00.000Z');
    world.clock.set('2026-03-15T00:10:00Z');
    expect((await check(world)).action).toBe('issue');
  });
});

describe('the bucket of new orders', () => {
  const newOrders = { burst: 250, everySeconds: 36 };
  const limited = { ...issuer, newOrders };
  const spec = specWith({ issuer: limited });
  const tokens = async ({ ledger }: World) => (await ledger.orderBucket(issuer.directoryUrl))?.tokens ?? null;

  test('loses one token for an order, also if the step runs twice or is interrupted after any call', async () => {
    await interruptedAfterEachCall(
      () => createWorld(),
      (world) => check(world, { spec }),
      async (world, { action }, last) => {
        expect(action, last).toBe('issue');
        expect(await tokens(world), last).toBe(249);
      },
    );
  });

  test.each([
    ['a forced start', { certificate: 'www', force: true }, quietDay],
    ['a deployment', { certificate: 'www', deploy: true }, dueDay],
  ])('loses a token for %s', async (_, request, now) => {
    const world = issued(now);
    expect((await check(world, { spec, request })).action).toBe('issue');
    expect(await tokens(world)).toBe(249);
  });

  test('refuses no order when it is empty', async () => {
    const world = createWorld();
    world.ledger.putOrderBucket(issuer.directoryUrl, { tokens: 0, at: '2026-03-01T12:00:00Z', debits: {} });
    expect((await check(world, { spec })).action).toBe('issue');
    expect(await tokens(world)).toBe(0);
  });

  test('loses no token for a renewal in the window that the CA suggests', async () => {
    const world = issued('2026-02-20T12:00:00Z');
    world.ledger.put('www', { current: withId });
    world.renewalInfos.suggest('key.01', '2026-02-20T11:00:00Z', '2026-02-20T12:00:01Z');
    expect((await check(world, { spec })).action).toBe('issue');
    expect(await tokens(world)).toBeNull();
  });

  test('loses no token for a saved order or a certificate that is not due, and does not exist for a CA without a limit', async () => {
    const resuming = createWorld({ now: dueDay });
    resuming.ledger.put('www', { order });
    expect((await check(resuming, { spec })).action).toBe('resume');
    const quiet = issued();
    expect((await check(quiet, { spec })).action).toBe('none');
    const unlimited = createWorld();
    expect((await check(unlimited)).action).toBe('issue');
    for (const world of [resuming, quiet, unlimited]) expect(await tokens(world)).toBeNull();
  });
});

describe('a CA that asked to wait in the reply to a request for another certificate', () => {
  const now = '2026-03-15T00:10:00.000Z';
  const reply = { at: '2026-03-15T00:00:00.000Z', seconds: 1800, certificate: 'api' };
  const asked = async (world = issued(now), directoryUrl = issuer.directoryUrl) => {
    await world.ledger.recordBusyReply(directoryUrl, reply);
    return world;
  };

  test('gets no order for half an hour, and the retry comes after another half an hour and counts as a failure of the CA', async () => {
    const world = await asked();
    const limited = specWith({ issuer: { ...issuer, newOrders: { burst: 250, everySeconds: 36 } } });
    const error = await check(world, { spec: limited }).catch((thrown: Error) => thrown);
    if (!(error instanceof CaBusyError)) throw error;
    expect(error.message).toMatch(
      /No request was sent to .* for certificate api, and asked to wait until 2026-03-15T00:30/,
    );
    expect(await world.ledger.orderBucket(issuer.directoryUrl)).toBeNull();
    const { retryIn } = await recordFailed(world, error);
    expect(retryIn).toBeGreaterThan(1800);
    expect(retryIn).toBeLessThanOrEqual(1980);
    expect(world.ledger.get('www')).toMatchObject({ failure: { issuerFailures: 1, limit: true }, lease: null });
    expect(await world.ledger.busyReply(issuer.directoryUrl)).toEqual(reply);
  });

  test('gets no request about a saved order either', async () => {
    const world = await asked();
    world.ledger.put('www', { order });
    await expect(check(world)).rejects.toThrow(CaBusyError);
    expect(world.ledger.get('www').order).toEqual(order);
  });

  test('gets the order of the certificate to whose request it replied', async () => {
    const world = issued(now);
    await world.ledger.recordBusyReply(issuer.directoryUrl, { ...reply, certificate: 'www' });
    expect((await check(world)).action).toBe('issue');
  });

  test('gets the order when its time has passed', async () => {
    const world = await asked(issued('2026-03-15T00:30:00.000Z'));
    expect((await check(world)).action).toBe('issue');
  });

  test.each([
    ['a forced start', { certificate: 'www', force: true }, now],
    ['a deployment that waits', { certificate: 'www', deploy: true }, now],
    ['an emergency', { certificate: 'www' }, '2026-03-28T00:10:00.000Z'],
  ])('gets the order of %s', async (_, request, at) => {
    const world = issued(at);
    await world.ledger.recordBusyReply(issuer.directoryUrl, { ...reply, at });
    expect((await check(world, { request, startedAt: at })).action).toBe('issue');
  });

  test('does not delay a certificate for which a fallback issuer is used', async () => {
    const fallback = { ...issuer, name: 'fallback', directoryUrl: 'https://fallback.test/directory' };
    const spec = specWith({ issuers: [issuer, fallback] });
    const world = await asked();
    world.ledger.put('www', { failure: { ...failure, issuerFailures: 3, error: 'CaBusyError' } });
    expect(await check(world, { spec })).toMatchObject({ action: 'issue', spec: { issuer: { name: 'fallback' } } });
  });

  test('delays a restart that uses the fallback issuer for as long as any other renewal', async () => {
    const fallback = { ...issuer, name: 'fallback', directoryUrl: 'https://fallback.test/directory' };
    const spec = specWith({ issuers: [issuer, fallback] });
    const world = await asked(issued(now), fallback.directoryUrl);
    interrupted(world);
    const restart = { spec, request: { restartOf: otherExecution } };
    world.ledger.put('www', { failure: { ...failure, count: 3, issuerFailures: 3, last: now, error: 'CaBusyError' } });
    const { spec: checked } = await check(world, { ...restart, certificate: '' });
    const error = await check(world, restart).catch((thrown: Error) => thrown);
    if (!(error instanceof CaBusyError)) throw error;
    const { nextAttempt } = await recordFailed(world, error, { checked, spec });
    expect(nextAttempt).toBe('2026-03-15T01:50:00.000Z');
  });

  test('does not delay a delivery, which needs no CA', async () => {
    const world = await asked(issued('2026-03-14T00:00:00Z'));
    world.ledger.put('www', {
      current: factsWith({ notBefore: '2026-03-01T00:00:00Z', notAfter: '2026-05-30T00:00:00Z' }),
    });
    expect((await check(world, { spec: specWith({ regions: ['us-east-1'] }) })).action).toBe('deliver');
  });
});
