import { describe, expect, test } from 'vitest';
import { checkEndpoints } from '../../../lambdas/check/check-endpoints.ts';
import { isNotServedForLong } from '../../../lambdas/domain/rules/certificate/endpoints.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { factsWith, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const www = 'www.example.com:443';
const mail = 'mail.example.com:465';
const current = factsWith({ serialNumber: '0a02', versionId: 'version-2' });

/** Version 2 of `www` is stored, and its server presents it. */
function world(): World {
  const made = createWorld({ now: '2026-03-01T12:00:00Z' });
  made.ledger.put('www', { current });
  made.tlsEndpoints.serve(www, '0A02');
  return made;
}

const check = ({ ports }: World, { tries = 0, endpoints = [www], of = current } = {}) =>
  checkEndpoints(
    { ...run, spec: specWith({ endpoints }), current: of, tries },
    { ...ports, config: { checkInterval: 21_600 } },
  );

test('an endpoint that presents the stored certificate serves it, and the ledger has the result', async () => {
  const made = world();
  const seen = [{ endpoint: www, status: 'served', serialNumber: '0A02', detail: '' }];
  expect(await check(made)).toEqual({ served: true, wait: 0, endpoints: seen, reportDue: false });
  expect(made.ledger.get('www').served).toEqual({
    versionId: 'version-2',
    at: '2026-03-01T12:00:00.000Z',
    served: true,
    endpoints: seen,
  });
});

describe('a certificate is not served', () => {
  test('while an endpoint presents the previous one, and the result has its serial number and expiry', async () => {
    const made = world();
    made.tlsEndpoints.serve(www, '0A01', '2026-03-20T00:00:00.000Z');
    const seen = [
      {
        endpoint: www,
        status: 'other',
        serialNumber: '0A01',
        detail: expect.stringMatching(/0A01.*expires on 2026-03-20T00:00:00\.000Z/),
      },
    ];
    expect(await check(made)).toEqual({ served: false, wait: 60, endpoints: seen, reportDue: false });
    expect(made.ledger.get('www').served).toMatchObject({ versionId: 'version-2', served: false, endpoints: seen });
  });

  test('while one of several endpoints is unreachable, and the result lists each endpoint', async () => {
    const { served, endpoints } = await check(world(), { endpoints: [mail, www] });
    expect(served).toBe(false);
    expect(endpoints).toEqual([
      { endpoint: mail, status: 'unreachable', serialNumber: null, detail: 'it refuses the connection' },
      { endpoint: www, status: 'served', serialNumber: '0A02', detail: '' },
    ]);
  });

  test('and is checked again after 1, 5, 10 and 15 minutes', async () => {
    const made = world();
    made.tlsEndpoints.stop(www);
    const waits = [];
    const again = [];
    for (let tries = 0; tries < 5; tries += 1) {
      waits.push((await check(made, { tries })).wait);
      again.push(made.ledger.get('www').served?.again);
    }
    expect(waits).toEqual([60, 300, 600, 900, 0]);
    expect(again).toEqual([true, true, true, true, undefined]);
  });

  test('during all checks of the next day if it was not served before', async () => {
    const made = world();
    const isTold = () => isNotServedForLong(specWith({ endpoints: [www] }), made.ledger.get('www'), made.clock.now());
    made.tlsEndpoints.stop(www);
    await check(made);
    expect(isTold()).toBe(false);
    await check(made, { tries: 4 });
    expect(isTold()).toBe(true);
    made.clock.advance(86_400_000);
    expect(await check(made)).toMatchObject({ wait: 60 });
    expect(isTold()).toBe(true);
  });

  describe('and the event is due', () => {
    const later = { ...run, execution: 'arn:aws:states:::execution:renewal:later' };
    const lastCheck = ({ ports }: World, { of = current, by = run, interval = 21_600 } = {}) =>
      checkEndpoints(
        { ...by, spec: specWith({ endpoints: [www] }), current: of, tries: 4 },
        { ...ports, config: { checkInterval: interval } },
      );
    /** The execution `run` has reported that the previous certificate is presented. */
    async function reported(): Promise<World> {
      const made = world();
      made.tlsEndpoints.serve(www, '0A01');
      expect(await lastCheck(made)).toMatchObject({ served: false, reportDue: true });
      return made;
    }

    // A run begins up to an hour late, so that of the next day may come 23 hours after that of this one.
    test.each([
      ['a day', 86_400, 23, true],
      ['six hours', 21_600, 19, false],
      ['six hours', 21_600, 23, true],
      ['an hour', 3600, 23, false],
      ['an hour', 3600, 24, true],
    ])('once a day: with fleet runs each %s (%i s), %i hours after the last one: %s', async (_, interval, age, due) => {
      const made = await reported();
      made.clock.advance((age - 1) * 3_600_000);
      expect((await check(made)).reportDue).toBe(false);
      made.clock.advance(3_600_000);
      expect((await lastCheck(made, { by: later, interval })).reportDue).toBe(due);
    });

    test('again after the server has served it in between', async () => {
      const made = await reported();
      made.tlsEndpoints.serve(www, '0A02');
      expect((await lastCheck(made, { by: later })).reportDue).toBe(false);
      made.tlsEndpoints.stop(www);
      expect((await lastCheck(made, { by: later })).reportDue).toBe(true);
    });

    test('again for another version', async () => {
      const made = await reported();
      const of = factsWith({ serialNumber: '0a03', versionId: 'version-3' });
      made.ledger.put('www', { ...made.ledger.get('www'), current: of });
      expect((await lastCheck(made, { of, by: later })).reportDue).toBe(true);
    });

    test('again in a second run of the step, because the first one may have been interrupted', async () => {
      expect((await lastCheck(await reported())).reportDue).toBe(true);
    });
  });

  test('until the server has reloaded it', async () => {
    const made = world();
    made.tlsEndpoints.serve(www, '0A01');
    expect((await check(made)).served).toBe(false);
    made.tlsEndpoints.serve(www, '0A02');
    expect(await check(made, { tries: 1 })).toMatchObject({ served: true, wait: 0 });
    expect(made.ledger.get('www').served?.served).toBe(true);
  });
});

