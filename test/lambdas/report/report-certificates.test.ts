import { expect, test } from 'vitest';
import { parseReportInput } from '../../../lambdas/domain/contract/report.ts';
import { reportCertificates } from '../../../lambdas/report/report-certificates.ts';
import { configOf, deliveryWith, factsWith, otherExecution, specWith } from '../../fakes/specs.ts';
import { createWorld, type World } from '../../fakes/world.ts';

const arn = (name: string) => `arn:aws:states:eu-west-1:111122223333:stateMachine:${name}`;
const parts = {
  version: '1.2.3',
  stack: 'Certificates',
  region: 'eu-west-1',
  account: '111122223333',
  stateMachines: { fleet: arn('Fleet'), renewal: arn('Renewal'), accounts: arn('Accounts') },
  logGroups: ['check-logs'],
  roles: { challenge: 'arn:challenge', certificate: 'arn:certificate', delivery: 'arn:delivery' },
  secretPrefix: 'certificates/',
  rootServers: [],
  topic: null,
};
const config = configOf(
  specWith({ name: 'www', regions: ['us-east-1', 'eu-west-1'], endpoints: ['example.com:443'] }),
  specWith({ name: 'api', identifiers: ['api.example.com'] }),
);
const announced = { announcedVersion: 'version-1' };
const report = ({ ports }: World, names: readonly string[] | null = null, of = config, from = 0) =>
  reportCertificates({ names, from }, { ...ports, config: of, parts });
const first = async (world: World) => (await report(world)).certificates[0];

test('names the deployment and all certificates in the order of the configuration', async () => {
  const { deployment, certificates, at, next } = await report(createWorld());
  expect(deployment).toMatchObject({ ...parts, checkInterval: 21_600, issuers: [{ name: 'test-ca' }] });
  expect(certificates.map(({ name, reason }) => [name, reason])).toEqual([
    ['www', 'never issued'],
    ['api', 'never issued'],
  ]);
  expect([at, next]).toEqual(['2026-03-01T12:00:00.000Z', null]);
});

test('has the time of the last selection', async () => {
  const world = createWorld();
  expect((await report(world)).lastSelection).toBeNull();
  await world.fleetLedger.recordSelection(new Date('2026-03-01T09:00:00Z'));
  expect((await report(world)).lastSelection).toBe('2026-03-01T09:00:00.000Z');
});

test('gives the decision of the renewal workflow, the renewal time and the window of the CA', async () => {
  const world = createWorld({ now: '2026-02-01T00:00:00Z' });
  const window = { start: '2026-03-10T00:00:00Z', end: '2026-03-11T00:00:00Z', explanationUrl: null };
  world.ledger.put('api', {
    ...announced,
    current: factsWith({ identifiers: ['api.example.com'], certificateId: 'id.1' }),
    renewalInfo: { certificateId: 'id.1', nextFetch: '2026-03-01T00:00:00Z', ...window },
  });
  const [api] = (await report(world, ['api'])).certificates;
  expect(api).toMatchObject({ name: 'api', action: 'none', window, attention: [] });
  expect(api?.renewalTime).toMatch(/^2026-03-10T/);
  expect(api?.reason).toBe(`nothing to do, renewal is due ${api?.renewalTime}`);
});

test.each([
  ['was revoked', { revokedVersion: 'version-1' }, {}],
  [
    'was revoked, and whose replacement has failed',
    { revokedVersion: 'version-1' },
    { notBefore: '2026-02-02T00:00:00Z' },
  ],
  ['has other names in the configuration', { current: factsWith({ identifiers: ['old.example.com'] }) }, {}],
])('the renewal of a certificate that %s is due now', async (_, changed, failed) => {
  const world = createWorld({ now: '2026-02-01T00:00:00Z' });
  const current = factsWith({ identifiers: ['api.example.com'] });
  const failure = { error: 'CaaError', cause: 'No.', count: 1, issuerFailures: 0, last: '2026-02-01T00:00:00Z' };
  world.ledger.put('api', { ...announced, current, ...changed, ...('notBefore' in failed && { ...failed, failure }) });
  const [api] = (await report(world, ['api'])).certificates;
  expect(api?.renewalTime).toBe('2026-02-01T00:00:00.000Z');
});

