import { describe, expect, test } from 'vitest';
import type { CertificateFacts } from '../../../lambdas/domain/contract/certificate-facts.ts';
import type { CertificateSpec } from '../../../lambdas/domain/contract/config.ts';
import { ThrottledError } from '../../../lambdas/domain/contract/errors.ts';
import { selectDueCertificates } from '../../../lambdas/fleet/select-due-certificates.ts';
import { throttledError } from '../../fakes/aws-errors.ts';
import { configOf, factsWith, issuer, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const fleet = 'arn:aws:states:eu-west-1:111122223333:execution:Fleet:noon';
const renewal = 'arn:aws:states:eu-west-1:111122223333:execution:Renewal:other';
const now = '2026-03-15T00:00:00Z';
const announced = { announcedVersion: 'version-1' };
const failure = {
  count: 2,
  issuerFailures: 0,
  last: '2026-03-14T00:00:00Z',
  error: 'CaaError',
  cause: 'CAA forbids it.',
};
const leftover = { hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left' };

const specNamed = (name: string, fields: Parameters<typeof specWith>[0] = {}): CertificateSpec =>
  specWith({ name, identifiers: [`${name}.example.com`], ...fields });
const namesOf = (count: number, prefix = 'c') => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** Puts an announced certificate into the ledger. It is due from 2 March 2026 unless other dates are given. */
function put(world: World, name: string, facts: Partial<CertificateFacts> = {}, record = {}): void {
  const current = factsWith({ identifiers: [`${name}.example.com`], ...facts });
  world.ledger.put(name, { ...announced, current, ...record });
}

/** Valid from March to May, so not due. */
const fresh = { notBefore: '2026-03-01T00:00:00Z', notAfter: '2026-05-30T00:00:00Z' };

const select = (
  { ports }: World,
  specs: readonly CertificateSpec[],
  { started = [] as readonly string[], continues = fleet } = {},
) => selectDueCertificates({ execution: fleet, continues, started }, { ...ports, config: configOf(...specs) });

async function selected(world: World, specs: readonly CertificateSpec[], options?: Parameters<typeof select>[2]) {
  return (await select(world, specs, options)).due.map(({ certificate }) => certificate);
}

describe('the selection', () => {
  test('returns name, action and execution name of what is due, and not what is not due', async () => {
    const world = createWorld({ now });
    put(world, 'due');
    put(world, 'fresh', fresh);
    expect(
      await select(
        world,
        ['due', 'fresh'].map((name) => specNamed(name)),
      ),
    ).toEqual({
      due: [
        {
          certificate: 'due',
          action: 'issue',
          executionName: expect.stringMatching(/^due-version--[0-9a-f]{8}-[0-9a-f]{8}$/),
          slot: 0,
        },
      ],
      checked: 2,
      postponed: 0,
      late: [],
    });
  });

  test('returns the hundred most urgent certificates of the whole fleet and counts the others as postponed', async () => {
    const world = createWorld({ now });
    const names = namesOf(5000);
    for (const [index, name] of names.entries()) {
      const notAfter = new Date(Date.parse('2026-04-10T00:00:00Z') - index * 60_000).toISOString();
      put(world, name, { notAfter });
    }
    const { due, postponed } = await select(
      world,
      names.map((name) => specNamed(name)),
    );
    expect(due.map(({ certificate }) => certificate)).toEqual(names.slice(-100).toReversed());
    expect(postponed).toBe(4900);
  });

  test('begins with emergencies, then those without a failure, then those that fail, and ends with what is not paced', async () => {
    const world = createWorld({ now });
    put(world, 'tagged', fresh, { announcedVersion: 'version-0' });
    put(world, 'later', { notAfter: '2026-04-02T00:00:00Z' });
    put(world, 'failing', { notAfter: '2026-03-25T00:00:00Z' }, { failure });
    put(world, 'hopeless', { notAfter: '2026-03-15T06:00:00Z' }, { failure });
    put(world, 'expiring', { notAfter: '2026-03-15T12:00:00Z' });
    const specs = ['new', 'tagged', 'later', 'failing', 'hopeless', 'expiring'].map((name) => specNamed(name));
    expect(await selected(world, specs)).toEqual(['expiring', 'hopeless', 'later', 'new', 'failing', 'tagged']);
  });

  test('gives paced starts one slot each, and the others the slot after the last of them', async () => {
    const world = createWorld({ now });
    for (const name of namesOf(2)) put(world, name);
    for (const name of namesOf(3, 't')) put(world, name, fresh, { announcedVersion: 'version-0' });
    for (const name of namesOf(2, 's')) put(world, name, fresh, { access: 'of other readers' });
    const { due } = await select(
      world,
      [...namesOf(2), ...namesOf(3, 't'), ...namesOf(2, 's')].map((name) => specNamed(name)),
    );
    expect(due.map(({ action, slot }) => `${action} ${slot}`)).toEqual([
      ...['issue 0', 'issue 1'],
      ...['share 2', 'share 2'],
      ...['announce 2', 'announce 2', 'announce 2'],
    ]);
  });

  test('gives each paced start a slot of its own after emergencies that are not paced', async () => {
    const world = createWorld({ now });
    const names = [...namesOf(3, 'moved'), ...namesOf(3)];
    const outside = { at: now, versionId: 'version-1', storedVersion: 'a'.repeat(64), changes: [] };
    for (const name of namesOf(3, 'moved')) put(world, name, { notAfter: '2026-03-15T12:00:00Z' }, { outside });
    for (const name of namesOf(3)) put(world, name);
    const { due } = await select(
      world,
      names.map((name) => specNamed(name)),
    );
    expect(due.map(({ action, slot }) => `${action} ${slot}`)).toEqual([
      ...['repair 0', 'repair 0', 'repair 0'],
      ...['issue 0', 'issue 1', 'issue 2'],
    ]);
  });

  test('finds certificates that have no item in the ledger', async () => {
    expect(
      await selected(
        createWorld({ now }),
        namesOf(3).map((name) => specNamed(name)),
      ),
    ).toEqual(namesOf(3));
  });

  test('leaves out what this execution has started', async () => {
    const specs = namesOf(3).map((name) => specNamed(name));
    expect(await selected(createWorld({ now }), specs, { started: ['c0', 'c2'] })).toEqual(['c1']);
  });

  test('returns the same execution names to an execution that continues the run', async () => {
    const specs = namesOf(3).map((name) => specNamed(name));
    const first = await select(createWorld({ now }), specs);
    expect(await select(createWorld({ now }), specs)).toEqual(first);
    const other = await select(createWorld({ now }), specs, { continues: `${fleet}-other` });
    expect(other.due[0]?.executionName).not.toBe(first.due[0]?.executionName);
  });

  test.each([1, 1000, 10_000, 100_000])(
    'has less than 64 KB with %i due certificates of the longest names',
    async (count) => {
      const [one] = configOf(specNamed('www')).certificates;
      if (!one) throw new Error('The configuration has no certificate.');
      const named = Array.from({ length: count }, (_, index) => ({ ...one, name: String(index).padEnd(40, 'n') }));
      const config = { ...configOf(specNamed('www')), certificates: named };
      const { ports } = createWorld({ now });
      const output = await selectDueCertificates(
        { execution: fleet, continues: fleet, started: [] },
        { ...ports, config },
      );
      expect([output.due.length, output.postponed]).toEqual([Math.min(count, 100), Math.max(0, count - 100)]);
      expect(Buffer.byteLength(JSON.stringify(output))).toBeLessThan(64_000);
    },
  );

  test('fails without metrics if the ledger cannot be read', async () => {
    const world = createWorld({ now });
    world.calls.answer('fleetLedger.page', throttledError());
    await expect(select(world, [specNamed('www')])).rejects.toThrow(ThrottledError);
    expect(world.metrics.published).toEqual([]);
  });
});

describe('a certificate with a lease', () => {
  const specs = ['www', 'next'].map((name) => specNamed(name));

  test.each([
    ['live', '2026-03-14T00:00:00Z', ['next']],
    ['ended', '2026-03-14T23:59:00Z', ['www', 'next']],
    ['unknown', '2026-03-14T23:59:00Z', ['next']],
    ['unknown', '2026-03-14T23:40:00Z', ['www', 'next']],
  ] as const)('of an execution that is %s since %s is selected or skipped', async (status, leasedAt, expected) => {
    const world = createWorld({ now });
    world.executions.setStatus(renewal, status);
    put(world, 'www', { notAfter: '2026-03-15T12:00:00Z' }, { lease: renewal, leasedAt });
    put(world, 'next');
    expect(await selected(world, specs)).toEqual(expected);
  });

  test.each([
    ['ended', ['www']],
    ['live', []],
  ] as const)(
    'of an execution that is %s, although it is not due, is selected so that the lease is released',
    async (status, expected) => {
      const world = createWorld({ now });
      world.executions.setStatus(renewal, status);
      put(world, 'www', fresh, { lease: renewal, leasedAt: '2026-03-14T00:00:00Z' });
      put(world, 'next', fresh);
      expect(await selected(world, specs)).toEqual(expected);
    },
  );

  test('does not count as postponed, and leaves its place to the next', async () => {
    const world = createWorld({ now });
    world.executions.setStatus(renewal, 'live');
    const names = namesOf(150);
    // Not a multiple of ten, because ten statuses are read at the same time.
    for (const name of names.slice(0, 45)) put(world, name, {}, { lease: renewal, leasedAt: now });
    const { due, postponed } = await select(
      world,
      names.map((name) => specNamed(name)),
    );
    expect([due.length, postponed]).toEqual([100, 5]);
  });
});

test('the ledger has the time of each selection, so that a run of many hours is not reported as late', async () => {
  const world = createWorld({ now });
  put(world, 'due');
  expect((await select(world, [specNamed('due')])).due).toHaveLength(1);
  expect(await world.fleetLedger.lastSelection()).toEqual(new Date(now));
});

describe('leftover TXT values', () => {
  test('of a certificate that is no longer configured are cleaned up', async () => {
    const world = createWorld({ now });
    put(world, 'removed', {}, { leftovers: [leftover] });
    put(world, 'gone');
    put(world, 'fresh', fresh);
    expect((await select(world, [specNamed('fresh')])).due).toMatchObject([
      { certificate: 'removed', action: 'clean' },
    ]);
  });

  test('are cleaned up although the next attempt of the renewal is later', async () => {
    const world = createWorld({ now });
    put(world, 'www', {}, { failure, notBefore: '2026-03-16T00:00:00Z', leftovers: [leftover] });
    put(world, 'api', {}, { failure, notBefore: '2026-03-16T00:00:00Z' });
    const { due } = await select(
      world,
      ['www', 'api'].map((name) => specNamed(name)),
    );
    expect(due).toMatchObject([{ certificate: 'www', action: 'clean' }]);
  });

  test('in a zone that is no longer configured start a renewal, which reports them', async () => {
    const world = createWorld({ now });
    const left = { ...leftover, hostedZoneId: 'ZGONE' };
    put(world, 'www', fresh, { leftovers: [left] });
    put(world, 'removed', {}, { leftovers: [left] });
    expect(await selected(world, [specNamed('www')])).toEqual(['www', 'removed']);
  });
});

describe('the metrics', () => {
  test('show the fleet at each selection, what is due at the first one, and what is postponed at the last one', async () => {
    const world = createWorld({ now });
    put(world, 'due');
    put(world, 'fresh', fresh);
    put(world, 'failing', { notAfter: '2026-03-25T00:00:00Z' }, { failure });
    const specs = ['due', 'fresh', 'failing', 'new'].map((name) => specNamed(name));
    await select(world, specs);
    await select(world, specs, { started: ['due'] });
    await select(world, specs, { started: ['due', 'failing', 'new'] });
    const fleet = { Certificates: 4, Failing: 1, FailingForADay: 1, NeverIssued: 0, NotServed: 0, LeastDaysLeft: 10 };
    expect(world.metrics.published).toEqual([
      { ...fleet, ...rest, Due: 3 },
      { ...fleet, ...rest },
      { ...fleet, ...rest, Postponed: 0 },
    ]);
  });
  const rest = { Selections: 1, LeftoverTxtValues: 0, OldestLease: 0, LeastLifetimeLeft: expect.closeTo(12.05, 2) };

  test('show at the first selection what the limits of a directory postpone, if nothing is left to start', async () => {
    const world = createWorld({ now });
    const limited = { ...issuer, newOrders: { burst: 0, everySeconds: 36 } };
    expect(await selected(world, [specNamed('www', { issuer: limited })])).toEqual([]);
    expect(world.metrics.published).toMatchObject([{ Due: 1, Postponed: 1, Selections: 1 }]);
  });

  test('count certificates whose endpoints present another certificate, and a run checks these endpoints once', async () => {
    const world = createWorld({ now });
    const endpoints = [{ endpoint: 'www.example.com:443', status: 'other' as const, serialNumber: '0A00', detail: '' }];
    const served = { versionId: 'version-1', at: '2026-03-14T20:00:00Z', served: false, endpoints };
    put(world, 'www', fresh, { served });
    const specs = [specNamed('www', { endpoints: ['www.example.com:443'] })];
    expect(await selected(world, specs)).toEqual(['www']);
    expect(await selected(world, specs, { started: ['www'] })).toEqual([]);
    expect(world.metrics.published).toMatchObject([
      { Due: 1, NotServed: 1 },
      { NotServed: 1, Selections: 1 },
    ]);
  });

  test('count TXT values in zones that are no longer configured, and of certificates that are not', async () => {
    const world = createWorld({ now });
    const gone = { ...leftover, hostedZoneId: 'ZGONE' };
    put(world, 'www', fresh, { leftovers: [gone] });
    put(world, 'removed', fresh, { leftovers: [gone, leftover] });
    await select(world, [specNamed('www')]);
    expect(world.metrics.published).toMatchObject([{ LeftoverTxtValues: 3 }]);
  });

  test('have no lifetime if no certificate is issued', async () => {
    const world = createWorld({ now });
    await select(world, [specNamed('www')]);
    expect(Object.keys(world.metrics.published[0] ?? {})).not.toContain('LeastLifetimeLeft');
  });
});

describe('the bucket of new orders', () => {
  const limited = { ...issuer, newOrders: { burst: 6, everySeconds: 36 } };
  const of = (names: readonly string[], by = limited) => names.map((name) => specNamed(name, { issuer: by }));
  /** The bucket had this many tokens at midnight. */
  const holding = (world: World, tokens: number) =>
    world.ledger.putOrderBucket(issuer.directoryUrl, { tokens, at: now, debits: {} });

  test('lets as many orders start as it has tokens, and counts the others as postponed', async () => {
    const world = createWorld({ now });
    expect(await select(world, of(namesOf(9)))).toMatchObject({ due: { length: 6 }, postponed: 3 });
    holding(world, 2);
    expect(await select(world, of(namesOf(9)))).toMatchObject({ due: { length: 2 }, postponed: 7 });
    world.clock.set('2026-03-15T00:01:12Z');
    expect(await select(world, of(namesOf(9)))).toMatchObject({ due: { length: 4 }, postponed: 5 });
  });

  test('counts a renewal by the dates of the certificate, and not one in the window of its CA', async () => {
    const world = createWorld({ now });
    holding(world, 1);
    const window = { start: '2026-03-14T00:00:00Z', end: '2026-03-15T00:00:01Z', explanationUrl: null };
    for (const name of namesOf(3, 'ari')) {
      const renewalInfo = { ...window, certificateId: name, nextFetch: now };
      put(world, name, { certificateId: name }, { renewalInfo });
    }
    for (const name of namesOf(3, 'dates')) put(world, name);
    const chosen = await selected(world, of([...namesOf(3, 'ari'), ...namesOf(3, 'dates')]));
    expect(chosen.filter((name) => name.startsWith('ari'))).toHaveLength(3);
    expect(chosen.filter((name) => name.startsWith('dates'))).toHaveLength(1);
  });

  test.each([
    ['expires soon', { notAfter: '2026-03-15T12:00:00Z' }, {}],
    ['was revoked', { ...fresh, versionId: 'version-1' }, { revokedVersion: 'version-1' }],
  ])('does not stop a certificate that %s, whose order still takes a token', async (_, current, record) => {
    const world = createWorld({ now });
    put(world, 'urgent', current, record);
    holding(world, 0);
    expect(await selected(world, of(['c0', 'urgent']))).toEqual(['urgent']);
    holding(world, 1);
    expect(await selected(world, of(['c0', 'urgent']))).toEqual(['urgent']);
    holding(world, 2);
    expect(await selected(world, of(['c0', 'urgent']))).toEqual(['urgent', 'c0']);
  });

  test('does not stop deliveries, and does not apply to another directory', async () => {
    const world = createWorld({ now });
    holding(world, 0);
    put(world, 'undelivered', fresh);
    const delivering = specNamed('undelivered', { issuer: limited, regions: ['us-east-1'] });
    const elsewhere = specNamed('elsewhere', { issuer: { ...limited, directoryUrl: 'https://other.test/directory' } });
    expect(await selected(world, [delivering, elsewhere, ...of(['c0'])])).toEqual(['undelivered', 'elsewhere']);
  });

  test('is that of the fallback after three failures of the issuer', async () => {
    const fallback = {
      ...issuer,
      directoryUrl: 'https://fallback.test/directory',
      newOrders: { burst: 1, everySeconds: 36 },
    };
    const world = createWorld({ now });
    for (const name of namesOf(3))
      put(world, name, {}, { failure: { ...failure, issuerFailures: 3, error: 'CaUnavailableError' } });
    const specs = namesOf(3).map((name) => specNamed(name, { issuers: [issuer, fallback] }));
    expect(await select(world, specs)).toMatchObject({ due: [{}], postponed: 2 });
  });
});

test('renewals that wait for the time of their CA come last, the next one first, because they stay due after their start', async () => {
  const world = createWorld({ now });
  const waiting = (hour: string) => ({
    renewalInfo: {
      ...{ certificateId: 'key.01', explanationUrl: null, nextFetch: '2026-03-16T00:00:00Z' },
      ...{ start: `2026-03-15T${hour}:00:00Z`, end: `2026-03-15T${hour}:00:01Z` },
    },
  });
  const ofCa = { ...fresh, certificateId: 'key.01' };
  for (const [name, hour] of [
    ['at-five', '05'],
    ['at-one', '01'],
    ['at-three', '03'],
  ] as const)
    put(world, name, ofCa, waiting(hour));
  put(world, 'tagged', { ...fresh, notAfter: '2026-06-30T00:00:00Z' }, { announcedVersion: 'version-0' });
  const specs = ['at-five', 'at-one', 'at-three', 'tagged'].map((name) => specNamed(name));
  expect(await selected(world, specs)).toEqual(['tagged', 'at-one', 'at-three', 'at-five']);
});

describe('endpoint checks', () => {
  const endpoint = 'www.example.com:443';
  const seen = [{ endpoint, status: 'served' as const, serialNumber: '0A01', detail: '' }];

  test('come last, the oldest first', async () => {
    const world = createWorld({ now });
    const at = { a: '2026-03-13T12:00:00Z', b: '2026-03-13T11:00:00Z', c: '2026-03-14T18:00:00Z' };
    for (const [name, time] of Object.entries(at))
      put(world, name, fresh, { served: { versionId: 'version-1', at: time, served: true, endpoints: seen } });
    put(world, 'tagged', fresh, { announcedVersion: 'version-0' });
    const specs = ['a', 'b', 'c', 'tagged', 'new'].map((name) =>
      specNamed(name, name.length === 1 ? { endpoints: [endpoint] } : {}),
    );
    expect(await selected(world, specs)).toEqual(['new', 'tagged', 'b', 'a']);
  });
});
