import { describe, expect, test } from 'vitest';
import type { CertificateSpec } from '../../../lambdas/domain/contract/config.ts';
import type { LedgerCertificate } from '../../../lambdas/domain/ports/ledger-certificate.ts';
import { selectDueCertificates } from '../../../lambdas/fleet/select-due-certificates.ts';
import { configOf, deliveryWith, factsWith, issuer, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

// The certificates of these tests are valid from 1 January to 1 April 2026, so 18 days are 20 % of their lifetime.

const fleet = 'arn:aws:states:eu-west-1:111122223333:execution:Fleet:noon';
const renewal = 'arn:aws:states:eu-west-1:111122223333:execution:Renewal:www-1';
const lease = { lease: renewal, leasedAt: '2026-03-13T00:00:00Z' };
const second = 1000;
const hour = 3600 * second;

/** Returns the certificates for which the last selection of a run returns an event. */
async function late(world: World, ...specs: readonly CertificateSpec[]) {
  world.executions.setStatus(renewal, 'live');
  const input = { execution: fleet, continues: fleet, started: [] };
  return (await selectDueCertificates(input, { ...world.ports, config: configOf(...specs) })).late;
}

/** Returns a world in which another execution works on `www`, so that no selection starts it. */
function worldAt(now: string, record: Partial<LedgerCertificate> = {}) {
  const world = createWorld({ now });
  world.ledger.put('www', { current: factsWith(), ...lease, ...record });
  return world;
}
const www = specWith({ name: 'www' });

describe('Certificate Expiring', () => {
  test('is due from the time at which less than 20 % of the lifetime is left', async () => {
    expect(await late(worldAt('2026-03-14T00:00:00Z'), www)).toEqual([]);
    expect(await late(worldAt('2026-03-14T00:00:01Z'), www)).toEqual([
      {
        ...{ kind: 'expiring', certificate: 'www', error: null, lifetimeLeft: 19.99 },
        ...{ resource: factsWith().secretArn, notAfter: '2026-04-01T00:00:00Z' },
      },
    ]);
  });

  test('is due once a day, and says which error the last attempt had', async () => {
    const failure = {
      count: 2,
      issuerFailures: 0,
      last: '2026-03-14T00:00:00Z',
      error: 'CaaError',
      cause: 'CAA forbids it.',
    };
    const world = worldAt('2026-03-15T00:00:00Z', { failure });
    expect(await late(world, www)).toMatchObject([{ certificate: 'www', error: 'CaaError' }]);
    world.clock.advance(24 * hour - second);
    expect(await late(world, www)).toEqual([]);
    world.clock.advance(second);
    expect(await late(world, www)).toMatchObject([{ certificate: 'www' }]);
  });

  test('is due for an import that expires although the secret has a new certificate, but not for a region that is not configured', async () => {
    const current = factsWith({ notBefore: '2026-03-01T00:00:00Z', notAfter: '2026-05-30T00:00:00Z' });
    const deliveries = { 'us-east-1': deliveryWith() };
    const world = worldAt('2026-03-20T00:00:00Z', { current, deliveries });
    expect(await late(world, www)).toEqual([]);
    expect(await late(world, specWith({ name: 'www', regions: ['us-east-1'] }))).toMatchObject([
      { resource: deliveryWith().arn, notAfter: '2026-04-01T00:00:00Z' },
    ]);
  });

  test('is due for a certificate that was not issued within a day', async () => {
    const world = worldAt('2026-03-14T23:59:59Z', { current: null, firstLeasedAt: '2026-03-14T00:00:00Z' });
    expect(await late(world, www)).toEqual([]);
    world.clock.advance(second);
    expect(await late(world, www)).toMatchObject([{ resource: null, notAfter: null, lifetimeLeft: 0 }]);
  });

  test('is due during a pause, says that nothing is left after the expiry, and is not due for a certificate that is not configured', async () => {
    const world = worldAt('2026-04-03T00:00:00Z', { pausedUntil: '2027-01-01T00:00:00Z' });
    world.ledger.put('removed', { current: factsWith() });
    expect(await late(world, www)).toMatchObject([{ certificate: 'www', lifetimeLeft: 0 }]);
  });

  test('is due for fifty certificates of one run, those first that have the least left, and then for the others', async () => {
    const names = Array.from({ length: 120 }, (_, index) => `c${index}`);
    const world = createWorld({ now: '2026-03-25T00:00:00Z' });
    for (const [index, name] of names.entries()) {
      const notAfter = new Date(Date.parse('2026-04-01T00:00:00Z') - index * 20 * 60_000).toISOString();
      world.ledger.put(name, { current: factsWith({ notAfter }), ...lease });
    }
    const specs = names.map((name) => specWith({ name }));
    const reported = [];
    for (const _ of ['first', 'second', 'third', 'fourth'])
      reported.push((await late(world, ...specs)).map(({ certificate }) => certificate));
    expect(reported).toEqual([
      names.slice(70).toReversed(),
      names.slice(20, 70).toReversed(),
      names.slice(0, 20).toReversed(),
      [],
    ]);
  });
});

describe('Certificate Renewal Postponed', () => {
  const limitedIssuer = { ...issuer, newOrders: { burst: 1, everySeconds: 86_400 * 30 } };
  const limited = (name: string) =>
    specWith({ name, identifiers: [`${name}.example.com`], issuer: limitedIssuer, issuers: [limitedIssuer] });

  /** Returns a world in which `www` is due, and the bucket of its CA is empty. */
  function empty(now = '2026-03-05T00:00:00Z') {
    const world = createWorld({ now });
    world.ledger.put('www', {
      current: factsWith({ identifiers: ['www.example.com'] }),
      announcedVersion: 'version-1',
    });
    world.ledger.putOrderBucket(issuer.directoryUrl, { tokens: 0, at: now, debits: {} });
    return world;
  }

  test('is due after runs have postponed the renewal for a day, and then once a day', async () => {
    const world = empty();
    const found = [];
    for (const _ of [0, 6, 12, 18, 24, 30, 36, 42, 48]) {
      found.push(
        ...(await late(world, limited('www'))).map((each) => ({ ...each, at: world.clock.now().toISOString() })),
      );
      world.clock.advance(6 * hour);
    }
    const event = {
      ...{ kind: 'postponed', certificate: 'www', since: '2026-03-05T00:00:00.000Z' },
      ...{ directoryUrl: issuer.directoryUrl, notAfter: '2026-04-01T00:00:00Z' },
    };
    expect(found).toEqual([
      { ...event, at: '2026-03-06T00:00:00.000Z' },
      { ...event, at: '2026-03-07T00:00:00.000Z' },
    ]);
  });

  test('counts from the first run again after a run that did not postpone the renewal', async () => {
    const world = empty();
    expect(await late(world, limited('www'))).toEqual([]);
    world.clock.advance(23 * hour);
    world.ledger.put('www', { pausedUntil: '2026-03-06T00:00:00Z' });
    expect(await late(world, limited('www'))).toEqual([]);
    expect(world.ledger.get('www')).not.toHaveProperty('postponedSince');
    world.clock.advance(2 * hour);
    expect(await late(world, limited('www'))).toEqual([]);
    expect(world.ledger.get('www').postponedSince).toBe('2026-03-06T01:00:00.000Z');
  });

  test('is due for a certificate that was never issued and has no item in the ledger', async () => {
    const world = empty();
    expect(await late(world, limited('www'), limited('new'))).toEqual([]);
    world.clock.advance(24 * hour);
    expect(await late(world, limited('www'), limited('new'))).toMatchObject([
      { certificate: 'www' },
      { certificate: 'new', notAfter: null },
    ]);
  });

  test('writes nothing to the ledger in a run that postpones nothing new', async () => {
    const world = empty();
    await late(world, limited('www'));
    const before = world.ledger.get('www');
    world.clock.advance(6 * hour);
    await late(world, limited('www'));
    expect(world.ledger.get('www')).toBe(before);
  });
});
