import { describe, expect, test } from 'vitest';
import { checkRenewal } from '../../../lambdas/check/check-renewal.ts';
import type { CertificateSpec } from '../../../lambdas/domain/contract/config.ts';
import {
  InvalidInputError,
  IssueCapError,
  SecretDeletedError,
  SecretNotOursError,
  UnknownCertificateError,
  ValidationLimitError,
} from '../../../lambdas/domain/contract/errors.ts';
import type { CheckRenewalInput } from '../../../lambdas/domain/contract/steps.ts';
import type { SavedOrder } from '../../../lambdas/domain/ports/ledger.ts';
import { throttledError } from '../../fakes/aws-errors.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { configOf, execution, factsWith, issuer, otherExecution, specWith } from '../../fakes/specs.ts';
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
      execution,
      attempt: 1,
      cleaned: false,
      removed: [],
      waits: 0,
      discardedOrder: null,
      request,
      startedAt,
      ...input,
    },
    { ...ports, config: configOf(spec) },
  );
}

const order: SavedOrder = {
  url: 'https://ca.test/order/1',
  finalize: 'https://ca.test/order/1/finalize',
  expires: '2026-06-01T00:00:00Z',
  execution: otherExecution,
  specHash: specWith().specHash,
  directoryUrl: issuer.directoryUrl,
};
const reference = { url: order.url, finalize: order.finalize, expires: order.expires };

/** A world in which `www` was issued and stored, and the ledger knows. */
function issued(now = quietDay): World {
  const world = createWorld({ now });
  world.ledger.put('www', { current: factsWith() });
  world.secrets.put('www', { current: { versionId: 'version-1', value: 'whole' } });
  return world;
}

