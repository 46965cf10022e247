import { describe, expect, test } from 'vitest';
import { checkRenewal } from '../../../lambdas/check/check-renewal.ts';
import { recordFailure } from '../../../lambdas/check/record-failure.ts';
import type { CertificateSpec } from '../../../lambdas/domain/contract/config.ts';
import {
  CaBusyError,
  InvalidInputError,
  IssueCapError,
  RenewalsInProgressError,
  SameNamesTimeoutError,
  SecretDeletedError,
  SecretNotOwnedError,
  UnknownCertificateError,
  ValidationLimitError,
} from '../../../lambdas/domain/contract/errors.ts';
import { toLambdaError } from '../../../lambdas/domain/contract/failure.ts';
import type { CheckRenewalInput } from '../../../lambdas/domain/contract/steps.ts';
import type { SavedOrder } from '../../../lambdas/domain/ports/ledger-certificate.ts';
import { deniedError } from '../../fakes/aws-errors.ts';
import { errorOutputOf } from '../../fakes/error-output.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import {
  configOf,
  execution,
  factsWith,
  issuer,
  otherExecution,
  run,
  specWith,
  storedVersion,
} from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const withId = factsWith({ certificateId: 'key.01' });
const failure = {
  count: 4,
  issuerFailures: 0,
  last: '2026-03-14T10:00:00Z',
  error: 'CaaError',
  cause: 'CAA forbids it.',
};
const leftover = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left' };
const dueDay = '2026-03-15T00:00:00Z';
const quietDay = '2026-02-01T00:00:00Z';

function check(
  { ports }: World,
  {
    spec = specWith(),
    request = { certificate: 'www' },
    startedAt = quietDay,
    ...input
  }: Partial<CheckRenewalInput> & { readonly spec?: CertificateSpec } = {},
) {
  return checkRenewal(
    {
      ...run,
      cleaned: false,
      removed: [],
      reported: [],
      waitStarts: {},
      discardedOrder: null,
      request,
      startedAt,
      ...input,
    },
    { ...ports, config: configOf(spec) },
  );
}

/** Lets `otherExecution` end as if it was stopped. */
function interrupted(world: World, input = '{"certificate":"www"}'): void {
  world.executions.setInput(otherExecution, input);
  world.executions.end(otherExecution, 'ABORTED');
}

/** Records the failure of *Check renewal* in the state that follows. */
const recordFailed = ({ ports }: World, error: Error) =>
  recordFailure(
    {
      ...run,
      spec: null,
      errorOutput: errorOutputOf(toLambdaError(error)),
      announced: null,
      removed: [],
      deploy: false,
      startedAt: quietDay,
    },
    { ...ports, config: configOf(specWith()) },
  );

const order: SavedOrder = {
  url: 'https://ca.test/order/1',
  finalize: 'https://ca.test/order/1/finalize',
  expires: '2026-06-01T00:00:00Z',
  execution: otherExecution,
  specHash: specWith().specHash,
  directoryUrl: issuer.directoryUrl,
};
const reference = { url: order.url, finalize: order.finalize, expires: order.expires };

/** Creates a world in which `www` is issued, stored and in the ledger. */
function issued(now = quietDay): World {
  const world = createWorld({ now });
  world.ledger.put('www', { current: factsWith(), announcedVersion: 'version-1' });
  world.secrets.put('www', { current: { versionId: 'version-1', value: 'whole' } });
  return world;
}

