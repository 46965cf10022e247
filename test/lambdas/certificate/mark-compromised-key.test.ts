import { expect, test } from 'vitest';
import { markCompromisedKey } from '../../../lambdas/certificate/mark-compromised-key.ts';
import { secretValue } from '../../fakes/certificate-authority.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { factsWith, run } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const current = 'version-1';

async function stored(): Promise<World> {
  const world = createWorld();
  const value = await secretValue({ identifiers: ['example.com'], serialNumber: '0a01' });
  world.secrets.put('www', { current: { versionId: current, value } });
  world.ledger.put('www', { current: factsWith({ versionId: current }) });
  return world;
}

const mark = (world: World, versionId = current) =>
  markCompromisedKey({ ...run, versionId }, { ...world.ports, versions: world.ports.secrets });

test('marks the key and makes the replacement of the current version due, after an interruption at any call too', async () => {
  await interruptedAfterEachCall(stored, mark, async (world) => {
    const { value } = await world.secrets.readCurrent('www');
    expect(await world.secrets.isCompromised('www', value.privateKey)).toBe(true);
    expect(world.ledger.get('www').revokedVersion).toBe(current);
  });
});

test('keeps the replacement of the current version due if an earlier version is marked', async () => {
  const world = await stored();
  await mark(world);
  const value = await secretValue({ identifiers: ['example.com'], serialNumber: '0a02' });
  const earlier = await world.secrets.putCertificate('www', 'https://ca.test/order/9', value);
  await mark(world, earlier);
  expect(await world.secrets.isCompromised('www', value.privateKey)).toBe(true);
  expect(world.ledger.get('www').revokedVersion).toBe(current);
});