test('the handshake for an RSA certificate offers RSA only, because the server may also have an ECDSA certificate', async () => {
  const made = world();
  await check(made, { of: factsWith({ ...current, keyType: 'RSA-2048' }) });
  expect(made.tlsEndpoints.asked).toEqual([{ endpoint: www, keyType: 'RSA-2048' }]);
});

test('at most ten endpoints are checked at the same time, and the result keeps their order', async () => {
  const made = world();
  const endpoints = Array.from({ length: 35 }, (_, index) => `${String(index).padStart(2, '0')}.example.com:443`);
  const output = await check(made, { endpoints });
  expect(output.endpoints.map(({ endpoint }) => endpoint)).toEqual(endpoints);
  expect(made.tlsEndpoints.mostAtOnce).toBe(10);
});

test('no endpoint is checked if another version has become current', async () => {
  const made = world();
  made.ledger.put('www', { current: factsWith({ versionId: 'version-3' }) });
  expect(await check(made)).toEqual({ served: null, wait: 0, endpoints: [], reportDue: false });
  expect(made.tlsEndpoints.asked).toEqual([]);
  expect(made.ledger.get('www').served).toBeUndefined();
});

test('endpoints are checked even if the ledger has lost the certificate', async () => {
  const made = createWorld();
  made.tlsEndpoints.serve(www, '0A02');
  expect((await check(made)).served).toBe(true);
});

test('a run after an interruption at any call checks again and returns the same', async () => {
  await interruptedAfterEachCall(world, check, (made, output, last) => {
    expect(output, last).toMatchObject({ served: true, wait: 0 });
    expect(made.ledger.get('www').served, last).toMatchObject({ served: true });
  });
});