describe('the action', () => {
  test('for a certificate that was never issued is `issue`, and both leases are taken', async () => {
    const world = createWorld();
    expect(await check(world)).toMatchObject({ action: 'issue', reason: 'never issued', wait: 0, certificate: 'www' });
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBe(execution);
  });

  test('for a certificate that is not due is `none`, and no lease is kept', async () => {
    const world = issued();
    expect(await check(world)).toMatchObject({
      action: 'none',
      reason: 'nothing to do, renewal is due 2026-03-02T00:00:00.000Z',
    });
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('with a third of the lifetime left is `issue`', async () => {
    expect((await check(issued(dueDay))).action).toBe('issue');
  });

  test('with `force` is `issue`', async () => {
    expect(await check(issued(), { request: { certificate: 'www', force: true } })).toMatchObject({
      action: 'issue',
      reason: 'forced',
    });
  });

  test.each([
    ['a pause', {}],
    ['an execution that only cleans up', { request: { certificate: 'www', cleanUp: true } }],
  ])('during %s keeps the failure and the saved order for later', async (_, input) => {
    const world = issued(dueDay);
    const past = '2026-03-14T11:00:00Z';
    world.ledger.put('www', { pausedUntil: '2026-05-01T00:00:00Z', failure, notBefore: past, order });
    expect((await check(world, input)).action).toBe('none');
    expect(world.ledger.get('www')).toMatchObject({ failure, notBefore: past, order, lease: null });
  });

  test('is `clean` first if an interrupted execution left TXT values', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover] });
    expect(await check(world)).toMatchObject({ action: 'clean', leftovers: [leftover] });
    expect(world.ledger.get('www').lease).toBe(execution);
  });

  test('`clean` has the role that the zone of the leftover values has now', async () => {
    const world = issued(dueDay);
    const role = { arn: 'arn:aws:iam::111122223333:role/challenges' };
    const zone = { id: leftover.hostedZoneId, name: 'example.com', role };
    world.ledger.put('www', { leftovers: [leftover] });
    const output = await check(world, { spec: specWith({ hostedZones: [zone] }) });
    expect(output).toMatchObject({ action: 'clean', leftovers: [{ ...leftover, role }] });
  });

  test('after the clean-up is `issue`, and the removed values are removed from the ledger', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover], lease: execution });
    const output = await check(world, { cleaned: true, removed: [leftover] });
    expect(output).toMatchObject({ action: 'issue', leftovers: [] });
    expect(world.ledger.get('www').leftovers).toEqual([]);
  });

  test('after a failed clean-up is `issue`, and the values stay in the ledger', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover], lease: execution });
    expect((await check(world, { cleaned: true })).action).toBe('issue');
    expect(world.ledger.get('www').leftovers).toEqual([leftover]);
  });

  test('is `repair` if the secret has a newer version than the ledger', async () => {
    const world = issued(dueDay);
    world.secrets.put('www', { current: { versionId: storedVersion('newer'), value: 'whole' } });
    expect(await check(world)).toMatchObject({ action: 'repair', current: null });
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBeNull();
  });

  test('is `repair` if the table was lost', async () => {
    const world = createWorld();
    world.secrets.put('www', { current: { versionId: storedVersion('lost'), value: 'whole' } });
    expect((await check(world)).action).toBe('repair');
  });

  test('is `none` if another writer stored the value in the secret, whatever its format', async () => {
    const world = issued(quietDay);
    world.secrets.put('www', { current: { versionId: 'c0c4a4e5-8f0e-4b1e-9a5e-0d0e6b0f6c11', value: 'any text' } });
    expect(await check(world)).toMatchObject({
      action: 'none',
      reason: expect.stringContaining('which this stack did not store'),
    });
  });

  test('removes from the ledger what the comparison found if AWSCURRENT was moved back since', async () => {
    const world = issued(quietDay);
    const outside = { at: quietDay, versionId: 'version-1', storedVersion: null, changes: [] };
    world.ledger.put('www', { outside });
    expect((await check(world)).action).toBe('none');
    expect(world.ledger.get('www')).not.toHaveProperty('outside');
  });

  test('keeps in the ledger what the comparison found while it still holds', async () => {
    const world = issued(quietDay);
    const outside = { at: quietDay, versionId: 'version-1', storedVersion: 'version-1', changes: [] };
    world.ledger.put('www', { outside });
    await check(world);
    expect(world.ledger.get('www').outside).toEqual(outside);
  });

  test('is `issue` if the secret holds only its placeholder', async () => {
    const world = createWorld();
    world.secrets.put('www');
    expect((await check(world)).action).toBe('issue');
  });

  test('is `issue` if the secret was deleted, even if the ledger has the certificate', async () => {
    const world = createWorld({ now: quietDay });
    world.ledger.put('www', { current: factsWith() });
    expect((await check(world)).action).toBe('issue');
  });

  test('is `deliver` if a region does not have the current version, and no set lease is taken', async () => {
    const world = issued();
    const output = await check(world, { spec: specWith({ regions: ['us-east-1'] }) });
    expect(output).toMatchObject({
      action: 'deliver',
      current: factsWith(),
      reason: expect.stringContaining('us-east-1'),
    });
    expect(world.ledger.setLease(specWith().setHash)).toBeNull();
  });
});

