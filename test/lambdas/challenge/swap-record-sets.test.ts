import { describe, expect, test } from 'vitest';
import { swapRecordSets } from '../../../lambdas/challenge/swap-record-sets.ts';
import {
  RecordSetContentionError,
  RecordSetRefusedError,
  ThrottledError,
} from '../../../lambdas/domain/contract/errors.ts';
import { withoutValues, withValues } from '../../../lambdas/domain/rules/proof/txt-set.ts';
import { throttledError } from '../../fakes/aws-errors.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const name = '_acme-challenge.example.com';
const otherValue = '"Other \\\\ bytes; \\303\\244"';

function zone(values: readonly string[] = []): World {
  const world = createWorld();
  world.hostedZones.addZone('Z1');
  world.hostedZones.put('Z1', name, values, { ttl: 3600 });
  return world;
}

const add = ({ ports }: World, ...values: string[]) =>
  swapRecordSets(
    'Z1',
    [name],
    (before) => {
      const after = withValues(name, before, values);
      return after && { name: after.name, before, after };
    },
    ports,
  );

const remove = ({ ports }: World, ...values: string[]) =>
  swapRecordSets('Z1', [name], (before) => withoutValues(before, values), ports);

/** Adds or removes a value as another writer without a compare-and-swap. */
function toggle({ hostedZones }: World, value: string): void {
  const { values = [], ttl = 10 } = hostedZones.get('Z1', name) ?? {};
  const rest = values.filter((each) => each !== value);
  hostedZones.put('Z1', name, rest.length < values.length ? rest : [...values, value], { ttl });
}

describe('two writers on one name', () => {
  test('that read the same set both add their values and keep the bytes and the TTL of a third value', async () => {
    const world = zone([otherValue]);
    await Promise.all([add(world, 'one'), add(world, 'two')]);
    expect(world.hostedZones.get('Z1', name)).toMatchObject({ ttl: 3600 });
    expect(world.hostedZones.get('Z1', name)?.values.toSorted()).toEqual([otherValue, '"one"', '"two"'].toSorted());
    expect(world.calls.names('hostedZones.change').length).toBeGreaterThan(2);
  });

  test('that remove their values at the same time keep a third value', async () => {
    const world = zone([otherValue, '"one"', '"two"']);
    await Promise.all([remove(world, 'one'), remove(world, 'two')]);
    expect(world.hostedZones.get('Z1', name)).toMatchObject({ values: [otherValue], ttl: 3600 });
  });

  test('of which one adds and one removes a value leave the added value', async () => {
    const world = zone(['"one"']);
    await Promise.all([add(world, 'two'), remove(world, 'one')]);
    expect(world.hostedZones.get('Z1', name)?.values).toEqual(['"two"']);
  });

  test('that add values to an empty name create one set', async () => {
    const world = zone();
    await Promise.all([add(world, 'one'), add(world, 'two')]);
    expect(world.hostedZones.get('Z1', name)?.values.toSorted()).toEqual(['"one"', '"two"']);
  });
});

describe('a rejected change', () => {
  test('of an unchanged set throws RecordSetRefusedError with the words of Route 53', async () => {
    const world = zone([otherValue]);
    world.hostedZones.rejectAllWith = 'The zone is at its limit of records';
    const rejected = add(world, 'one');
    await expect(rejected).rejects.toThrow(RecordSetRefusedError);
    await expect(rejected).rejects.toThrow('The zone is at its limit of records');
    await expect(rejected).rejects.toMatchObject({ fields: { zone: 'Z1', recordNames: [name] } });
    expect(world.clock.now().getTime()).toBeLessThan(Date.parse('2026-03-01T12:00:01Z'));
  });

  test('is reported without the trailing dot that Route 53 writes', async () => {
    const world = zone();
    world.hostedZones.put('Z1', `${name}.`, [otherValue]);
    world.hostedZones.rejectAllWith = 'The zone is at its limit of records';
    await expect(add(world, 'one')).rejects.toMatchObject({
      message: expect.stringContaining(`the change of ${name} in hosted zone Z1.`),
      fields: { recordNames: [name] },
    });
  });

  test('of a hundred names is reported with five of them before the reason', async () => {
    const world = zone();
    world.hostedZones.rejectAllWith = 'The zone is at its limit of records';
    const names = Array.from({ length: 100 }, (_, index) => `_acme-challenge.${index}.${'x'.repeat(40)}.example.com`);
    const addTo = () =>
      swapRecordSets(
        'Z1',
        names,
        (before, at) => {
          const after = withValues(at, before, ['one']);
          return after && { name: at, before, after };
        },
        world.ports,
      );
    const five = `${names.slice(0, 5).join(', ')} and 95 more in hosted zone Z1`;
    await expect(addTo()).rejects.toThrow(`the change of ${five}. The zone is at its limit of records`);
    world.clock.randomness = 100;
    await expect(addTo()).rejects.toThrow(`kept changing ${five} for 5 s`);
  });

  test('is retried if another writer changed the set and changed it back', async () => {
    const world = zone([otherValue]);
    world.calls.meanwhile('hostedZones.change', () => {
      toggle(world, '"guest"');
      // The read after the rejection finds the set without the guest's value.
      world.calls.meanwhile('hostedZones.readTxt', () => toggle(world, '"guest"'));
    });
    await add(world, 'one');
    expect(world.hostedZones.get('Z1', name)).toMatchObject({ values: [otherValue, '"one"'], ttl: 3600 });
  });

  test.each(['it is a CNAME to elsewhere.example.net', 'it has a weighted routing policy'])(
    'is not submitted if %s',
    async (unsuitable) => {
      const world = zone();
      world.hostedZones.put('Z1', name, [], { unsuitable });
      await expect(add(world, 'one')).rejects.toThrow(RecordSetRefusedError);
      await expect(add(world, 'one')).rejects.toThrow(unsuitable);
      expect(world.calls.names('hostedZones.change')).toEqual([]);
    },
  );

  test('does not occur when a value is removed from a delegated name, to which none can be added', async () => {
    const world = zone();
    const unsuitable = 'the name is delegated to other name servers';
    world.hostedZones.put('Z1', name, [otherValue, '"one"'], { unsuitable });
    await expect(add(world, 'two')).rejects.toThrow(RecordSetRefusedError);
    await remove(world, 'one');
    expect(world.hostedZones.get('Z1', name)?.values).toEqual([otherValue]);
  });

  test('throws ThrottledError if Route 53 throttles it', async () => {
    const world = zone();
    world.calls.answer('hostedZones.change', throttledError());
    await expect(add(world, 'one')).rejects.toThrow(ThrottledError);
  });
});

