import { describe, expect, test } from 'vitest';
import { checkEndpoints } from '../../../lambdas/check/check-endpoints.ts';
import { interruptedAfterEachCall } from '../../fakes/recorder.ts';
import { factsWith, run, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const www = 'www.example.com:443';
const mail = 'mail.example.com:465';
const current = factsWith({ serialNumber: '0a02', versionId: 'version-2' });

/** `www` is stored as version 2, and its server shows it. */
function world(): World {
  const made = createWorld({ now: '2026-03-01T12:00:00Z' });
  made.ledger.put('www', { current });
  made.tlsEndpoints.serve(www, '0A02');
  return made;
}

const look = ({ ports }: World, { tries = 0, endpoints = [www], of = current } = {}) =>
  checkEndpoints({ ...run, spec: specWith({ endpoints }), current: of, tries }, ports);

test('a server that shows the stored certificate serves it', async () => {
  const made = world();
  const seen = [{ endpoint: www, status: 'served', serialNumber: '0A02', detail: '' }];
  expect(await look(made)).toEqual({ served: true, wait: 0, endpoints: seen });
  expect(made.ledger.get('www').served).toEqual({
    versionId: 'version-2',
    at: '2026-03-01T12:00:00.000Z',
    served: true,
    endpoints: seen,
  });
});

describe('a certificate is not served yet', () => {
  test('while a server shows the one before it, which it says with its expiry', async () => {
    const made = world();
    made.tlsEndpoints.serve(www, '0A01', '2026-03-20T00:00:00.000Z');
    const seen = [
      {
        endpoint: www,
        status: 'other',
        serialNumber: '0A01',
        detail: 'it shows 0A01, which expires 2026-03-20T00:00:00.000Z',
      },
    ];
    expect(await look(made)).toEqual({ served: false, wait: 60, endpoints: seen });
    expect(made.ledger.get('www').served).toMatchObject({ versionId: 'version-2', served: false, endpoints: seen });
  });

  test('while one of several does not, and each is told of', async () => {
    const { served, endpoints } = await look(world(), { endpoints: [mail, www] });
    expect(served).toBe(false);
    expect(endpoints).toEqual([
      { endpoint: mail, status: 'unreachable', serialNumber: null, detail: 'it refuses the connection' },
      { endpoint: www, status: 'served', serialNumber: '0A02', detail: '' },
    ]);
  });

  test('and is looked for again until the last look', async () => {
    const made = world();
    made.tlsEndpoints.stop(www);
    const waits = [];
    for (let tries = 0; tries < 5; tries += 1) waits.push((await look(made, { tries })).wait);
    expect(waits).toEqual([60, 300, 600, 900, 0]);
  });

  test('until the server has loaded it', async () => {
    const made = world();
    made.tlsEndpoints.serve(www, '0A01');
    expect((await look(made)).served).toBe(false);
    made.tlsEndpoints.serve(www, '0A02');
    expect(await look(made, { tries: 1 })).toMatchObject({ served: true, wait: 0 });
    expect(made.ledger.get('www').served?.served).toBe(true);
  });
});

test('an RSA certificate is asked for as one, since its ECDSA twin may be served beside it', async () => {
  const made = world();
  await look(made, { of: factsWith({ ...current, keyType: 'RSA-2048' }) });
  expect(made.tlsEndpoints.asked).toEqual([{ endpoint: www, keyType: 'RSA-2048' }]);
});

test('many servers are looked at ten at once, and reported in order', async () => {
  const made = world();
  const endpoints = Array.from({ length: 35 }, (_, index) => `${String(index).padStart(2, '0')}.example.com:443`);
  const output = await look(made, { endpoints });
  expect(output.endpoints.map(({ endpoint }) => endpoint)).toEqual(endpoints);
  expect(made.tlsEndpoints.mostAtOnce).toBe(10);
});

test('a certificate that was replaced meanwhile is not looked for', async () => {
  const made = world();
  made.ledger.put('www', { current: factsWith({ versionId: 'version-3' }) });
  expect(await look(made)).toEqual({ served: null, wait: 0, endpoints: [] });
  expect(made.tlsEndpoints.asked).toEqual([]);
  expect(made.ledger.get('www').served).toBeUndefined();
});

test('a ledger that has forgotten the certificate does not keep anybody from looking', async () => {
  const made = createWorld();
  made.tlsEndpoints.serve(www, '0A02');
  expect((await look(made)).served).toBe(true);
});

test('dying after any call it looks again, and says the same', async () => {
  await interruptedAfterEachCall(world, look, (made, output, last) => {
    expect(output, last).toMatchObject({ served: true, wait: 0 });
    expect(made.ledger.get('www').served, last).toMatchObject({ served: true });
  });
});