test('tells what holds a certificate, and where it is delivered and served', async () => {
  const world = createWorld({ now: '2026-02-01T00:00:00Z' });
  const endpoint = { endpoint: 'example.com:443', status: 'other' as const, serialNumber: '0A00', detail: 'Another.' };
  world.ledger.put('www', {
    ...announced,
    current: factsWith(),
    lease: otherExecution,
    leasedAt: '2026-02-01T00:00:00Z',
    deliveries: {
      'us-east-1': {
        arn: 'arn:1',
        versionId: 'version-1',
        keyType: 'P-256',
        notBefore: '2026-01-01T00:00:00Z',
        notAfter: '2026-04-01T00:00:00Z',
      },
    },
    served: { versionId: 'version-1', at: '2026-01-31T12:00:00Z', served: false, endpoints: [endpoint] },
  });
  expect(await first(world)).toMatchObject({
    lease: { execution: otherExecution, since: '2026-02-01T00:00:00Z' },
    deliveries: [
      { region: 'us-east-1', arn: 'arn:1', current: true },
      { region: 'eu-west-1', arn: null, current: false },
    ],
    served: [endpoint],
    attention: ['An endpoint presents another certificate, or cannot be reached.'],
  });
});

test('a certificate that its servers may still load needs no attention yet', async () => {
  const world = createWorld({ now: '2026-02-01T00:00:00Z' });
  const endpoint = { endpoint: 'example.com:443', status: 'other', serialNumber: '0a00', detail: '' } as const;
  const served = { versionId: 'version-1', at: '2026-02-01T00:00:00Z', served: false, again: true } as const;
  world.ledger.put('www', { ...announced, current: factsWith(), served: { ...served, endpoints: [endpoint] } });
  expect(await first(world)).toMatchObject({ served: [endpoint], attention: [] });
});

test.each([
  ['2026-01-02T00:00:00Z', 0, []],
  ['2026-03-20T00:00:00Z', 0, ['Less than 20 % of its lifetime is left. It expires at 2026-04-01T00:00:00Z.']],
  ['2026-04-02T00:00:00Z', 0, ['It expired at 2026-04-01T00:00:00Z.']],
  ['2026-01-02T00:00:00Z', 2, []],
  ['2026-01-02T00:00:00Z', 3, ['3 attempts in a row have failed, the last one with CaUnavailableError.']],
])('at %s after %d failures an operator has to look at %j', async (now, count, expected) => {
  const world = createWorld({ now });
  const failure = { issuerFailures: 0, last: now, error: 'CaUnavailableError', cause: 'It is down.' };
  world.ledger.put('www', { ...announced, current: factsWith(), ...(count > 0 && { failure: { ...failure, count } }) });
  expect((await first(world))?.attention).toEqual(expected);
});

test('an error that only an operator can fix needs attention at once', async () => {
  const world = createWorld({ now: '2026-01-02T00:00:00Z' });
  const failure = {
    count: 1,
    issuerFailures: 0,
    last: '2026-01-02T00:00:00Z',
    error: 'CaaError',
    cause: 'CAA forbids it.',
  };
  world.ledger.put('www', { failure });
  expect(await first(world)).toMatchObject({
    failure: { error: 'CaaError' },
    attention: ['An operator has to fix CaaError.'],
  });
});

test('what the daily comparison and the clean-up found needs attention', async () => {
  const world = createWorld({ now: '2026-01-03T00:00:00Z' });
  const detail = 'The secret was deleted.';
  const change = { kind: 'secretDeleted' as const, resource: 'arn:secret', detail, action: 'A new one is issued.' };
  const outside = { at: '2026-01-02T00:00:00Z', versionId: 'version-1', storedVersion: null, changes: [change] };
  const leftovers = [{ hostedZoneId: 'Z1', name: '_acme-challenge.example.com', value: 'left' }];
  world.ledger.put('www', {
    ...announced,
    current: factsWith(),
    outside,
    leftovers,
    leftoversReportedAt: '2026-01-02T00:00:00Z',
  });
  expect((await first(world))?.attention).toEqual([
    '1 TXT value could not be removed.',
    `${detail} A new one is issued.`,
  ]);
});