describe('endpoints', () => {
  const spec = specWith({ endpoints: ['www.example.com:443'] });

  test('are checked for the current version if there is nothing else to do', async () => {
    const world = issued();
    expect(await check(world, { spec })).toMatchObject({
      action: 'checkEndpoints',
      reason: expect.stringMatching(/0a01.*www\.example\.com:443/),
      wait: 0,
      current: factsWith(),
    });
  });

  test('are checked without a lease, because a renewal may need it', async () => {
    const world = issued();
    await check(world, { spec });
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('are checked after a resolved failure, which is removed from the ledger', async () => {
    const world = issued();
    world.ledger.put('www', { failure, notBefore: '2026-01-31T00:00:00Z' });
    expect((await check(world, { spec })).action).toBe('checkEndpoints');
    expect(world.ledger.get('www')).toMatchObject({ failure: null, notBefore: null });
  });

  test('are followed by changed readers, and a resolved failure is removed before they are set', async () => {
    const world = issued();
    world.ledger.put('www', { failure, notBefore: '2026-01-31T00:00:00Z' });
    const readers = ['arn:aws:iam::444455556666:root'];
    expect(await check(world, { spec: specWith({ readers }) })).toMatchObject({ action: 'share', current: null });
    expect(world.ledger.get('www')).toMatchObject({ failure: null, notBefore: null, lease: execution });
  });

  test('are not checked during a deployment that waits for the certificate', async () => {
    const request = { certificate: 'www', deploy: true };
    const startedAt = quietDay;
    expect((await check(issued(), { spec, request, startedAt })).action).toBe('none');
  });
});

describe('`force`', () => {
  test('has no effect if this execution has issued the current certificate', async () => {
    const world = issued();
    world.ledger.put('www', { current: factsWith({ execution }) });
    expect((await check(world, { request: { certificate: 'www', force: true } })).action).toBe('none');
  });

  test('has no effect if this execution has a saved order, which is resumed', async () => {
    const world = issued();
    world.ledger.put('www', { order: { ...order, execution } });
    expect(await check(world, { request: { certificate: 'www', force: true } })).toMatchObject({
      action: 'resume',
      order: reference,
    });
  });

  test('still applies after the order of this execution was discarded', async () => {
    const world = issued();
    world.ledger.put('www', { order: { ...order, execution } });
    const request = { certificate: 'www', force: true };
    expect((await check(world, { request, attempt: 2, discardedOrder: order.url })).action).toBe('issue');
    expect(world.ledger.get('www').order).toBeNull();
  });

  test('has no effect in a restart', async () => {
    const world = issued();
    const request = { restartOf: otherExecution };
    interrupted(world, '{"certificate":"www","force":true}');
    expect((await check(world, { request })).action).toBe('none');
  });
});

describe('the saved order of an interrupted execution', () => {
  test('is resumed with its TXT values even if the certificate is not due, and both leases are taken', async () => {
    const world = issued();
    world.ledger.put('www', { order, leftovers: [leftover] });
    expect(await check(world)).toMatchObject({
      action: 'resume',
      order: reference,
      leftovers: [leftover],
      replaces: null,
    });
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBe(execution);
    expect(world.ledger.get('www').order).toEqual(order);
  });

  test.each<[string, Partial<SavedOrder>]>([
    ['has expired', { expires: '2026-03-14T00:00:00Z' }],
    ['has another configuration', { specHash: 'other' }],
    ['is at another CA', { directoryUrl: 'https://other.test/directory' }],
    ['has a stored certificate', { url: factsWith().orderUrl ?? '' }],
  ])('is removed if it %s, and its TXT values are cleaned up', async (_, fields) => {
    const world = issued(dueDay);
    world.ledger.put('www', { order: { ...order, ...fields }, leftovers: [leftover] });
    expect(await check(world)).toMatchObject({ action: 'clean', leftovers: [leftover], order: null });
    expect(world.ledger.get('www')).toMatchObject({ order: null, leftovers: [leftover] });
    expect(await check(world, { cleaned: true, removed: [leftover] })).toMatchObject({ action: 'issue' });
  });

  test('is removed if *Check order* has discarded it', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { order });
    expect(await check(world, { discardedOrder: order.url })).toMatchObject({ action: 'issue', order: null });
    expect(world.ledger.get('www').order).toBeNull();
  });

  test('is resumed if *Check order* has discarded another order', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { order });
    expect((await check(world, { discardedOrder: 'https://ca.test/order/0' })).action).toBe('resume');
  });

  test('leads to `deliver` if its certificate is stored and not delivered', async () => {
    const world = issued();
    world.ledger.put('www', { order: { ...order, url: factsWith().orderUrl ?? '' } });
    expect((await check(world, { spec: specWith({ regions: ['us-east-1'] }) })).action).toBe('deliver');
  });

  test('is resumed in a restart before the `notBefore` time of an earlier failure', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { order, failure, notBefore: '2026-03-15T10:00:00Z' });
    expect((await check(world)).action).toBe('none');
    const request = { restartOf: otherExecution };
    interrupted(world);
    expect((await check(world, { request })).action).toBe('resume');
  });
});

