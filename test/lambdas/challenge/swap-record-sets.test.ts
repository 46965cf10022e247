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
const foreign = '"Foreign \\\\ bytes; \\303\\244"';

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

/** Somebody else adds or removes a value without a compare-and-swap. */
function toggle({ hostedZones }: World, value: string): void {
  const { values = [], ttl = 10 } = hostedZones.get('Z1', name) ?? {};
  const rest = values.filter((each) => each !== value);
  hostedZones.put('Z1', name, rest.length < values.length ? rest : [...values, value], { ttl });
}

describe('two writers on one name', () => {
  test('that read the same set both get in, and a third, foreign value keeps its bytes and its TTL', async () => {
    const world = zone([foreign]);
    await Promise.all([add(world, 'one'), add(world, 'two')]);
    expect(world.hostedZones.get('Z1', name)).toMatchObject({ ttl: 3600 });
    expect(world.hostedZones.get('Z1', name)?.values.toSorted()).toEqual([foreign, '"one"', '"two"'].toSorted());
    expect(world.calls.names('hostedZones.change').length).toBeGreaterThan(2);
  });

  test('that leave together leave the foreign value alone', async () => {
    const world = zone([foreign, '"one"', '"two"']);
    await Promise.all([remove(world, 'one'), remove(world, 'two')]);
    expect(world.hostedZones.get('Z1', name)).toMatchObject({ values: [foreign], ttl: 3600 });
  });

  test('of which one comes while the other goes leave one value', async () => {
    const world = zone(['"one"']);
    await Promise.all([add(world, 'two'), remove(world, 'one')]);
    expect(world.hostedZones.get('Z1', name)?.values).toEqual(['"two"']);
  });

  test('that come to an empty name make one set', async () => {
    const world = zone();
    await Promise.all([add(world, 'one'), add(world, 'two')]);
    expect(world.hostedZones.get('Z1', name)?.values.toSorted()).toEqual(['"one"', '"two"']);
  });
});