describe('what is to be done', () => {
  test('a certificate never seen is issued, with both leases taken', async () => {
    const world = createWorld();
    expect(await check(world)).toMatchObject({ action: 'issue', reason: 'never issued', wait: 0, certificate: 'www' });
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBe(execution);
  });

  test('one that is not due is left alone, and nothing stays taken', async () => {
    const world = issued();
    expect(await check(world)).toMatchObject({
      action: 'none',
      reason: 'nothing to do, renewal is due 2026-03-02T00:00:00.000Z',
    });
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('one with a third of its lifetime left is issued', async () => {
    expect((await check(issued(dueDay))).action).toBe('issue');
  });

  test('a person who insists gets a new one', async () => {
    expect(await check(issued(), { request: { certificate: 'www', force: true } })).toMatchObject({
      action: 'issue',
      reason: 'forced',
    });
  });

  test('values of a dead run are handed over for removal before anything else', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover] });
    expect(await check(world)).toMatchObject({ action: 'clean', leftovers: [leftover] });
    expect(world.ledger.get('www').lease).toBe(execution);
  });

  test('values of a dead run are removed with the role that their zone has now', async () => {
    const world = issued(dueDay);
    const role = { arn: 'arn:aws:iam::111122223333:role/challenges' };
    const zone = { id: leftover.hostedZoneId, name: 'example.com', role };
    world.ledger.put('www', { leftovers: [leftover] });
    const output = await check(world, { spec: specWith({ hostedZones: [zone] }) });
    expect(output).toMatchObject({ action: 'clean', leftovers: [{ ...leftover, role }] });
  });

  test('once cleaned, what is gone from DNS is struck off and the renewal goes on', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover], lease: execution });
    const output = await check(world, { cleaned: true, removed: [leftover] });
    expect(output).toMatchObject({ action: 'issue', leftovers: [] });
    expect(world.ledger.get('www').leftovers).toEqual([]);
  });

  test('a value that could not be removed does not hold up the renewal, and is remembered', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { leftovers: [leftover], lease: execution });
    expect((await check(world, { cleaned: true })).action).toBe('issue');
    expect(world.ledger.get('www').leftovers).toEqual([leftover]);
  });

  test('a secret that is ahead of the ledger is read, not ordered again', async () => {
    const world = issued(dueDay);
    world.secrets.put('www', { current: { versionId: 'version-2', value: 'whole' } });
    expect(await check(world)).toMatchObject({ action: 'repair', current: null });
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBeNull();
  });

  test('after the table was lost the secret is read back', async () => {
    const world = createWorld();
    world.secrets.put('www', { current: { versionId: 'version-1', value: 'whole' } });
    expect((await check(world)).action).toBe('repair');
  });

  test('a secret that holds nothing but its placeholder is issued for', async () => {
    const world = createWorld();
    world.secrets.put('www');
    expect((await check(world)).action).toBe('issue');
  });

  test('a secret that somebody deleted for good is issued for, whatever the ledger remembers', async () => {
    const world = createWorld({ now: quietDay });
    world.ledger.put('www', { current: factsWith() });
    expect((await check(world)).action).toBe('issue');
  });

  test('a region behind gets the current version, and no order is placed', async () => {
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

describe('the servers of a certificate', () => {
  const spec = specWith({ endpoints: ['www.example.com:443'] });

  test('are to be looked at when there is nothing else to do, for the version that is handed over', async () => {
    const world = issued();
    expect(await check(world, { spec })).toMatchObject({
      action: 'checkEndpoints',
      reason: 'nobody has looked yet whether www.example.com:443 serve 0a01',
      wait: 0,
      current: factsWith(),
    });
  });

  test('are looked at without a lease, which a renewal may need meanwhile', async () => {
    const world = issued();
    await check(world, { spec });
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('are looked at after a failure too, which is forgotten then', async () => {
    const world = issued();
    world.ledger.put('www', { failure, notBefore: '2026-01-31T00:00:00Z' });
    expect((await check(world, { spec })).action).toBe('checkEndpoints');
    expect(world.ledger.get('www')).toMatchObject({ failure: null, notBefore: null });
  });

  test('are followed by readers who have changed; what failed before is forgotten then, whether they are refused or not', async () => {
    const world = issued();
    world.ledger.put('www', { failure, notBefore: '2026-01-31T00:00:00Z' });
    const readers = ['arn:aws:iam::444455556666:root'];
    expect(await check(world, { spec: specWith({ readers }) })).toMatchObject({ action: 'share', current: null });
    expect(world.ledger.get('www')).toMatchObject({ failure: null, notBefore: null, lease: execution });
  });

  test('do not keep a deployment that waits for the certificate', async () => {
    const request = { certificate: 'www', deploy: true };
    const startedAt = quietDay;
    expect((await check(issued(), { spec, request, startedAt })).action).toBe('none');
  });
});

describe('force is spent', () => {
  test('when this execution made the current certificate', async () => {
    const world = issued();
    world.ledger.put('www', { current: factsWith({ execution }) });
    expect((await check(world, { request: { certificate: 'www', force: true } })).action).toBe('none');
  });

  test('when this execution has an order in the ledger, which goes on', async () => {
    const world = issued();
    world.ledger.put('www', { order: { ...order, execution } });
    expect(await check(world, { request: { certificate: 'www', force: true } })).toMatchObject({
      action: 'resume',
      order: reference,
    });
  });

  test('not by an order that came to nothing', async () => {
    const world = issued();
    world.ledger.put('www', { order: { ...order, execution } });
    const request = { certificate: 'www', force: true };
    expect((await check(world, { request, attempt: 2, discardedOrder: order.url })).action).toBe('issue');
    expect(world.ledger.get('www').order).toBeNull();
  });

  test('always in a restart', async () => {
    const request = { restartOf: otherExecution, input: '{"certificate":"www","force":true}' };
    expect((await check(issued(), { request })).action).toBe('none');
  });
});

describe('an order that a dead run left', () => {
  test('goes on with its values, due or not, and with both leases taken', async () => {
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
    ['expired', { expires: '2026-03-14T00:00:00Z' }],
    ['was for another configuration', { specHash: 'other' }],
    ['was for another CA', { directoryUrl: 'https://other.test/directory' }],
    ['is stored already', { url: factsWith().orderUrl ?? '' }],
  ])('and that %s is dropped, and its values are cleaned', async (_, fields) => {
    const world = issued(dueDay);
    world.ledger.put('www', { order: { ...order, ...fields }, leftovers: [leftover] });
    expect(await check(world)).toMatchObject({ action: 'clean', leftovers: [leftover], order: null });
    expect(world.ledger.get('www')).toMatchObject({ order: null, leftovers: [leftover] });
    expect(await check(world, { cleaned: true, removed: [leftover] })).toMatchObject({ action: 'issue' });
  });

  test('and that the CA does not carry on is dropped', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { order });
    expect(await check(world, { discardedOrder: order.url })).toMatchObject({ action: 'issue', order: null });
    expect(world.ledger.get('www').order).toBeNull();
  });

  test('is kept when it is another that the CA does not carry on', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { order });
    expect((await check(world, { discardedOrder: 'https://ca.test/order/0' })).action).toBe('resume');
  });

  test('whose certificate is stored and not delivered is delivered only', async () => {
    const world = issued();
    world.ledger.put('www', { order: { ...order, url: factsWith().orderUrl ?? '' } });
    expect((await check(world, { spec: specWith({ regions: ['us-east-1'] }) })).action).toBe('deliver');
  });

  test('goes on in a restart, whatever an earlier failure has set', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { order, failure, notBefore: '2026-03-15T10:00:00Z' });
    expect((await check(world)).action).toBe('none');
    const request = { restartOf: otherExecution, input: '{"certificate":"www"}' };
    expect((await check(world, { request })).action).toBe('resume');
  });
});

