import { describe, expect, test } from 'vitest';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, factsWith, otherExecution } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { check, dueDay, failure, interrupted, issued, leftover, order } from './checked-renewal.ts';

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