describe('after a failure', () => {
  const delayed = { failure, notBefore: '2026-03-15T10:00:00Z' };

  test('nothing is attempted before the `notBefore` time, even if the execution was started by hand', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', delayed);
    expect(await check(world)).toMatchObject({
      action: 'none',
      reason: expect.stringContaining('2026-03-15T10:00:00Z'),
    });
    expect(world.ledger.get('www')).toMatchObject({ ...delayed, lease: null });
  });

  test.each<[string, Partial<CheckRenewalInput>, string]>([
    ['before the `notBefore` time by a later attempt of the execution', { attempt: 2 }, dueDay],
    ['before the `notBefore` time with `force`', { request: { certificate: 'www', force: true } }, dueDay],
    ['before the `notBefore` time in an emergency', {}, '2026-03-28T00:00:00Z'],
    ['at the `notBefore` time', {}, '2026-03-15T10:00:00Z'],
  ])('a certificate is ordered %s', async (_, input, now) => {
    const world = issued(now);
    const notBefore = now === '2026-03-28T00:00:00Z' ? '2026-03-29T00:00:00Z' : delayed.notBefore;
    world.ledger.put('www', { failure, notBefore });
    expect((await check(world, input)).action).toBe('issue');
  });

  test('it is removed from the ledger if nothing is left to do', async () => {
    const world = issued();
    world.ledger.put('www', { failure, notBefore: '2026-01-31T00:00:00Z' });
    expect((await check(world)).action).toBe('none');
    expect(world.ledger.get('www')).toMatchObject({ failure: null, notBefore: null, lease: null });
  });

  const fallback = { ...issuer, name: 'fallback-ca', directoryUrl: 'https://fallback.test/directory' };
  const spec = specWith({ issuers: [issuer, fallback] });

  test.each([
    [2, 'test-ca', 'key.01'],
    [3, 'fallback-ca', null],
    [6, 'test-ca', 'key.01'],
  ])('that is number %d of an issuer, %s is used', async (issuerFailures, name, replaces) => {
    const world = issued(dueDay);
    world.ledger.put('www', { current: withId, failure: { ...failure, issuerFailures, error: 'CaUnavailableError' } });
    const output = await check(world, { spec });
    expect(output).toMatchObject({ action: 'issue', spec: { issuer: { name }, specHash: spec.specHash }, replaces });
    expect(world.ledger.setLease(output.spec?.setHash ?? '')).toBe(execution);
  });
});

