import { describe, expect, test } from 'vitest';
import { releaseLease } from '../../../lambdas/check/release-lease.ts';
import { takeLease } from '../../../lambdas/check/take-lease.ts';
import { RenewalsInProgressError } from '../../../lambdas/domain/contract/errors.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { execution, otherExecution } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const revocation = { certificate: 'www', execution };
const take = ({ ports }: World) => takeLease(revocation, ports);
const release = ({ ports }: World) => releaseLease(revocation, ports);
const lease = ({ ledger }: World) => ledger.get('www').lease;

/** Creates a world in which a renewal has the lease. */
function renewing(status: 'live' | 'ended'): World {
  const world = createWorld();
  world.ledger.put('www', { lease: otherExecution, leasedAt: world.clock.now().toISOString() });
  world.executions.setStatus(otherExecution, status);
  return world;
}

describe('a revocation', () => {
  test('takes the free lease of its certificate and releases it', async () => {
    const world = createWorld();
    await take(world);
    expect(lease(world)).toBe(execution);
    await release(world);
    expect(lease(world)).toBeNull();
  });

  test('waits while a renewal has the lease, and the error names the renewal', async () => {
    const world = renewing('live');
    await expect(take(world)).rejects.toThrow(RenewalsInProgressError);
    await expect(take(world)).rejects.toThrow(otherExecution);
    expect(lease(world)).toBe(otherExecution);
  });

  test('takes the lease of a renewal that has ended', async () => {
    const world = renewing('ended');
    await take(world);
    expect(lease(world)).toBe(execution);
  });

  test('does not release the lease of a renewal', async () => {
    const world = renewing('live');
    await release(world);
    expect(lease(world)).toBe(otherExecution);
  });

  test('has the lease after an interruption at any call', async () => {
    await interruptedAfterEachCall(
      () => renewing('ended'),
      take,
      (world, _, last) => {
        expect(lease(world), last).toBe(execution);
      },
    );
  });
});
