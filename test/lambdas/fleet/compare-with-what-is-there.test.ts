import { beforeAll, describe, expect, test } from 'vitest';
import type { CertificateSecretValue } from '../../../lambdas/domain/contract/certificate-secret.ts';
import { type CertificateSpec, type DeployedConfig, keyTypes } from '../../../lambdas/domain/contract/config.ts';
import { RegionUnavailableError, ThrottledError } from '../../../lambdas/domain/contract/errors.ts';
import type { LedgerCertificate } from '../../../lambdas/domain/ports/ledger-certificate.ts';
import { fleetDecision } from '../../../lambdas/domain/rules/renewal/fleet-decision.ts';
import { emptyRecord } from '../../../lambdas/domain/rules/renewal/ledger-record.ts';
import { compareWithWhatIsThere } from '../../../lambdas/fleet/compare-with-what-is-there.ts';
import { throttledError } from '../../fakes/aws-errors.ts';
import { secretValue } from '../../fakes/certificate-authority.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { configOf, execution, factsWith, specWith, storedVersion } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const now = '2026-03-10T12:00:00Z';
const yesterday = new Date('2026-03-09T12:00:00Z');
const region = 'us-east-1';
const foreign = 'c0c4a4e5-8f0e-4b1e-9a5e-0d0e6b0f6c11';
const earlier = storedVersion('earlier');
const spec = specWith({ regions: [region] });

let value: CertificateSecretValue;
let other: CertificateSecretValue;
beforeAll(async () => {
  value = await secretValue({ identifiers: ['example.com'], serialNumber: '0a01' });
  other = await secretValue({ identifiers: ['example.com'], serialNumber: '0a02', notAfter: '2026-04-30T10:59:59Z' });
});

/** Creates a world in which the certificate `www` is stored and imported, and whose comparison is due. */
async function stored(): Promise<World & { readonly arn: string }> {
  const world = createWorld({ now });
  world.acm.addRegion(region);
  const imported = await world.acm.import(region, 'www', value, null);
  const arn = typeof imported === 'object' ? imported.arn : '';
  const { notBefore, notAfter, serialNumber } = value;
  const versionId = storedVersion('current');
  const current = factsWith({ versionId, notBefore, notAfter, serialNumber });
  world.secrets.put('www', { current: { versionId, value } });
  world.ledger.put('www', {
    current,
    announcedVersion: versionId,
    deliveries: { [region]: { arn, versionId, keyType: 'P-256', notBefore, notAfter } },
  });
  await world.fleetLedger.saveComparedUntil(yesterday);
  return { ...world, arn };
}

const secretTags = (certificate: string) => ({ 'perennial:stack': 'Perennial', 'perennial:certificate': certificate });

const compare = ({ ports }: World, config: DeployedConfig = configOf(spec), since = now) =>
  compareWithWhatIsThere({ execution, since }, { ...ports, config, secretTags });

/** Returns what the next selection starts for the certificate. */
const started = (world: World): string | null =>
  fleetDecision(spec, world.ledger.get('www'), 21_600, world.clock.now())?.action ?? null;

const kindsOf = ({ changed }: Awaited<ReturnType<typeof compare>>) =>
  changed.map(({ certificate, changes }) => [certificate, ...changes.map(({ kind }) => kind)]);

test('finds nothing in a secret and an import that are as they were left, and writes nothing about the certificate', async () => {
  const world = await stored();
  const before = world.ledger.get('www');
  expect(await compare(world)).toEqual({ changed: [], due: 0, done: true });
  expect(world.ledger.get('www')).toEqual(before);
  expect(world.calls.names()).not.toContain('ledger.recordComparison');
  expect(world.calls.names()).not.toContain('acm.describe');
  expect(world.metrics.published).toEqual([{ ChangedOutside: 0, NotCompared: 0 }]);
});