describe('after failures', () => {
  const held = { failure, notBefore: '2026-03-15T10:00:00Z' };

  test('nothing is tried before the time in the ledger, by an execution that was started by hand too', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', held);
    expect(await check(world)).toMatchObject({
      action: 'none',
      reason: expect.stringContaining('2026-03-15T10:00:00Z'),
    });
    expect(world.ledger.get('www')).toMatchObject({ ...held, lease: null });
  });

  test.each<[string, Partial<CheckRenewalInput>, string]>([
    ['by a later rung of its own', { attempt: 2 }, dueDay],
    ['by force', { request: { certificate: 'www', force: true } }, dueDay],
    ['in an emergency', {}, '2026-03-28T00:00:00Z'],
    ['after that time', {}, '2026-03-15T10:00:00Z'],
  ])('it is tried %s', async (_, input, now) => {
    const world = issued(now);
    const notBefore = now === '2026-03-28T00:00:00Z' ? '2026-03-29T00:00:00Z' : held.notBefore;
    world.ledger.put('www', { failure, notBefore });
    expect((await check(world, input)).action).toBe('issue');
  });

  test('that nothing is left of, they are forgotten', async () => {
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
  ])('%d of them of issuers, %s is asked', async (issuerFailures, name, replaces) => {
    const world = issued(dueDay);
    world.ledger.put('www', { current: withId, failure: { ...failure, issuerFailures, error: 'CaUnavailableError' } });
    const output = await check(world, { spec });
    expect(output).toMatchObject({ action: 'issue', spec: { issuer: { name }, specHash: spec.specHash }, replaces });
    expect(world.ledger.setLease(output.spec.setHash)).toBe(execution);
  });
});