describe('the renewal information of the CA', () => {
  const id = 'key.01';
  const window = ['2026-02-01T05:00:00Z', '2026-02-01T05:00:01Z'] as const;

  function issuedWithId(now = quietDay): World {
    const world = issued(now);
    world.ledger.put('www', { current: withId });
    return world;
  }

  test('is fetched for a certificate that is not due by its dates, and saved', async () => {
    const world = issuedWithId();
    world.renewalInfos.suggest(id, '2026-01-31T00:00:00Z', '2026-01-31T00:30:00Z', 'https://ca.test/drill');
    const output = await check(world);
    expect(output).toMatchObject({
      action: 'issue',
      replaces: id,
      reason: expect.stringContaining('https://ca.test/drill'),
    });
    expect(world.ledger.get('www').renewalInfo).toEqual({
      certificateId: id,
      start: '2026-01-31T00:00:00.000Z',
      end: '2026-01-31T00:30:00.000Z',
      explanationUrl: 'https://ca.test/drill',
      nextFetch: '2026-02-01T06:00:00.000Z',
    });
  });

  test('has a renewal time before the next fleet run, so the execution waits without a lease and fetches it again', async () => {
    const world = issuedWithId();
    world.renewalInfos.suggest(id, ...window);
    expect(await check(world)).toMatchObject({ action: 'wait', wait: 18_000 });
    expect(world.ledger.get('www').lease).toBeNull();
    world.clock.set('2026-02-01T05:00:00Z');
    expect(await check(world)).toMatchObject({ action: 'issue' });
    expect(world.calls.names('renewalInfos')).toEqual(['renewalInfos.fetch', 'renewalInfos.fetch']);
  });

  test('has a window that moved during the wait, so nothing is done', async () => {
    const world = issuedWithId();
    world.renewalInfos.suggest(id, ...window);
    await check(world);
    world.clock.set('2026-02-01T05:00:00Z');
    world.renewalInfos.suggest(id, '2026-02-20T00:00:00Z', '2026-02-21T00:00:00Z');
    expect(await check(world)).toMatchObject({ action: 'none' });
  });

  test('is not waited for longer than until the next fleet run, although the CA moves the window each time', async () => {
    const world = issuedWithId();
    world.renewalInfos.suggest(id, ...window);
    // The fleet runs every six hours, with a flexible window of an hour.
    const since = (renewalTime: string) => ({ waitStarts: { renewalTime } });
    expect((await check(world, since('2026-01-31T17:00:01Z'))).action).toBe('wait');
    expect(await check(world, since('2026-01-31T17:00:00Z'))).toMatchObject({ action: 'none', wait: 0 });
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('is not fetched before the Retry-After has passed if the renewal time is after the next fleet run', async () => {
    const world = issuedWithId();
    world.renewalInfos.suggest(id, '2026-02-20T00:00:00Z', '2026-02-21T00:00:00Z');
    await check(world);
    world.clock.set('2026-02-01T05:59:59Z');
    await check(world);
    expect(world.calls.names('renewalInfos')).toHaveLength(1);
    world.clock.set('2026-02-01T06:00:00Z');
    await check(world);
    expect(world.calls.names('renewalInfos')).toHaveLength(2);
  });

  test('is not fetched at later attempts of an execution', async () => {
    const world = issuedWithId(dueDay);
    expect((await check(world, { attempt: 2 })).action).toBe('issue');
    expect(world.calls.names('renewalInfos')).toEqual([]);
  });

  test('is fetched from the issuer of the certificate even if another issuer is used now', async () => {
    const fallback = { ...issuer, name: 'fallback-ca', directoryUrl: 'https://fallback.test/directory' };
    const world = issuedWithId();
    world.ledger.put('www', { current: { ...withId, directoryUrl: fallback.directoryUrl } });
    await check(world, { spec: specWith({ issuers: [issuer, fallback] }) });
    expect(world.calls.made.find(({ name }) => name === 'renewalInfos.fetch')?.args).toEqual([fallback, id]);
  });

  test.each([
    [quietDay, 'none'],
    [dueDay, 'issue'],
  ])('cannot be fetched on %s, so the dates of the certificate lead to `%s`', async (now, action) => {
    const world = issuedWithId(now);
    world.renewalInfos.setAnswer(id, { failed: 'HTTP 503', temporary: true, retryAfter: null });
    expect((await check(world)).action).toBe(action);
    expect(world.log.messages('warn')).toEqual([expect.stringContaining('HTTP 503')]);
  });

  test('still applies after a failed fetch if the window is in the past', async () => {
    const world = issuedWithId();
    world.renewalInfos.suggest(id, '2026-01-31T00:00:00Z', '2026-01-31T00:30:00Z');
    await check(world);
    world.renewalInfos.setAnswer(id, { failed: 'HTTP 503', temporary: true, retryAfter: null });
    expect((await check(world)).action).toBe('issue');
  });

  test('of the previous certificate does not apply', async () => {
    const world = issuedWithId();
    const past = { start: '2026-01-31T00:00:00Z', end: '2026-01-31T00:30:00Z', explanationUrl: null };
    world.ledger.put('www', { renewalInfo: { ...past, certificateId: 'key.00', nextFetch: '2026-06-01T00:00:00Z' } });
    expect((await check(world)).action).toBe('none');
    expect(world.ledger.get('www').renewalInfo).toMatchObject({ certificateId: id, start: null });
  });
});

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

describe('an execution that only cleans up', () => {
  const request = { certificate: 'www', cleanUp: true };
  const value = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left' };

  test('removes the TXT values of a due certificate, and orders nothing', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { current: factsWith(), order, leftovers: [value], notBefore: '2026-03-16T00:00:00Z' });
    expect(await check(world, { request })).toMatchObject({ action: 'clean', leftovers: [value] });
    expect(await check(world, { request, cleaned: true, removed: [value] })).toMatchObject({ action: 'none' });
    expect(world.ledger.get('www')).toMatchObject({ lease: null, leftovers: [] });
  });

  test('ends if the values cannot be removed, and keeps them in the ledger', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [value] });
    expect(await check(world, { request, cleaned: true })).toMatchObject({ action: 'none' });
    expect(world.ledger.get('www')).toMatchObject({ lease: null, leftovers: [value] });
  });
});