describe('a certificate', () => {
  test.each<[string, (world: World & { readonly arn: string }) => Promise<void> | void, string[], string | null]>([
    ['whose secret was deleted is issued', ({ secrets }) => secrets.delete('www'), ['secretDeleted'], 'issue'],
    [
      'whose AWSCURRENT was moved back is adopted',
      ({ secrets }) => secrets.put('www', { current: { versionId: earlier, value: other } }),
      ['versionMoved'],
      'repair',
    ],
    [
      'whose value another writer stored is left alone',
      ({ secrets }) => secrets.put('www', { current: { versionId: foreign, value: other } }),
      ['valueReplaced'],
      null,
    ],
    [
      'whose secret is scheduled for deletion is left alone',
      ({ secrets }) => secrets.scheduleDeletion('www', '2026-03-17T12:00:00Z'),
      ['secretScheduledForDeletion'],
      null,
    ],
    [
      'whose secret has lost its tags is left alone',
      ({ secrets }) => secrets.put('www', { owned: false, current: { versionId: storedVersion('current'), value } }),
      ['secretTagsLost'],
      null,
    ],
    ['whose import was deleted is delivered', ({ acm, arn }) => acm.delete(region, arn), ['importDeleted'], 'deliver'],
    [
      'whose import was replaced is left alone',
      async ({ acm, arn }) => {
        await acm.import(region, 'www', other, arn);
      },
      ['importReplaced'],
      null,
    ],
    [
      'whose import was replaced and has lost its tags is left alone',
      async ({ acm, arn }) => {
        await acm.import(region, 'www', other, arn);
        acm.removeTags(region, arn);
      },
      ['importReplaced', 'importTagsLost'],
      null,
    ],
    [
      'whose secret and import were deleted is issued first',
      ({ secrets, acm, arn }) => {
        secrets.delete('www');
        acm.delete(region, arn);
      },
      ['secretDeleted', 'importDeleted'],
      'issue',
    ],
  ])('%s, and is reported', async (_, change, kinds, action) => {
    const world = await stored();
    expect(started(world)).toBeNull();
    await change(world);
    const output = await compare(world);
    expect(kindsOf(output)).toEqual([['www', ...kinds]]);
    expect(started(world)).toBe(action);
    expect(output.due).toBe(action === null ? 0 : 1);
    expect(world.metrics.published).toEqual([{ ChangedOutside: 1, NotCompared: 0 }]);
  });

  test('is reported once a day while it differs, and not after that', async () => {
    const world = await stored();
    world.secrets.scheduleDeletion('www', '2026-03-17T12:00:00Z');
    const reported: number[] = [];
    for (let hours = 0; hours < 48; hours += 6) {
      reported.push((await compare(world, configOf(spec), world.clock.now().toISOString())).changed.length);
      world.clock.advance(6 * 3_600_000);
    }
    expect(reported.slice(0, 4).reduce((sum, each) => sum + each)).toBe(1);
    expect(reported.slice(1, 5).reduce((sum, each) => sum + each)).toBe(1);
    world.secrets.put('www', { current: { versionId: storedVersion('current'), value } });
    world.clock.advance(24 * 3_600_000);
    expect(await compare(world, configOf(spec), world.clock.now().toISOString())).toMatchObject({ changed: [] });
    expect(world.ledger.get('www')).not.toHaveProperty('outside');
  });

  test('is not reported again by a call that is repeated before it saved its position', async () => {
    const world = await stored();
    world.secrets.delete('www');
    expect(kindsOf(await compare(world))).toEqual([['www', 'secretDeleted']]);
    await world.fleetLedger.saveComparedUntil(yesterday);
    expect(await compare(world)).toEqual({ changed: [], due: 1, done: true });
  });

  test('is due after a call that was stopped after any call of a service, and is not reported twice', async () => {
    const reported = new Map<World, number>();
    const report = async (world: World) => {
      const output = await compare(world);
      reported.set(world, (reported.get(world) ?? 0) + output.changed.length);
      return output;
    };
    const changed = async () => {
      const world = await stored();
      world.secrets.delete('www');
      world.acm.delete(region, world.arn);
      return world;
    };
    await interruptedAfterEachCall(changed, report, (world, _, last) => {
      expect(started(world), last).toBe('issue');
      expect(world.ledger.get('www').deliveries[region]?.found, last).toBeNull();
      expect(reported.get(world), last).toBeLessThanOrEqual(1);
    });
  });

  test('counts with the validity of what was imported instead, until it is as delivered again', async () => {
    const world = await stored();
    await world.acm.import(region, 'www', other, world.arn);
    await compare(world);
    expect(Date.parse(world.ledger.get('www').deliveries[region]?.found?.notAfter ?? '')).toBe(
      Date.parse(other.notAfter),
    );
    await world.acm.import(region, 'www', value, world.arn);
    world.clock.advance(24 * 3_600_000);
    await compare(world, configOf(spec), world.clock.now().toISOString());
    expect(world.ledger.get('www').deliveries[region]).not.toHaveProperty('found');
  });

  test.each<[string, Partial<LedgerCertificate>]>([
    ['on which an execution works', { lease: execution }],
    ['that was never issued', { current: null }],
  ])('%s is not compared', async (_, record) => {
    const world = await stored();
    world.ledger.put('www', record);
    world.secrets.delete('www');
    expect(await compare(world)).toEqual({ changed: [], due: 0, done: true });
    expect(world.calls.names()).not.toContain('secrets.describe');
  });

  test('that is renewed during its comparison is not reported', async () => {
    const world = await stored();
    const { secrets } = world.ports;
    const describe = async (name: string) => {
      world.ledger.put('www', { lease: 'renewal', current: factsWith({ versionId: storedVersion('renewed') }) });
      world.secrets.put('www', { current: { versionId: storedVersion('renewed'), value: other } });
      return secrets.describe(name);
    };
    const ports = { ...world.ports, secrets: { describe }, config: configOf(spec), secretTags };
    expect(await compareWithWhatIsThere({ execution, since: now }, ports)).toEqual({ changed: [], due: 0, done: true });
    expect(world.metrics.published).toEqual([{ ChangedOutside: 0, NotCompared: 0 }]);
  });

  test('that is not in a region any more is compared without that region', async () => {
    const world = await stored();
    world.acm.delete(region, world.arn);
    expect(await compare(world, configOf(specWith()))).toMatchObject({ changed: [] });
    expect(world.calls.names()).not.toContain('acm.list');
  });

  test('with any type of key is found in the list', async () => {
    for (const keyType of keyTypes) {
      const world = await stored();
      const { notBefore, notAfter } = value;
      world.ledger.put('www', {
        deliveries: { [region]: { arn: world.arn, versionId: storedVersion('current'), keyType, notBefore, notAfter } },
      });
      expect(await compare(world), keyType).toMatchObject({ changed: [] });
    }
  });
});