describe('contention', () => {
  /** Creates a world in which another writer changes the set before each of the first `races` changes. */
  function contended(races: number): World {
    const world = zone([otherValue]);
    for (let race = 0; race < races; race += 1) {
      world.calls.meanwhile('hostedZones.change', () => toggle(world, `"guest ${race}"`));
    }
    return world;
  }

  test('is retried 50 to 150 ms after each rejection until it succeeds', async () => {
    const world = contended(3);
    world.clock.randomness = 0;
    await add(world, 'one');
    world.clock.randomness = 0.999;
    world.calls.meanwhile('hostedZones.change', () => toggle(world, '"last guest"'));
    await add(world, 'two');
    expect(world.clock.slept.map(Math.round)).toEqual([50, 50, 50, 150]);
    expect(world.hostedZones.get('Z1', name)?.values).toContain('"two"');
  });

  test('throws after 5 s, without a value written or a value of another writer lost', async () => {
    const world = contended(200);
    const start = world.clock.now().getTime();
    await expect(add(world, 'one')).rejects.toThrow(RecordSetContentionError);
    const took = world.clock.now().getTime() - start;
    expect(took).toBeGreaterThanOrEqual(5000);
    expect(took).toBeLessThan(5150);
    const { values = [] } = world.hostedZones.get('Z1', name) ?? {};
    expect(values).toContain(otherValue);
    expect(values).not.toContain('"one"');
  });
});

test('submits no change if the set is already as desired', async () => {
  const world = zone(['"one"']);
  expect(await add(world, 'one')).toEqual([]);
  expect(await remove(world, 'two')).toEqual([]);
  expect(world.calls.names('hostedZones.change')).toEqual([]);
});

describe('a change larger than a batch', () => {
  // Each name has 4,000 characters of values, so ten names have 40,000. A batch may have 32,000.
  const names = Array.from({ length: 10 }, (_, index) => `_acme-challenge.n${index}.example.com`);
  const desired = (before: Parameters<typeof withValues>[1], at: string) => {
    const values = Array.from({ length: 40 }, (_, index) => `${index}`.padStart(98, 'x'));
    const after = withValues(at, before, values);
    return after && { name: at, before, after };
  };

  test('is submitted in two batches, and both ids are returned', async () => {
    const world = zone();
    const ids = await swapRecordSets('Z1', names, desired, world.ports);
    expect(ids).toHaveLength(2);
    for (const each of names) expect(world.hostedZones.get('Z1', each)?.values).toHaveLength(40);
  });

  test('is completed after its second batch is rejected, and nothing is written twice', async () => {
    const world = zone();
    let changes = 0;
    const { change } = world.hostedZones;
    world.hostedZones.change = async (id, batch) => {
      changes += 1;
      if (changes === 2) world.hostedZones.put('Z1', names[9] ?? '', [otherValue], { ttl: 3600 });
      return change.call(world.hostedZones, id, batch);
    };
    const ids = await swapRecordSets('Z1', names, desired, world.ports);
    expect(ids).toHaveLength(2);
    expect(world.hostedZones.get('Z1', names[9] ?? '')).toMatchObject({ ttl: 3600 });
    expect(world.hostedZones.get('Z1', names[9] ?? '')?.values).toHaveLength(41);
    expect(world.hostedZones.applied).toHaveLength(10);
  });

  test('is not written twice after its second batch is rejected, even if it makes no difference', async () => {
    const world = zone();
    const { change } = world.hostedZones;
    let changes = 0;
    world.hostedZones.change = async (id, batch) => {
      changes += 1;
      return changes === 2 ? { refused: 'Not now.' } : change.call(world.hostedZones, id, batch);
    };
    const ids = await swapRecordSets(
      'Z1',
      names,
      (before, at) => desired(before, at) ?? { name: at, before, after: before },
      world.ports,
    );
    expect(ids).toHaveLength(2);
    expect(world.hostedZones.applied).toHaveLength(10);
  });
});