describe('TXT values that cannot be removed', () => {
  const outside = { hostedZoneId: 'ZGONE', name: '_acme-challenge.example.com', value: 'outside' };
  const gone = { ...outside, reason: 'Its hosted zone is no longer configured.' };
  const refused = { ...leftover, reason: 'Access was denied.' };

  test('are in a hosted zone that is no longer configured, and are reported beside those that are removed', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover, outside] });
    const expected = { action: 'clean', leftovers: [leftover], unremovable: [gone], reportDue: true };
    expect(await check(world)).toMatchObject(expected);
  });

  test('are removed from the ledger after the event if their hosted zone is not configured', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover, outside], lease: execution });
    const output = await check(world, { cleaned: true, reported: [gone, refused] });
    expect(output).toMatchObject({ action: 'issue', unremovable: [] });
    const leftoversReportedAt = new Date(dueDay).toISOString();
    expect(world.ledger.get('www')).toMatchObject({ leftovers: [leftover], leftoversReportedAt });
  });

  test('stay in the ledger without an event', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [outside], lease: execution });
    expect(await check(world, { cleaned: true })).toMatchObject({ action: 'issue' });
    expect(world.ledger.get('www').leftovers).toEqual([outside]);
  });

  test('are reported once a day', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover], leftoversReportedAt: dueDay });
    world.clock.advance(86_399_000);
    expect(await check(world)).toMatchObject({ action: 'clean', reportDue: false });
    world.clock.advance(1000);
    expect(await check(world)).toMatchObject({ action: 'clean', reportDue: true });
  });
});