describe('the CA', () => {
  const id = 'key.01';
  const window = ['2026-02-01T05:00:00Z', '2026-02-01T05:00:01Z'] as const;

  function issuedWithId(now = quietDay): World {
    const world = issued(now);
    world.ledger.put('www', { current: withId });
    return world;
  }

  test('is asked before a third of the lifetime is left, and what it says is remembered', async () => {
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

  test('names a second before the next check: it is waited for with nothing held, and the CA asked again', async () => {
    const world = issuedWithId();
    world.renewalInfos.suggest(id, ...window);
    expect(await check(world)).toMatchObject({ action: 'wait', wait: 18_000 });
    expect(world.ledger.get('www').lease).toBeNull();
    world.clock.set('2026-02-01T05:00:00Z');
    expect(await check(world, { waits: 1 })).toMatchObject({ action: 'issue' });
    expect(world.calls.names('renewalInfos')).toEqual(['renewalInfos.fetch', 'renewalInfos.fetch']);
  });

  test('has moved its window since: nothing is done', async () => {
    const world = issuedWithId();
    world.renewalInfos.suggest(id, ...window);
    await check(world);
    world.clock.set('2026-02-01T05:00:00Z');
    world.renewalInfos.suggest(id, '2026-02-20T00:00:00Z', '2026-02-21T00:00:00Z');
    expect(await check(world, { waits: 1 })).toMatchObject({ action: 'none' });
  });

  test('that moves its window each time is not followed for ever', async () => {
    const world = issuedWithId();
    world.renewalInfos.suggest(id, ...window);
    expect((await check(world, { waits: 59 })).action).toBe('wait');
    expect(await check(world, { waits: 60 })).toMatchObject({ action: 'none', wait: 0 });
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('is not asked before its time when its second is far', async () => {
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

  test('is not asked with each rung', async () => {
    const world = issuedWithId(dueDay);
    expect((await check(world, { attempt: 2 })).action).toBe('issue');
    expect(world.calls.names('renewalInfos')).toEqual([]);
  });

  test('is the one that issued the certificate, though it is the turn of another', async () => {
    const fallback = { ...issuer, name: 'fallback-ca', directoryUrl: 'https://fallback.test/directory' };
    const world = issuedWithId();
    world.ledger.put('www', { current: { ...withId, directoryUrl: fallback.directoryUrl } });
    await check(world, { spec: specWith({ issuers: [issuer, fallback] }) });
    expect(world.calls.made.find(({ name }) => name === 'renewalInfos.fetch')?.args).toEqual([fallback, id]);
  });

  test.each([
    [quietDay, 'none'],
    [dueDay, 'issue'],
  ])('that fails on %s leads to %s, by the dates', async (now, action) => {
    const world = issuedWithId(now);
    world.renewalInfos.setAnswer(id, { failed: 'HTTP 503', temporary: true });
    expect((await check(world)).action).toBe(action);
    expect(world.log.messages('warn')).toEqual([expect.stringContaining('HTTP 503')]);
  });

  test('that fails after it moved the window into the past is taken at its word', async () => {
    const world = issuedWithId();
    world.renewalInfos.suggest(id, '2026-01-31T00:00:00Z', '2026-01-31T00:30:00Z');
    await check(world);
    world.renewalInfos.setAnswer(id, { failed: 'HTTP 503', temporary: true });
    expect((await check(world)).action).toBe('issue');
  });

  test('said something of the certificate before: that means nothing for this one', async () => {
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

  test('a third certificate of the set in a day is refused with the time when it may be, forced or not', async () => {
    const world = issued(dueDay);
    world.ledger.putIssues(spec.setHash, two);
    await expect(check(world, force)).rejects.toThrow(IssueCapError);
    await expect(check(world)).rejects.toThrow('2026-03-15T10:00:00.000Z');
  });

  test('and the lease stays, for the failure to be recorded with that time', async () => {
    const world = issued(dueDay);
    world.ledger.putIssues(spec.setHash, two);
    await expect(check(world)).rejects.toThrow(IssueCapError);
    expect(world.ledger.get('www').lease).toBe(execution);
  });

  test('with the override it is ordered', async () => {
    const world = issued(dueDay);
    world.ledger.putIssues(spec.setHash, two);
    expect((await check(world, { spec: specWith({ ignoreIssueCap: true }) })).action).toBe('issue');
  });

  test('an order that is there already goes on', async () => {
    const world = issued(dueDay);
    world.ledger.putIssues(spec.setHash, two);
    world.ledger.put('www', { order });
    expect((await check(world)).action).toBe('resume');
  });

  test('an identifier that failed four times in the hour, for whichever certificate, is not tried a fifth time', async () => {
    const world = issued(dueDay);
    const times = ['10', '20', '30', '40'].map((minute) => `2026-03-14T23:${minute}:00Z`);
    world.ledger.putIdentifierFailures(issuer.directoryUrl, 'example.com', times);
    await expect(check(world)).rejects.toThrow(ValidationLimitError);
    await expect(check(world)).rejects.toThrow('2026-03-15T00:10:00.000Z');
    world.clock.set('2026-03-15T00:10:00Z');
    expect((await check(world)).action).toBe('issue');
  });
});

describe('leases', () => {
  test('an execution that is at work on the same certificate is left to it, forced or not', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:00:00Z' });
    world.executions.setStatus(otherExecution, 'live');
    expect(await check(world, { request: { certificate: 'www', force: true } })).toMatchObject({
      action: 'none',
      reason: `in progress by ${otherExecution}`,
    });
    expect(world.ledger.get('www').lease).toBe(otherExecution);
  });

  test('the lease of an execution that has ended is taken over', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:59:00Z' });
    world.executions.setStatus(otherExecution, 'ended');
    expect((await check(world)).action).toBe('issue');
    expect(world.ledger.get('www').lease).toBe(execution);
  });

  test('the leases of the execution that this one restarts are free, whatever Step Functions says of it yet', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:59:59Z' });
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:59Z' });
    world.executions.setStatus(otherExecution, 'live');
    expect((await check(world)).action).toBe('none');
    const request = { restartOf: otherExecution, input: '{"certificate":"www"}' };
    expect((await check(world, { request })).action).toBe('issue');
    expect(world.ledger.get('www').lease).toBe(execution);
    expect(world.ledger.setLease(specWith().setHash)).toBe(execution);
  });

  test.each([
    ['2026-03-14T23:50:00Z', 'none', 'ten minutes ago, and may just have begun'],
    ['2026-03-14T23:49:59Z', 'issue', 'more than ten minutes ago'],
  ])('an execution that nobody knows and that took the lease at %s leads to %s: %s', async (leasedAt, action) => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt });
    world.executions.setStatus(otherExecution, 'unknown');
    expect((await check(world)).action).toBe(action);
  });

  test('of two that find the same dead holder, the second leaves it to the first', async () => {
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

  test('a twin that issues the same names is waited for with nothing held', async () => {
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

  test('after an hour of waiting for a twin the execution ends and leaves it to the next fleet run', async () => {
    const world = issued(dueDay);
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
    world.executions.setStatus(otherExecution, 'live');
    expect((await check(world, { waits: 59 })).action).toBe('wait');
    expect((await check(world, { waits: 60 })).action).toBe('none');
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('a saved order and what failed before outlive such an hour', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { current: factsWith(), order, failure });
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
    world.executions.setStatus(otherExecution, 'live');
    expect((await check(world, { waits: 60 })).action).toBe('none');
    expect(world.ledger.get('www')).toMatchObject({ order, failure });
  });

  test('the set of a dead twin is taken over', async () => {
    const world = issued(dueDay);
    world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T20:00:00Z' });
    world.executions.setStatus(otherExecution, 'ended');
    expect((await check(world)).action).toBe('issue');
    expect(world.ledger.setLease(specWith().setHash)).toBe(execution);
  });

  test.each(['ledger.certificate', 'secrets.describe'])('are given back when %s fails', async (call) => {
    const world = issued(dueDay);
    world.calls.answer(call, throttledError());
    await expect(check(world)).rejects.toThrow('Slow down.');
    expect(world.ledger.get('www').lease).toBeNull();
  });
});

describe('a deployment that waits for its certificate', () => {
  const request = { certificate: 'www', deploy: true };
  const startedAt = '2026-03-15T00:00:00Z';

  test('issues nothing that is not due', async () => {
    const answer = await check(issued(), { request, startedAt: quietDay });
    expect(answer.action).toBe('none');
  });

  test('tries again what failed before it, whatever time was set for the next try', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { failure, notBefore: '2026-03-15T10:00:00Z' });
    expect((await check(world, { request, startedAt })).action).toBe('issue');
    expect((await check(world, { request: { certificate: 'www' }, startedAt })).action).toBe('none');
  });

  test("keeps to a CA's own limit", async () => {
    const world = issued(dueDay);
    world.ledger.put('www', {
      failure: { ...failure, error: 'RateLimitedError' },
      notBefore: '2026-03-15T10:00:00Z',
    });
    expect((await check(world, { request, startedAt })).action).toBe('none');
  });

  test('looks again each ten seconds for 25 minutes while another is at work, holding nothing', async () => {
    const world = issued(dueDay);
    world.ledger.put('www', { lease: otherExecution, leasedAt: dueDay });
    world.executions.setStatus(otherExecution, 'live');
    const answer = await check(world, { request, startedAt, waits: 149 });
    expect(answer).toMatchObject({ action: 'wait', wait: 10, reason: `in progress by ${otherExecution}` });
    expect(world.ledger.get('www').lease).toBe(otherExecution);
    expect(await check(world, { request, startedAt, waits: 150 })).toMatchObject({ action: 'none', wait: 0 });
  });

  test('does not try by itself after one that failed meanwhile, and says what that one recorded', async () => {
    const world = issued('2026-03-15T00:01:00Z');
    world.ledger.put('www', {
      failure: { ...failure, last: '2026-03-15T00:00:50Z' },
      notBefore: '2026-03-16T00:00:50Z',
    });
    const answer = await check(world, { request, startedAt, waits: 5 });
    expect(answer.action).toBe('none');
    expect(answer.reason).toContain('CaaError');
    expect(world.ledger.get('www').lease).toBeNull();
  });
});

describe('what *Check zones* needs', () => {
  test('is handed over with an order to be made: every zone, and the account at the issuer', async () => {
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

  test('fits into a state beside all that a certificate may have: 300 zones of other accounts, a hundred names', async () => {
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

  test('knows no account before the first order there', async () => {
    expect((await check(createWorld({ now: quietDay }))).account).toBeNull();
  });

  test('is left out where nothing is ordered', async () => {
    expect(await check(issued())).toMatchObject({ action: 'none', challengeZones: [], account: null });
  });
});

describe('what a person has to mend', () => {
  test('an unknown certificate is refused with the names that there are, before any call', async () => {
    const world = createWorld();
    await expect(check(world, { request: { certificate: 'ww' } })).rejects.toThrow(UnknownCertificateError);
    await expect(check(world, { request: { certificate: 'ww' } })).rejects.toThrow(
      /no certificate of this name, but www\b/,
    );
    expect(world.calls.names()).toEqual([]);
  });

  test('input of another shape is refused before any call', async () => {
    const world = createWorld();
    await expect(check(world, { request: { name: 'www' } })).rejects.toThrow(InvalidInputError);
    expect(world.calls.names()).toEqual([]);
  });

  test('a secret that we did not make is left alone, and the lease is free again', async () => {
    const world = createWorld();
    world.secrets.put('www', { ours: false });
    await expect(check(world)).rejects.toThrow(SecretNotOursError);
    expect(world.ledger.get('www').lease).toBeNull();
  });

  test('a secret scheduled for deletion is named with the command that restores it', async () => {
    const world = createWorld();
    world.secrets.put('www', { deletedAt: '2026-03-20T00:00:00Z' });
    await expect(check(world)).rejects.toThrow(SecretDeletedError);
    await expect(check(world)).rejects.toThrow(`restore-secret --secret-id ${world.secrets.arn('www')}`);
    expect(world.ledger.get('www').lease).toBeNull();
  });
});

describe('run again', () => {
  const situations: Readonly<Record<string, () => World>> = {
    'with nothing to do': () => issued(),
    'with a renewal due': () => issued(dueDay),
    'with values left over': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { leftovers: [leftover] });
      return world;
    },
    'with an order left over': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { order, leftovers: [leftover] });
      return world;
    },
    'with an order that has expired': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { order: { ...order, expires: '2026-03-14T00:00:00Z' }, leftovers: [leftover] });
      return world;
    },
    'with a second to wait for': () => {
      const world = issued();
      world.ledger.put('www', { current: withId });
      world.renewalInfos.suggest('key.01', '2026-02-01T05:00:00Z', '2026-02-01T05:00:01Z');
      return world;
    },
    'with a failure that nothing is left of': () => {
      const world = issued();
      world.ledger.put('www', { failure, notBefore: '2026-01-31T00:00:00Z' });
      return world;
    },
    'with a dead holder': () => {
      const world = issued(dueDay);
      world.ledger.put('www', { lease: otherExecution, leasedAt: '2026-03-14T23:00:00Z' });
      world.executions.setStatus(otherExecution, 'ended');
      return world;
    },
    'with a twin at work': () => {
      const world = issued(dueDay);
      world.ledger.putSetLease(specWith().setHash, { execution: otherExecution, since: '2026-03-14T23:59:00Z' });
      world.executions.setStatus(otherExecution, 'live');
      return world;
    },
  };

  test.each(Object.entries(situations))('%s it answers the same and leaves the same', async (_, create) => {
    const world = create();
    const first = await check(world);
    const lease = world.ledger.get('www').lease;
    expect(await check(world)).toEqual(first);
    expect(world.ledger.get('www').lease).toBe(lease);
  });

  test.each(Object.entries(situations))('%s it may die after any call', async (_, create) => {
    const expected = await check(create());
    await interruptedAfterEachCall(create, check, (world, output, last) => {
      expect(output, last).toEqual(expected);
      expect(world.ledger.get('www').lease, last).toBe(['none', 'wait'].includes(output.action) ? null : execution);
    });
  });
});
