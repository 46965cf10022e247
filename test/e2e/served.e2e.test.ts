import { createServer, type TLSSocket } from 'node:tls';
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../local/processes.ts';
import { type Deployed, deployed } from './deployed.ts';
import { reaches, scaleWaits, statesOf } from './observed.ts';

/** Factor for Wait states. The endpoint checks of half an hour take two seconds. */
const waitScale = 0.001;

let d: Deployed;
let endpoint: string;

/** Certificate and key that the server has loaded, or `null` before its first reload. */
let loaded: { readonly cert: string; readonly key: string } | null = null;
async function reload(): Promise<void> {
  const { fullChain, privateKey } = await d.secret('www');
  loaded = { cert: fullChain, key: privateKey };
  server.setSecureContext(loaded);
}
const sockets = new Set<TLSSocket>();
const server = createServer().on('tlsClientError', () => {});
server.on('secureConnection', (socket) => sockets.add(socket.on('error', () => {})));

beforeAll(async () => {
  const port = await freePort();
  endpoint = `www.localhost:${port}`;
  server.listen(port, '127.0.0.1');
  const certificates = [
    { name: 'www', identifiers: ['www.example.com'], endpoints: [endpoint], ignoreIssueCap: true },
    { name: 'other', identifiers: ['other.example.com'] },
  ];
  d = await deployed(
    { zones: ['example.com'], certificates },
    { waitScale, pebble: { chaos: { validationSleep: false } } },
  );
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await d?.stop();
});

const notServed = async () =>
  (await d.local.aws.busEvents()).filter(({ detailType }) => detailType === 'Certificate Not Served');

test('a certificate whose server has none yet is announced as not served, and the renewal succeeds', async () => {
  const [first] = await notServed();
  expect(first).toMatchObject({
    source: 'perennial',
    detail: { certificate: 'www', endpoints: [{ endpoint, status: 'unreachable', serialNumber: null }] },
  });
  expect((await d.ledger('www')).served).toMatchObject({ served: false });
  expect(await notServed()).toHaveLength(1);
});

describe('a server', () => {
  test('that has loaded the certificate is recorded as serving it by the check of the next day', async () => {
    await reload();
    const run = await nextDay();
    expect(run.states).toEqual(['Start', 'Check renewal', 'Which action?', 'Check endpoints', 'All served?', 'Done']);
    expect((await d.ledger('www')).served).toMatchObject({ served: true, endpoints: [{ endpoint, status: 'served' }] });
    expect(await notServed()).toHaveLength(1);
  });

  test('that keeps the old certificate is announced with its serial number and expiry', async () => {
    const old = await d.secret('www');
    const run = await d.renew({ certificate: 'www', force: true });
    const current = await d.secret('www');

    expect(current.serialNumber).not.toBe(old.serialNumber);
    expect(run).toMatchObject({ status: 'SUCCEEDED', output: { served: false } });
    expect((await statesOf(d, run.arn)).filter((state) => state === 'Check endpoints')).toHaveLength(5);
    const [, event, ...more] = await notServed();
    expect(more).toEqual([]);
    expect(event?.detail).toMatchObject({
      certificate: 'www',
      execution: run.arn,
      current: { serialNumber: current.serialNumber },
      endpoints: [{ endpoint, status: 'other', serialNumber: expect.stringMatching(hex(old.serialNumber)) }],
      action: expect.stringContaining('Reload each server'),
    });
    const { served } = await d.ledger('www');
    expect(served).toMatchObject({ served: false });
    expect(served?.endpoints[0]?.detail).toContain(`which expires on ${new Date(old.notAfter).toISOString()}`);
  });

  test('that does not serve it is counted and checked again by the next fleet run, and announced once a day', async () => {
    const before = { renewals: new Set(await d.renewals()), counted: await counted() };
    await d.fleet();
    const [arn, ...more] = (await d.idle()).filter((each) => !before.renewals.has(each));
    expect(more).toEqual([]);
    const checked = ['Start', 'Check renewal', 'Which action?', 'Check endpoints', 'All served?', 'Wait for endpoints'];
    expect((await statesOf(d, arn ?? '')).slice(0, 6)).toEqual(checked);
    expect(await counted()).toBeGreaterThan(before.counted);
    expect(await notServed()).toHaveLength(2);
  });

  test('that is reloaded between two checks is recorded as serving it, without an event', async () => {
    await scaleWaits(d, 0.1); // The second check is after 6 s.
    const proceed = await d.local.aws.holdState('Wait for endpoints');
    const arn = await d.start({ certificate: 'www', force: true });
    await reaches(d, arn, 'Wait for endpoints');
    await reload();
    await proceed();
    const run = await d.ended(arn);
    await scaleWaits(d, waitScale);

    expect(run).toMatchObject({ status: 'SUCCEEDED', output: { served: true } });
    expect((await d.ledger('www')).served).toMatchObject({ served: true });
    expect(await notServed()).toHaveLength(2);
  });
});

test('a certificate without endpoints ends after its success is recorded', async () => {
  const run = await d.renew({ certificate: 'other', force: true });
  const states = await statesOf(d, run.arn);
  expect(states.slice(-4)).toEqual(['Announce', 'Record success', 'Any endpoints?', 'Done']);
  expect(run.output).toMatchObject({ served: null });
});

/** Returns the number of fleet runs that found one certificate not served, from their metrics in the logs. */
const counted = async () =>
  (await d.local.aws.logEvents()).filter((event) => /NotServed\W+1\b/.test(JSON.stringify(event))).length;

const hex = (serialNumber: string) => new RegExp(`^0*${serialNumber.replace(/^0+/, '')}$`, 'i');

/** Starts a fleet run of the next day, by moving the last check to yesterday. Returns the states of the renewal that it starts. */
async function nextDay(): Promise<{ readonly states: readonly string[] }> {
  const table = Object.entries(d.outputs).find(([key]) => key.endsWith('LedgerTable'))?.[1];
  await new DynamoDBClient(d.local.clientConfig).send(
    new UpdateItemCommand({
      TableName: table,
      Key: { id: { S: 'certificate#www' } },
      UpdateExpression: 'SET #served.#at = :yesterday',
      ExpressionAttributeNames: { '#served': 'served', '#at': 'at' },
      ExpressionAttributeValues: { ':yesterday': { S: new Date(Date.now() - 86_400_000).toISOString() } },
    }),
  );
  const before = new Set(await d.renewals());
  await d.fleet();
  const [arn, ...more] = (await d.idle()).filter((each) => !before.has(each));
  expect(more).toEqual([]);
  return { states: await statesOf(d, arn ?? '') };
}