describe('a refused change', () => {
  test('of a set that nobody changed is a fault for a person, in the words of Route 53', async () => {
    const world = zone([foreign]);
    world.hostedZones.refusesAll = 'The zone is at its limit of records';
    const refused = add(world, 'one');
    await expect(refused).rejects.toThrow(RecordSetRefusedError);
    await expect(refused).rejects.toThrow('The zone is at its limit of records');
    await expect(refused).rejects.toMatchObject({ fields: { zone: 'Z1', recordNames: [name] } });
    expect(world.clock.now().getTime()).toBeLessThan(Date.parse('2026-03-01T12:00:01Z'));
  });

  test('of a name that Route 53 writes with a dot at its end is told without it', async () => {
    const world = zone();
    world.hostedZones.put('Z1', `${name}.`, [foreign]);
    world.hostedZones.refusesAll = 'The zone is at its limit of records';
    await expect(add(world, 'one')).rejects.toMatchObject({
      message: expect.stringContaining(`the change of ${name} in hosted zone Z1.`),
      fields: { recordNames: [name] },
    });
  });

  test('of a hundred names says why before the room of a message is over, and names five', async () => {
    const world = zone();
    world.hostedZones.refusesAll = 'The zone is at its limit of records';
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

  test('of a set that changed and was changed back in between is tried again', async () => {
    const world = zone([foreign]);
    world.calls.meanwhile('hostedZones.change', () => {
      toggle(world, '"guest"');
      // The second read, after the refusal, finds the guest gone again.
      world.calls.meanwhile('hostedZones.readTxt', () => toggle(world, '"guest"'));
    });
    await add(world, 'one');
    expect(world.hostedZones.get('Z1', name)).toMatchObject({ values: [foreign, '"one"'], ttl: 3600 });
  });

  test.each(['it is a CNAME to elsewhere.example.net', 'it has a weighted routing policy'])(
    'is not even sent where %s',
    async (unsuitable) => {
      const world = zone();
      world.hostedZones.put('Z1', name, [], { unsuitable });
      await expect(add(world, 'one')).rejects.toThrow(RecordSetRefusedError);
      await expect(add(world, 'one')).rejects.toThrow(unsuitable);
      expect(world.calls.names('hostedZones.change')).toEqual([]);
    },
  );

  test('is none where our value stands beside a delegation: it can be removed, and none added', async () => {
    const world = zone();
    const unsuitable = 'the name is delegated to other name servers';
    world.hostedZones.put('Z1', name, [foreign, '"one"'], { unsuitable });
    await expect(add(world, 'two')).rejects.toThrow(RecordSetRefusedError);
    await remove(world, 'one');
    expect(world.hostedZones.get('Z1', name)?.values).toEqual([foreign]);
  });

  test('by throttling comes through as such', async () => {
    const world = zone();
    world.calls.answer('hostedZones.change', throttledError());
    await expect(add(world, 'one')).rejects.toThrow(ThrottledError);
  });
});

describe('contention', () => {
  /** Others win the first so many races. */
  function contended(races: number): World {
    const world = zone([foreign]);
    for (let race = 0; race < races; race += 1) {
      world.calls.meanwhile('hostedZones.change', () => toggle(world, `"guest ${race}"`));
    }
    return world;
  }

  test('that ends is won, 50 to 150 ms after each race', async () => {
    const world = contended(3);
    world.clock.randomness = 0;
    await add(world, 'one');
    world.clock.randomness = 0.999;
    world.calls.meanwhile('hostedZones.change', () => toggle(world, '"last guest"'));
    await add(world, 'two');
    expect(world.clock.slept.map(Math.round)).toEqual([50, 50, 50, 150]);
    expect(world.hostedZones.get('Z1', name)?.values).toContain('"two"');
  });

  test('that does not end is given up after 5 s, with nothing of ours written and nothing of others lost', async () => {
    const world = contended(200);
    const start = world.clock.now().getTime();
    await expect(add(world, 'one')).rejects.toThrow(RecordSetContentionError);
    const took = world.clock.now().getTime() - start;
    expect(took).toBeGreaterThanOrEqual(5000);
    expect(took).toBeLessThan(5150);
    const { values = [] } = world.hostedZones.get('Z1', name) ?? {};
    expect(values).toContain(foreign);
    expect(values).not.toContain('"one"');
  });
});

test('a set that is as desired needs no change', async () => {
  const world = zone(['"one"']);
  expect(await add(world, 'one')).toEqual([]);
  expect(await remove(world, 'two')).toEqual([]);
  expect(world.calls.names('hostedZones.change')).toEqual([]);
});

describe('more than a batch may hold', () => {
  // 4,000 characters of values at each name: ten names are 40,000, and a batch takes 32,000.
  const names = Array.from({ length: 10 }, (_, index) => `_acme-challenge.n${index}.example.com`);
  const desired = (before: Parameters<typeof withValues>[1], at: string) => {
    const values = Array.from({ length: 40 }, (_, index) => `${index}`.padStart(98, 'x'));
    const after = withValues(at, before, values);
    return after && { name: at, before, after };
  };

  test('goes in two, and the ids of both are waited for', async () => {
    const world = zone();
    const ids = await swapRecordSets('Z1', names, desired, world.ports);
    expect(ids).toHaveLength(2);
    for (const each of names) expect(world.hostedZones.get('Z1', each)?.values).toHaveLength(40);
  });

  test('refused in its second half is completed, and nothing is written twice', async () => {
    const world = zone();
    let changes = 0;
    const { change } = world.hostedZones;
    world.hostedZones.change = async (id, batch) => {
      changes += 1;
      if (changes === 2) world.hostedZones.put('Z1', names[9] ?? '', [foreign], { ttl: 3600 });
      return change.call(world.hostedZones, id, batch);
    };
    const ids = await swapRecordSets('Z1', names, desired, world.ports);
    expect(ids).toHaveLength(2);
    expect(world.hostedZones.get('Z1', names[9] ?? '')).toMatchObject({ ttl: 3600 });
    expect(world.hostedZones.get('Z1', names[9] ?? '')?.values).toHaveLength(41);
    expect(world.hostedZones.applied).toHaveLength(10);
  });

  test('refused in its second half is not written twice either where what is there is written once more', async () => {
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