describe('a certificate that is not configured', () => {
  const request = { certificate: 'former' };
  const withLeftovers = (fields = {}) => {
    const world = createWorld({ now: dueDay });
    world.ledger.put('former', { current: factsWith(), leftovers: [leftover], order, ...fields });
    return world;
  };

  test('has its TXT values removed under its lease, before the notBefore time, and nothing else is done', async () => {
    const world = withLeftovers({ failure, notBefore: '2026-04-01T00:00:00Z' });
    const clean = { action: 'clean', certificate: 'former', spec: null, leftovers: [leftover], challengeZones: [] };
    expect(await check(world, { request })).toMatchObject(clean);
    expect(world.ledger.get('former').lease).toBe(execution);
    const end = await check(world, { request, cleaned: true, removed: [leftover] });
    expect(end).toMatchObject({ action: 'none', spec: null, reason: expect.stringContaining('is not configured') });
    expect(world.ledger.get('former')).toMatchObject({ lease: null, leftovers: [], order });
  });

  test('is left alone while another execution works on it', async () => {
    const world = withLeftovers({ lease: otherExecution, leasedAt: dueDay });
    world.executions.setStatus(otherExecution, 'live');
    expect(await check(world, { request })).toMatchObject({ action: 'none', leftovers: [] });
    expect(world.ledger.get('former')).toMatchObject({ lease: otherExecution, leftovers: [leftover] });
  });

  test('ends if its values cannot be removed, and keeps them in the ledger', async () => {
    const world = withLeftovers();
    expect(await check(world, { request, cleaned: true })).toMatchObject({ action: 'none', leftovers: [] });
    expect(world.ledger.get('former')).toMatchObject({ lease: null, leftovers: [leftover] });
  });

  test.each([
    ['a restart', { request: { restartOf: otherExecution } }],
    ['the deletion of the stack', { request: { ...request, cleanUp: true } }],
  ])('without TXT values is nothing to do for %s', async (_, input) => {
    const world = createWorld({ now: dueDay });
    interrupted(world, '{"certificate":"former"}');
    expect(await check(world, input)).toMatchObject({ action: 'none', certificate: 'former', spec: null });
    expect(await world.ledger.certificates(['former'])).toEqual(new Map());
  });

  test('has its TXT values removed by the restart of an execution that was interrupted before it left', async () => {
    const world = withLeftovers({ lease: otherExecution, leasedAt: dueDay });
    interrupted(world, '{"certificate":"former"}');
    expect(await check(world, { request: { restartOf: otherExecution } })).toMatchObject({ action: 'clean' });
    expect(world.ledger.get('former').lease).toBe(execution);
  });

  test('can be interrupted after any call and checked again', async () => {
    const step = (world: World) => check(world, { request, cleaned: true, removed: [leftover] });
    await interruptedAfterEachCall(withLeftovers, step, (world, output, last) => {
      expect(output.action, last).toBe('none');
      expect(world.ledger.get('former'), last).toMatchObject({ lease: null, leftovers: [] });
    });
  });
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

describe('the input of *Check zones*', () => {
  test('has every zone and the account at the issuer', async () => {
    const world = createWorld({ now: quietDay });
    const account = { url: 'https://ca.test/acct/1', caaIdentities: ['ca.test'] };
    await world.ledger.recordAccount(issuer.directoryUrl, account, world.clock.now());
    const hostedZones = [{ id: 'Z1', name: 'example.com' }];
    const answer = await check(world, { spec: specWith({ hostedZones }) });
    expect(answer).toMatchObject({
      action: 'issue',
      challengeZones: hostedZones,
      account: { ...account, readAt: '2026-02-01T00:00:00.000Z' },
    });
  });

  test('fits into a state with 300 zones of other accounts and 100 names', async () => {
    const world = createWorld({ now: quietDay });
    const long = (length: number, text: string) => text.padEnd(length, 'x');
    const hostedZones = Array.from({ length: 300 }, (_, index) => ({
      id: long(32, `Z${index}`),
      name: `${long(60, `zone-${index}-`)}.example`,
      role: {
        arn: `arn:aws-us-gov:iam::111122223333:role/${long(64, `r${index}`)}`,
        externalId: long(64, `e${index}`),
      },
    }));
    const identifiers = hostedZones.slice(0, 100).map(({ name }, index) => `${long(60, `host-${index}-`)}.${name}`);
    const leftovers = hostedZones.slice(0, 100).map(({ id, role, name }) => ({
      hostedZoneId: id,
      role,
      name: `_acme-challenge.${long(60, 'host')}.${name}`,
      value: long(43, 'v'),
    }));
    world.ledger.put('www', { order, leftovers });
    const answer = await check(world, { spec: specWith({ identifiers, hostedZones }) });
    // https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    expect(JSON.stringify(answer).length).toBeLessThan(256 * 1024);
  });

  test('has no account before the first order at the issuer', async () => {
    expect((await check(createWorld({ now: quietDay }))).account).toBeNull();
  });

  test('is empty if nothing is ordered', async () => {
    expect(await check(issued())).toMatchObject({ action: 'none', challengeZones: [], account: null });
  });
});

describe('a certificate is rejected', () => {
  test('with the configured names if its name is unknown, after one read of the ledger and without a lease', async () => {
    const world = createWorld();
    const error = await check(world, { request: { certificate: 'ww' } }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnknownCertificateError);
    expect((error as Error).message).toMatch(/^Certificate ww: .*no certificate of this name.*\bwww\b/);
    expect(world.calls.names()).toEqual(['ledger.certificate']);
  });

  test('if the input of the execution has an unknown field, before any call', async () => {
    const world = createWorld();
    await expect(check(world, { request: { name: 'www' } })).rejects.toThrow(InvalidInputError);
    expect(world.calls.names()).toEqual([]);
  });

  test('if this stack did not create its secret, and is checked again after a day or a change of the configuration', async () => {
    const world = createWorld();
    world.secrets.put('www', { owned: false });
    const error = await check(world).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SecretNotOwnedError);
    world.clock.advance(1000);
    const { nextAttempt } = await recordFailed(world, error as Error);
    expect(Date.parse(nextAttempt) - world.clock.now().getTime()).toBe(86_400_000);
    expect(world.ledger.get('www')).toMatchObject({ failure: { count: 1 }, notBefore: nextAttempt });

    world.secrets.put('www', { owned: true });
    expect((await check(world)).action).toBe('none');
    const changed = specWith({ identifiers: ['www.example.com'] });
    expect((await check(world, { spec: changed })).action).toBe('issue');
  });

  test.each([
    ['this stack', true],
    ['another stack', false],
  ])(
    'with the command that ends the replication if its secret is a replica and has the tag of %s',
    async (_, owned) => {
      const world = createWorld();
      world.secrets.put('www', { owned, replica: { region: 'eu-central-1', primaryRegion: 'eu-west-1' } });
      await expect(check(world)).rejects.toMatchObject({
        name: 'SecretReplicaError',
        fields: { region: 'eu-central-1' },
      });
      await expect(check(world)).rejects.toThrow(
        /aws secretsmanager stop-replication-to-replica --secret-id \S+ --region eu-central-1/,
      );
    },
  );

  test('with the restore command if its secret is scheduled for deletion', async () => {
    const world = createWorld();
    world.secrets.put('www', { deletedAt: '2026-03-20T00:00:00Z' });
    await expect(check(world)).rejects.toThrow(SecretDeletedError);
    await expect(check(world)).rejects.toThrow(`restore-secret --secret-id ${world.secrets.arn('www')}`);
  });
});

describe('a second run', () => {
  const situations: Readonly<Record<string, () => World>> = {
    'with nothing to do': () => issued(),
    'with a renewal due': () => issued(dueDay),
    'with leftover TXT values': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { leftovers: [leftover] });
      return world;
    },
    'with a saved order': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { order, leftovers: [leftover] });
      return world;
    },
    'with an expired order': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { order: { ...order, expires: '2026-03-14T00:00:00Z' }, leftovers: [leftover] });
      return world;
    },
    'with a renewal time to wait for': () => {
      const world = issued();
      world.ledger.put('www', { current: withId });
      world.renewalInfos.suggest('key.01', '2026-02-01T05:00:00Z', '2026-02-01T05:00:01Z');
      return world;
    },
    'with a resolved failure': () => {
      const world = issued();
      world.ledger.put('www', { failure, notBefore: '2026-01-31T00:00:00Z' });
      return world;
    },
    'with the lease of an execution that has ended': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:00:00Z' });
      world.executions.setStatus(otherExecution, 'ended');
      return world;
    },
    'with another execution that orders for the same names': () => {
      const world = issued(dueDay);
      world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
      world.executions.setStatus(otherExecution, 'live');
      return world;
    },
  };

  test.each(Object.entries(situations))('%s returns the same and keeps the same lease', async (_, create) => {
    const world = create();
    const first = await check(world);
    const lease = world.ledger.get('www').lease;
    expect(await check(world)).toEqual(first);
    expect(world.ledger.get('www').lease).toBe(lease);
  });

  test.each(Object.entries(situations))('%s completes after an interruption at any call', async (_, create) => {
    const expected = await check(create());
    await interruptedAfterEachCall(create, check, (world, output, last) => {
      expect(output, last).toEqual(expected);
      expect(world.ledger.get('www').lease, last).toBe(['none', 'wait'].includes(output.action) ? null : execution);
    });
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

describe('a CA that asked for no requests in reply to another certificate', () => {
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

  test('does not get a saved order continued either', async () => {
    const world = await asked();
    world.ledger.put('www', { order });
    await expect(check(world)).rejects.toThrow(CaBusyError);
    expect(world.ledger.get('www').order).toEqual(order);
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

  test('keeps no certificate from the fallback issuer that is used in its place', async () => {
    const fallback = { ...issuer, name: 'fallback', directoryUrl: 'https://fallback.test/directory' };
    const spec = specWith({ issuers: [issuer, fallback] });
    const world = await asked();
    world.ledger.put('www', { failure: { ...failure, issuerFailures: 3, error: 'CaBusyError' } });
    expect(await check(world, { spec })).toMatchObject({ action: 'issue', spec: { issuer: { name: 'fallback' } } });
  });

  test('does not delay what needs no CA', async () => {
    const world = await asked(issued('2026-03-14T00:00:00Z'));
    world.ledger.put('www', {
      current: factsWith({ notBefore: '2026-03-01T00:00:00Z', notAfter: '2026-05-30T00:00:00Z' }),
    });
    expect((await check(world, { spec: specWith({ regions: ['us-east-1'] }) })).action).toBe('deliver');
  });
});
