import { describe, expect, test } from 'vitest';
import { refreshRenewalInformation } from '../../../lambdas/fleet/refresh-renewal-information.ts';
import { configOf, factsWith, issuer, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const fleet = 'arn:aws:states:eu-west-1:111122223333:execution:Fleet:noon';
const now = '2026-02-01T00:00:00Z';
const other = { ...issuer, name: 'other-ca', directoryUrl: 'https://other.test/directory' };
const namesOf = (count: number, prefix = 'c') => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** Certificates of two CAs. The CA of names that begin with `o` is the other one. */
function issued(names: readonly string[]): World {
  const world = createWorld({ now });
  for (const name of names) {
    const { directoryUrl } = name.startsWith('o') ? other : issuer;
    const facts = { identifiers: [`${name}.example.com`], certificateId: `key.${name}`, directoryUrl };
    world.ledger.put(name, { current: factsWith(facts) });
  }
  return world;
}

const configWith = (names: readonly string[]) =>
  configOf(
    ...names.map((name) =>
      specWith({ name, identifiers: [`${name}.example.com`], issuer: name.startsWith('o') ? other : issuer }),
    ),
  );

const refresh = (
  { ports, clock, ledger }: World,
  {
    after = null as string | null,
    since = clock.now().toISOString(),
    failures = {},
    config = configWith(ledger.names()),
  } = {},
) => refreshRenewalInformation({ execution: fleet, after, since, failures }, { ...ports, config });

const asked = ({ calls }: World) => calls.names('renewalInfos').length;
const saved = ({ calls }: World) => calls.names('fleetLedger.saveRenewalInfo').length;

/** Lets each request take this time. */
function slow(world: World, milliseconds: number): void {
  const { renewalInfos, clock } = world;
  const fetch = renewalInfos.fetch.bind(renewalInfos);
  renewalInfos.fetch = async (...args) => {
    clock.advance(milliseconds);
    return fetch(...args);
  };
}

describe('an answer', () => {
  test('is asked for about each certificate and saved', async () => {
    const world = issued(namesOf(12));
    for (const name of namesOf(12))
      world.renewalInfos.suggest(`key.${name}`, '2026-02-28T00:00:00Z', '2026-03-01T00:00:00Z');
    expect(await refresh(world)).toEqual({ after: null, failures: {}, asked: 12, saved: 12 });
    expect(world.ledger.get('c11')).toMatchObject({
      renewalInfo: { start: '2026-02-28T00:00:00.000Z', nextFetch: '2026-02-01T06:00:00.000Z' },
      renewalTime: expect.stringMatching(/^2026-02-28T/),
    });
  });

  test('is asked for again if it becomes stale before the middle of the next interval', async () => {
    const world = issued(['www']);
    world.renewalInfos.suggest('key.www', '2026-02-28T00:00:00Z', '2026-03-01T00:00:00Z');
    await refresh(world);
    world.clock.set('2026-02-01T02:59:59Z');
    await refresh(world);
    expect(asked(world)).toBe(1);
    world.clock.set('2026-02-01T03:00:00Z');
    await refresh(world);
    expect(asked(world)).toBe(2);
  });

  test('that is known is not written again, although the CA is asked in each run', async () => {
    const world = issued(['www']);
    world.renewalInfos.suggest('key.www', '2026-02-28T00:00:00Z', '2026-03-01T00:00:00Z');
    for (const time of ['00', '06', '12', '18']) {
      world.clock.set(`2026-02-01T${time}:00:00Z`);
      await refresh(world);
    }
    expect([asked(world), saved(world)]).toEqual([4, 1]);
    world.renewalInfos.suggest('key.www', '2026-01-30T00:00:00Z', '2026-01-31T00:00:00Z', 'https://ca.test/why');
    expect(await refresh(world)).toMatchObject({ asked: 1, saved: 1 });
    expect(world.ledger.get('www').renewalInfo?.explanationUrl).toBe('https://ca.test/why');
  });

  test('that is valid for a day is written once a day, so that the CA is asked once a day', async () => {
    const world = issued(['www']);
    const window = { start: new Date('2026-02-28T00:00:00Z'), end: new Date('2026-03-01T00:00:00Z') };
    world.renewalInfos.setAnswer('key.www', { ...window, explanationUrl: null, retryAfter: 86_400 });
    for (const time of ['01T00', '01T06', '01T12', '01T18', '02T00', '02T06']) {
      world.clock.set(`2026-02-${time}:00:00Z`);
      await refresh(world);
    }
    expect([asked(world), saved(world)]).toEqual([2, 2]);
  });

  test('is not asked for about a certificate whose issuer or itself is no longer configured', async () => {
    const world = issued(['www', 'old']);
    world.ledger.put('www', {
      current: factsWith({ directoryUrl: 'https://gone.test/directory', certificateId: 'k' }),
    });
    expect(await refresh(world, { config: configWith(['www']) })).toMatchObject({ after: null, asked: 0 });
  });
});

describe('a CA that fails', () => {
  const failed = { failed: 'HTTP 503', temporary: true, retryAfter: null };

  test('five times in a row is not asked again in this run, and the others are', async () => {
    const world = issued([...namesOf(50), ...namesOf(3, 'o')]);
    for (const name of namesOf(50)) world.renewalInfos.setAnswer(`key.${name}`, failed);
    const output = await refresh(world);
    expect(output).toMatchObject({ after: null, failures: { 0: expect.any(Number) } });
    // Pages of ten are asked in parallel, so the rest of a page is asked too.
    expect(output.asked).toBe(10 + 3);
    expect((await refresh(world, output)).asked).toBe(0);
    expect(world.log.messages('warn').at(-1)).toMatch(/^test-ca failed 5 times in a row/);
  });

  test('sometimes is asked about all certificates', async () => {
    const world = issued(namesOf(50));
    for (const name of namesOf(50).filter((_, index) => index % 5 > 0))
      world.renewalInfos.setAnswer(`key.${name}`, failed);
    expect(await refresh(world)).toMatchObject({ asked: 50 });
  });
});

describe('a call', () => {
  test('works for less than four minutes and returns where the next one continues', async () => {
    const world = issued(namesOf(500));
    slow(world, 1000);
    const since = world.clock.now().toISOString();
    const first = await refresh(world, { since });
    expect(first.after).toMatch(/^certificate#c\d+$/);
    expect(world.clock.now().getTime() - Date.parse(since)).toBeLessThanOrEqual(240_000);
    const second = await refresh(world, { ...first, since });
    expect(first.asked + second.asked).toBe(asked(world));
    const third = await refresh(world, { ...second, since });
    expect(third.after).toBeNull();
    expect(
      new Set(world.calls.made.filter(({ name }) => name === 'renewalInfos.fetch').map(({ args }) => args[1])).size,
    ).toBe(500);
  });

  test('ends the refreshing after ten minutes, and the next run continues there', async () => {
    const world = issued(namesOf(100));
    slow(world, 20_000);
    const since = world.clock.now().toISOString();
    let output = await refresh(world, { since });
    while (output.after !== null) output = await refresh(world, { ...output, since });
    expect(asked(world)).toBe(30);
    expect(await world.fleetLedger.cursor()).toBe('certificate#c29');
    expect(world.log.messages('warn')).toEqual([
      'Not all certificates could be asked for in time. The next fleet run continues.',
    ]);
    slow(world, -20_000);
    await refresh(world, { after: await world.fleetLedger.cursor() });
    expect(asked(world)).toBe(100);
    expect(await world.fleetLedger.cursor()).toBeNull();
  });
});