test('a revoked certificate needs attention until its replacement is issued, also during a pause', async () => {
  const world = createWorld({ now: '2026-01-02T00:00:00Z' });
  const revoked = { ...announced, current: factsWith(), revokedVersion: 'version-1' };
  world.ledger.put('www', { ...revoked, pausedUntil: '2026-02-01T00:00:00Z' });
  expect(await first(world)).toMatchObject({
    action: 'issue',
    attention: ['It was revoked, and its replacement has not been issued yet.'],
  });
  world.ledger.put('www', { ...revoked, current: factsWith({ versionId: 'version-2' }) });
  expect((await first(world))?.attention).toEqual([]);
});

test('an import that is about to expire needs attention although the secret has a new certificate', async () => {
  const world = createWorld({ now: '2026-01-03T00:00:00Z' });
  const old = deliveryWith({ notBefore: '2025-10-05T00:00:00Z', notAfter: '2026-01-13T00:00:00Z' });
  world.ledger.put('www', { ...announced, current: factsWith(), deliveries: { 'us-east-1': old } });
  expect((await first(world))?.attention).toEqual([
    `Less than 20 % of the lifetime of ${old.arn} is left. It expires at 2026-01-13T00:00:00Z.`,
  ]);
});

test('a lease of three hours and a renewal that is postponed for a day need attention, as their alarms go off', async () => {
  const world = createWorld({ now: '2026-01-03T12:00:00Z' });
  const stored = { ...announced, current: factsWith(), lease: otherExecution };
  world.ledger.put('www', { ...stored, leasedAt: '2026-01-03T09:00:01Z', postponedSince: '2026-01-02T12:00:01Z' });
  expect((await first(world))?.attention).toEqual([]);
  world.ledger.put('www', { ...stored, leasedAt: '2026-01-03T09:00:00Z', postponedSince: '2026-01-02T12:00:00Z' });
  expect((await first(world))?.attention).toEqual([
    'One execution has worked on it since 2026-01-03T09:00:00Z.',
    'Its renewal has been postponed since 2026-01-02T12:00:00Z, because its CA allows no more orders.',
  ]);
});

test('a certificate that was not issued within a day needs attention', async () => {
  const world = createWorld({ now: '2026-01-03T00:00:00Z' });
  world.ledger.put('www', { firstLeasedAt: '2026-01-02T00:00:01Z' });
  expect((await first(world))?.attention).toEqual([]);
  world.ledger.put('www', { firstLeasedAt: '2026-01-01T12:00:00Z' });
  expect((await first(world))?.attention).toEqual([
    'It was never issued, although the first attempt was at 2026-01-01T12:00:00Z.',
  ]);
});

test('suggests the name of a certificate for an unknown one', async () => {
  const { certificates, unknown } = await report(createWorld(), ['wwww', 'api', 'nothing-like-it']);
  expect(certificates.map(({ name }) => name)).toEqual(['api']);
  expect(unknown).toEqual([
    { name: 'wwww', similar: 'www' },
    { name: 'nothing-like-it', similar: null },
  ]);
});

test('gives a large fleet in pages that together have every certificate once', async () => {
  const names = Array.from({ length: 4_000 }, (_, index) => `certificate-${index}`);
  const identifiers = ['a', 'b', 'c', 'd'].map((letter) => `${letter.repeat(60)}.${'x'.repeat(60)}.example.com`);
  const many = configOf(...names.map((name) => specWith({ name, identifiers })));
  const seen: string[] = [];
  const pages: number[] = [];
  for (let from: number | null = 0; from !== null; ) {
    const page = await report(createWorld(), null, many, from);
    pages.push(Buffer.byteLength(JSON.stringify(page)));
    seen.push(...page.certificates.map(({ name }) => name));
    from = page.next;
  }
  expect(seen).toEqual(names);
  expect(pages.length).toBeGreaterThan(1);
  // A reply of Lambda has at most 6 MB.
  expect(Math.max(...pages)).toBeLessThan(6_000_000);
});

test.each([null, 'www', { names: 'www' }, { from: -1 }, { certificate: 'www' }])('rejects the event %j', (event) => {
  expect(() => parseReportInput(event)).toThrow('The event of the function report is invalid.');
});
