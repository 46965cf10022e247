import { describe, expect, test } from 'vitest';
import { issuer, specWith } from '../../fakes/specs.ts';
import type { World } from '../../fakes/world.ts';
import { check, dueDay, issued, quietDay, withId } from './checked-renewal.ts';

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

  test('is not fetched while the CA has asked to wait, and its earlier answer applies', async () => {
    const world = issuedWithId(dueDay);
    const reply = { at: dueDay, seconds: 600, certificate: 'api' };
    await world.ledger.recordBusyReply(issuer.directoryUrl, reply);
    const [start, end] = ['2026-04-01T00:00:00.000Z', '2026-04-02T00:00:00.000Z'];
    const info = { certificateId: id, start, end, explanationUrl: null, nextFetch: quietDay };
    world.ledger.put('www', { renewalInfo: info });
    expect((await check(world)).action).toBe('none');
    expect(world.calls.names('renewalInfos')).toEqual([]);
    world.clock.set('2026-03-15T00:10:00Z');
    await check(world);
    expect(world.calls.names('renewalInfos')).toEqual(['renewalInfos.fetch']);
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
