import { describe, expect, test } from 'vitest';
import { checkFleet } from '../../../lambdas/check/check-fleet.ts';
import { ThrottledError } from '../../../lambdas/domain/contract/errors.ts';
import { throttledError } from '../../fakes/aws-errors.ts';
import { configOf, factsWith, issuer, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const fleet = 'arn:aws:states:eu-west-1:111122223333:execution:Fleet:noon';
const specs = ['due', 'fresh', 'failing', 'new'].map((name) =>
  specWith({ name, identifiers: [`${name}.example.com`] }),
);

const announced = { announcedVersion: 'version-1' };

function world(): World {
  const made = createWorld({ now: '2026-03-15T00:00:00Z' });
  made.ledger.put('due', { ...announced, current: factsWith({ identifiers: ['due.example.com'] }) });
  const fresh = { notBefore: '2026-03-01T00:00:00Z', notAfter: '2026-05-30T00:00:00Z' };
  made.ledger.put('fresh', { ...announced, current: factsWith({ identifiers: ['fresh.example.com'], ...fresh }) });
  made.ledger.put('failing', {
    current: factsWith({ identifiers: ['failing.example.com'], notAfter: '2026-03-25T00:00:00Z' }),
    failure: { count: 2, issuerFailures: 0, last: '2026-03-14T00:00:00Z', error: 'CaaError', cause: 'CAA forbids it.' },
  });
  return made;
}

const check = ({ ports }: World, { batch = 0, batches = 1, config = configOf(...specs) } = {}) =>
  checkFleet({ batch, batches, execution: fleet }, { ...ports, config });

test('returns the due certificates, first those that expire first and last those that were never issued', async () => {
  const { due, checked, postponed } = await check(world());
  expect(due.map(({ certificate }) => certificate)).toEqual(['failing', 'due', 'new']);
  expect({ checked, postponed }).toEqual({ checked: 4, postponed: 0 });
});

test('publishes the counts of the fleet and the days until the first certificate expires', async () => {
  const { metrics, ...rest } = world();
  await check({ metrics, ...rest });
  expect(metrics.fleets).toEqual([{ Certificates: 4, Due: 3, Postponed: 0, Failing: 1, NotServed: 0 }]);
  expect(metrics.days).toEqual([10]);
});

test('counts certificates whose endpoints present another certificate', async () => {
  const made = world();
  const endpoints = [{ endpoint: 'www.example.com:443', status: 'other' as const, serialNumber: '0A00', detail: '' }];
  const at = '2026-03-14T20:00:00Z';
  made.ledger.put('fresh', { served: { versionId: 'version-1', at, served: false, endpoints } });
  const config = configOf(
    ...specs.map((spec) => (spec.name === 'fresh' ? { ...spec, endpoints: ['www.example.com:443'] } : spec)),
  );
  const { due } = await check(made, { config });
  expect(made.metrics.fleets).toMatchObject([{ Due: 3, NotServed: 1 }]);
  expect(due.map(({ certificate }) => certificate)).not.toContain('fresh');
});

test('a leftover TXT value in a zone that is no longer configured starts no renewal, and the log tells where it is', async () => {
  const made = world();
  const left = { hostedZoneId: 'ZGONE', name: '_acme-challenge.fresh.example.com', value: 'left' };
  made.ledger.put('fresh', { leftovers: [left] });
  expect((await check(made)).due.map(({ certificate }) => certificate)).not.toContain('fresh');
  expect(made.log.lines.map(({ message }) => message).join('\n')).toMatch(
    /TXT value left of certificate fresh .*_acme-challenge\.fresh\.example\.com.*ZGONE is no longer configured\. Remove/,
  );
  expect(made.ledger.get('fresh').leftovers).toEqual([left]);

  made.ledger.put('fresh', { leftovers: [{ ...left, hostedZoneId: 'Z1' }] });
  expect((await check(made)).due).toContainEqual(
    expect.objectContaining({ certificate: 'fresh', reason: '1 TXT values were left by an earlier run' }),
  );
});

test('publishes no days to expiry if no certificate is issued', async () => {
  const made = createWorld();
  await check(made);
  expect(made.metrics.days).toEqual([]);
});

test('reads the 100 certificates of its batch, and no others, in one call', async () => {
  const many = Array.from({ length: 130 }, (_, index) => specWith({ name: `c${index}` }));
  const made = createWorld();
  const config = configOf(...many);
  expect((await check(made, { batch: 0, batches: 2, config })).checked).toBe(100);
  expect((await check(made, { batch: 1, batches: 2, config })).checked).toBe(30);
  expect(made.calls.names()).toEqual(['ledger.certificates', 'ledger.certificates']);
});

describe('the CA', () => {
  const certificateId = (name: string) => `key.${name}`;
  /** Certificates in their first month, for which the CA has no renewal information until a test sets it. */
  function issued(names: readonly string[]): World {
    const made = createWorld({ now: '2026-02-01T00:00:00Z' });
    for (const name of names) {
      made.ledger.put(name, {
        ...announced,
        current: factsWith({ identifiers: [`${name}.example.com`], certificateId: certificateId(name) }),
      });
    }
    return made;
  }
  const names = ['revoked', 'soon', 'far'];
  const config = configOf(...names.map((name) => specWith({ name, identifiers: [`${name}.example.com`] })));

  test('is asked about each certificate, and those with a renewal time before the next run are due', async () => {
    const made = issued(names);
    made.renewalInfos.suggest('key.revoked', '2026-01-31T22:30:00Z', '2026-01-31T23:00:00Z', 'https://ca.test/why');
    made.renewalInfos.suggest('key.soon', '2026-02-01T06:00:00Z', '2026-02-01T06:59:00Z');
    made.renewalInfos.suggest('key.far', '2026-02-28T00:00:00Z', '2026-03-01T00:00:00Z');
    const { due } = await check(made, { config });
    expect(due.map(({ certificate }) => certificate)).toEqual(['revoked', 'soon']);
    expect(due[0]?.reason).toContain('https://ca.test/why');
    expect(made.ledger.get('far').renewalInfo).toMatchObject({
      certificateId: 'key.far',
      start: '2026-02-28T00:00:00.000Z',
      nextFetch: '2026-02-01T06:00:00.000Z',
    });
  });

  test('is not asked again before its Retry-After has passed', async () => {
    const made = issued(names);
    for (const name of names)
      made.renewalInfos.suggest(certificateId(name), '2026-02-28T00:00:00Z', '2026-03-01T00:00:00Z');
    await check(made, { config });
    made.clock.set('2026-02-01T05:59:59Z');
    await check(made, { config });
    expect(made.calls.names('renewalInfos')).toHaveLength(3);
    made.clock.set('2026-02-01T06:00:00Z');
    await check(made, { config });
    expect(made.calls.names('renewalInfos')).toHaveLength(6);
  });

  test('that fails is asked again by the next run, and until then the dates of the certificate decide', async () => {
    const made = issued(names);
    for (const name of names) made.renewalInfos.setAnswer(certificateId(name), { failed: 'HTTP 503', temporary: true });
    expect((await check(made, { config })).due).toEqual([]);
    expect(made.log.messages('warn')).toHaveLength(3);
    made.clock.set('2026-02-01T06:00:00Z');
    await check(made, { config });
    expect(made.calls.names('renewalInfos')).toHaveLength(6);
  });

  test('that is slow is asked ten times in parallel until the time limit, and then the dates of the certificates decide', async () => {
    const many = Array.from({ length: 40 }, (_, index) => `c${index}`);
    const made = issued(many);
    let [open, most] = [0, 0];
    made.renewalInfos.fetch = async () => {
      most = Math.max(most, ++open);
      await Promise.resolve();
      made.clock.advance(1000);
      open -= 1;
      return 'unsupported';
    };
    const specs = many.map((name) => specWith({ name, identifiers: [`${name}.example.com`] }));
    expect((await check(made, { config: configOf(...specs) })).checked).toBe(40);
    expect(most).toBe(10);
    const asked = made.calls.names('ledger.saveRenewalInfo').length;
    expect(asked).toBeGreaterThanOrEqual(15);
    expect(asked).toBeLessThan(40);
    expect(made.log.messages('warn')).toEqual([
      expect.stringMatching(new RegExp(`renewal information of ${40 - asked} certificates was not fetched`)),
    ]);
  });

  test('is not asked about a certificate whose issuer is no longer configured', async () => {
    const made = issued(['soon']);
    made.ledger.put('soon', {
      current: factsWith({ directoryUrl: 'https://gone.test/directory', certificateId: 'key.soon' }),
    });
    await check(made, { config });
    expect(made.calls.names('renewalInfos')).toEqual([]);
  });
});

test('after three failures of the issuer, orders count towards the limit on first issuances of the fallback', async () => {
  const fallback = {
    ...issuer,
    name: 'fallback-ca',
    directoryUrl: 'https://fallback.test/directory',
    newOrders: { burst: 1, everySeconds: 36 },
  };
  const names = ['a', 'b', 'c'];
  const made = createWorld({ now: '2026-03-15T00:00:00Z' });
  for (const name of names) {
    const failure = {
      count: 3,
      issuerFailures: 3,
      last: '2026-03-14T00:00:00Z',
      error: 'CaUnavailableError',
      cause: '',
    };
    made.ledger.put(name, { current: factsWith({ identifiers: [`${name}.example.com`] }), failure });
  }
  const specs = names.map((name) =>
    specWith({ name, identifiers: [`${name}.example.com`], issuers: [issuer, fallback] }),
  );
  expect(await check(made, { config: configOf(...specs) })).toMatchObject({ due: [{}], postponed: 2 });
});

test('a second run in the same fleet run returns the same execution names', async () => {
  const made = world();
  const first = await check(made);
  expect(await check(made)).toEqual(first);
});

test('fails and publishes no metrics if the ledger fails', async () => {
  const made = world();
  made.calls.answer('ledger.certificates', throttledError());
  await expect(check(made)).rejects.toThrow(ThrottledError);
  expect(made.metrics.fleets).toEqual([]);
});
