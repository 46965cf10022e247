import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAcme } from '../../lambdas/adapters/acme/acme.ts';
import { type DnsServer, startDnsServer } from '../../local/dns-server.ts';
import { install } from '../../local/install.ts';
import { type Pebble, startPebble } from '../../local/pebble.ts';
import { issuer } from '../fakes/specs.ts';
import { newKey } from '../lambdas/adapters/acme/scripted-ca.ts';

const NAME = '_acme-challenge.www.example.com.';

let folder: string;
let dns: DnsServer;
let pebble: Pebble;
let value = '""';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pebble-'));
  dns = await startDnsServer(async () => [
    { id: 'Z1', name: 'example.com.', records: [{ name: NAME, type: 'TXT', ttl: 60, values: [value] }] },
  ]);
  const chaos = { reuseAuthorizations: false, rejectNonces: false, validationSleep: false };
  pebble = await startPebble(await install(), folder, dns.addresses.validation, { chaos });
});
afterAll(async () => {
  await Promise.all([pebble?.stop(), dns?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

test('every order needs a new validation when reuse is off, because Pebble is patched', async () => {
  const acme = createAcme({
    userAgent: 'perennial/test',
    now: () => new Date(),
    trustedRoots: { [pebble.directoryUrl]: pebble.trustedRoots },
  });
  const privateKey = newKey('P-256');
  const at = { ...issuer, directoryUrl: pebble.directoryUrl };
  const ca = acme.connect(at, { url: await acme.newAccount(at, privateKey), privateKey });
  const order = () => ca.newOrder({ identifiers: ['www.example.com'], profile: null });

  const proven = await order();
  const { challenges } = await ca.authorization(proven.authorizations[0] ?? '');
  const challenge = challenges.find(({ type }) => type === 'dns-01');
  if (!challenge) throw new Error('Pebble offers no dns-01 challenge');
  value = `"${ca.challengeValue(challenge)}"`;
  await ca.respond(challenge.url);
  await expect.poll(async () => (await ca.order(proven.url)).status, { timeout: 10_000 }).toBe('ready');

  // Without the patch one order in a hundred needs none. The 400 orders would then all need one in only 0.99^400 = 1.8 % of runs.
  const statuses = new Set<string>();
  for (let orders = 0; orders < 400; orders += 1) statuses.add((await order()).status);
  expect([...statuses]).toEqual(['pending']);
  acme.close();
});
