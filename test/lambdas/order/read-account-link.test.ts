import { expect, test } from 'vitest';
import { readAccountLink } from '../../../lambdas/order/read-account-link.ts';
import { run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const link = 'https://ca.test/unpause?jwt=a.secret.token';
const spec = specWith({ identifiers: ['example.com'] });
const read = ({ ports }: World) => readAccountLink({ ...run, spec }, ports);

test('returns the whole link of a CA that refuses an order, and saves nothing', async () => {
  const world = createWorld();
  world.ca.pausedWith = link;
  expect(await read(world)).toEqual({ certificate: 'www', issuer: 'test-ca', link });
  expect(world.calls.names('ledger.')).toEqual([]);
  expect(JSON.stringify(world.log.lines)).not.toContain('secret');
});

test('returns no link if the CA accepts an order', async () => {
  expect(await read(createWorld())).toEqual({ certificate: 'www', issuer: 'test-ca', link: null });
});