describe('a fleet', () => {
  const names = Array.from({ length: 250 }, (_, index) => `c${index}`);
  const fleetOf = (count: number): CertificateSpec[] => names.slice(0, count).map((name) => specWith({ name }));

  /** Creates a world with stored certificates whose secrets were all deleted. */
  async function emptied(count: number): Promise<World> {
    const world = createWorld({ now });
    for (const name of names.slice(0, count)) world.ledger.put(name, { current: factsWith() });
    await world.fleetLedger.saveComparedUntil(yesterday);
    return world;
  }

  test('is compared once in a day, a part of it in each run', async () => {
    const world = await emptied(250);
    await world.fleetLedger.saveComparedUntil(new Date(now));
    const reported: string[][] = [];
    for (let run = 0; run < 4; run++) {
      world.clock.advance(6 * 3_600_000);
      for (let done = false; !done; ) {
        const output = await compare(world, configOf(...fleetOf(250)), world.clock.now().toISOString());
        reported.push(output.changed.map(({ certificate }) => certificate));
        ({ done } = output);
      }
    }
    expect(reported.flat().toSorted()).toEqual(names.toSorted());
    const calls = world.calls.names().filter((call) => call === 'secrets.describe').length;
    // A group whose changes did not fit into one output is compared again in part.
    expect(calls).toBeLessThan(2 * names.length);
  });

  test('of 100,000 certificates, with a run every six hours, costs at most USD 0.15 a run', async () => {
    const world = createWorld({ now });
    const { certificates, ...config } = configOf(specWith());
    const all = Array.from({ length: 100_000 }, (_, index) => ({ ...certificates[0], name: `c${index}` }));
    const calls = { describe: 0, read: 0 };
    const unchanged = { arn: 'arn', owned: true, deletedAt: null, replica: null, labels: {} };
    const ports = {
      ...world.ports,
      config: { ...config, certificates: all } as DeployedConfig,
      secretTags: () => ({}),
      secrets: {
        describe: async () => {
          calls.describe += 1;
          return { ...unchanged, currentVersion: 'version-1', tags: {} };
        },
      },
      ledger: {
        ...world.ports.ledger,
        certificates: async (some: readonly string[]) => {
          calls.read += some.length;
          return new Map(some.map((name) => [name, { ...emptyRecord, current: factsWith() }] as const));
        },
        recordComparison: () => Promise.reject(new Error('An unchanged certificate is not written.')),
      },
    };
    expect(await compareWithWhatIsThere({ execution, since: now }, ports)).toEqual({ changed: [], due: 0, done: true });
    // List prices: 10,000 calls of Secrets Manager for USD 0.05, a million reads of 4 KB for USD 0.125. Lambda adds less than a cent.
    expect((calls.describe * 0.05) / 10_000 + (calls.read * 0.125) / 1_000_000).toBeLessThan(0.14);
    expect(calls.describe).toBeGreaterThan(20_000);
  });

  test('begins with the time since the previous run if none was compared before', async () => {
    const world = createWorld({ now });
    for (const name of names) world.ledger.put(name, { current: factsWith() });
    await compare(world, configOf(...fleetOf(250)));
    const count = world.calls.names().filter((call) => call === 'secrets.describe').length;
    expect(count).toBeGreaterThan(30);
    expect(count).toBeLessThan(100);
  });

  test('that changed as a whole is reported in outputs below 64 KB, each change once', async () => {
    const world = await emptied(250);
    const outputs: Awaited<ReturnType<typeof compare>>[] = [];
    while (outputs.at(-1)?.done !== true) outputs.push(await compare(world, configOf(...fleetOf(250))));
    expect(outputs.length).toBeGreaterThan(1);
    for (const output of outputs) expect(Buffer.byteLength(JSON.stringify(output))).toBeLessThan(64_000);
    expect(outputs.flatMap(kindsOf).toSorted()).toEqual(names.map((name) => [name, 'secretDeleted']).toSorted());
  });

  test('is compared by further calls if the time of a call is over, and by the next run if that of the run is', async () => {
    const world = await emptied(250);
    const describe = async () => {
      world.clock.advance(4000);
      return null;
    };
    const slow = { describe };
    const ports = { ...world.ports, secrets: slow, config: configOf(...fleetOf(250)), secretTags };
    const first = await compareWithWhatIsThere({ execution, since: now }, ports);
    expect(first.done).toBe(false);
    const again = await compareWithWhatIsThere({ execution, since: '2026-03-10T11:50:00Z' }, ports);
    expect(again).toEqual({ changed: [], due: 0, done: true });
    expect(world.log.messages('warn')).toEqual([
      expect.stringMatching(/^\d+ certificates were not compared in time\. The next fleet run continues\.$/),
    ]);
    const position = await world.fleetLedger.comparedUntil();
    expect(Number(position)).toBeGreaterThan(Number(yesterday));
    expect(Number(position)).toBeLessThan(Date.parse(now));
  });

  test('is compared without the certificates and the regions that cannot be read, which are counted and logged', async () => {
    const world = await stored();
    world.ledger.put('broken', { current: factsWith() });
    world.secrets.delete('www');
    const list = async () => {
      throw new RegionUnavailableError({ what: 'ACM cannot be used.', region });
    };
    const describe = async (name: string) => {
      if (name === 'broken') throw new Error('no connection');
      return world.secrets.describe(name);
    };
    const output = await compareWithWhatIsThere(
      { execution, since: now },
      {
        ...world.ports,
        secrets: { describe },
        acm: { list, describe: async () => null },
        config: configOf(spec, specWith({ name: 'broken' })),
        secretTags,
      },
    );
    expect(kindsOf(output)).toEqual([['www', 'secretDeleted']]);
    expect(world.metrics.published).toEqual([{ ChangedOutside: 1, NotCompared: 2 }]);
    expect(world.log.messages('error').toSorted()).toEqual([
      'Certificate broken could not be compared with its secret and its imports.',
      'The imports in ACM in us-east-1 could not be compared.',
    ]);
  });

  test('is compared again after throttling, without a failed comparison', async () => {
    const world = await stored();
    const describe = async () => {
      throw throttledError();
    };
    const call = compareWithWhatIsThere(
      { execution, since: now },
      { ...world.ports, secrets: { describe }, config: configOf(spec), secretTags },
    );
    await expect(call).rejects.toThrow(ThrottledError);
    expect(await world.fleetLedger.comparedUntil()).toEqual(yesterday);
    expect(world.metrics.published).toEqual([]);
  });

  test('returns the changes that it found before it was throttled, and continues in the next call', async () => {
    const world = await emptied(250);
    let left = 120;
    const describe = async () => {
      left -= 1;
      if (left === 0) throw throttledError();
      return null;
    };
    const ports = { ...world.ports, secrets: { describe }, config: configOf(...fleetOf(250)), secretTags };
    const outputs: Awaited<ReturnType<typeof compare>>[] = [];
    while (outputs.at(-1)?.done !== true) outputs.push(await compareWithWhatIsThere({ execution, since: now }, ports));
    expect(world.log.messages('warn')).toEqual(['The comparison continues in another call after an error.']);
    expect(outputs.flatMap(kindsOf).toSorted()).toEqual(names.map((name) => [name, 'secretDeleted']).toSorted());
  });
});
