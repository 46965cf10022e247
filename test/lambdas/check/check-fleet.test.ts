import { expect, test } from 'vitest';
import { checkFleet } from '../../../lambdas/check/check-fleet.ts';
import { ThrottledError } from '../../../lambdas/rules/errors.ts';
import { configOf, factsWith, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const fleet = 'arn:aws:states:eu-west-1:111122223333:execution:Fleet:noon';
const specs = ['due', 'fresh', 'failing', 'new'].map((name) =>
  specWith({ name, identifiers: [`${name}.example.com`] }),
);

function world(): World {
  const made = createWorld({ now: '2026-03-15T00:00:00Z' });
  made.ledger.put('due', { current: factsWith({ identifiers: ['due.example.com'] }) });
  const fresh = { notBefore: '2026-03-01T00:00:00Z', notAfter: '2026-05-30T00:00:00Z' };
  made.ledger.put('fresh', { current: factsWith({ identifiers: ['fresh.example.com'], ...fresh }) });
  made.ledger.put('failing', {
    current: factsWith({ identifiers: ['failing.example.com'], notAfter: '2026-03-25T00:00:00Z' }),
    failure: { count: 2, last: '2026-03-14T00:00:00Z', error: 'CaaError', cause: 'CAA forbids it.' },
  });
  return made;
}

const check = ({ ports }: World, { batch = 0, batches = 1, config = configOf(...specs) } = {}) =>
  checkFleet({ batch, batches, execution: fleet }, { ...ports, config });

test('names what is due, what expires first at the head and what was never issued at the end', async () => {
  const { due, checked, postponed } = await check(world());
  expect(due.map(({ certificate }) => certificate)).toEqual(['failing', 'due', 'new']);
  expect({ checked, postponed }).toEqual({ checked: 4, postponed: 0 });
});

test('counts the fleet, and the days until its first certificate expires', async () => {
  const { metrics, ...rest } = world();
  await check({ metrics, ...rest });
  expect(metrics.fleets).toEqual([{ Certificates: 4, Due: 3, Postponed: 0, Failing: 1 }]);
  expect(metrics.days).toEqual([10]);
});

test('says nothing of expiry when nothing is issued', async () => {
  const made = createWorld();
  await check(made);
  expect(made.metrics.days).toEqual([]);
});

test('asks the ledger once, for the hundred certificates of its batch and no other', async () => {
  const many = Array.from({ length: 130 }, (_, index) => specWith({ name: `c${index}` }));
  const made = createWorld();
  const config = configOf(...many);
  expect((await check(made, { batch: 0, batches: 2, config })).checked).toBe(100);
  expect((await check(made, { batch: 1, batches: 2, config })).checked).toBe(30);
  expect(made.calls.names()).toEqual(['ledger.certificates', 'ledger.certificates']);
});

test('run twice in one fleet run, it asks for executions of the same names', async () => {
  const made = world();
  const first = await check(made);
  expect(await check(made)).toEqual(first);
});

test('fails when the ledger does: a fleet that was not looked at is not a fleet in order', async () => {
  const made = world();
  made.calls.answer('ledger.certificates', new ThrottledError('Slow down.'));
  await expect(check(made)).rejects.toThrow(ThrottledError);
  expect(made.metrics.fleets).toEqual([]);
});
