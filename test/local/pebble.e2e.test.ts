import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createAcme } from '../../lambdas/adapters/acme/acme.ts';
import type { CertificateAuthority, Order } from '../../lambdas/domain/ports/acme.ts';
import { type DnsServer, startDnsServer } from '../../local/dns-server.ts';
import { install } from '../../local/install.ts';
import { type Pebble, startPebble } from '../../local/pebble.ts';
import { issuer } from '../fakes/specs.ts';
import { newKey } from '../lambdas/adapters/acme/scripted-ca.ts';

const ORDER = { identifiers: ['www.example.com'], profile: null };
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

async function connect(): Promise<CertificateAuthority> {
  const acme = createAcme({
    userAgent: 'perennial/test',
    now: () => new Date(),
    trustedRoots: { [pebble.directoryUrl]: pebble.trustedRoots },
  });
  onTestFinished(() => acme.close());
  const privateKey = newKey('P-256');
  const at = { ...issuer, directoryUrl: pebble.directoryUrl };
  return acme.connect(at, { ...(await acme.newAccount(at, privateKey)), privateKey });
}

/** Places an order and proves control of its name. Returns the order when it is ready. */
async function readyOrder(ca: CertificateAuthority): Promise<Order> {
  const order = await ca.newOrder(ORDER);
  const { challenges } = await ca.authorization(order.authorizations[0] ?? '');
  const challenge = challenges.find(({ type }) => type === 'dns-01');
  if (!challenge) throw new Error('Pebble offers no dns-01 challenge');
  value = `"${ca.challengeValue(challenge)}"`;
  await ca.respond(challenge.url);
  await expect.poll(async () => (await ca.order(order.url)).status, { timeout: 60_000 }).toBe('ready');
  return ca.order(order.url);
}

test('every order needs a new validation when reuse is off, because Pebble is patched', async () => {
  const ca = await connect();
  await readyOrder(ca);

  // Without the patch one order in a hundred needs none. The 400 orders would then all need one in only 0.99^400 = 1.8 % of runs.
  const statuses = new Set<string>();
  for (let orders = 0; orders < 400; orders += 1) statuses.add((await ca.newOrder(ORDER)).status);
  expect([...statuses]).toEqual(['pending']);
});

test.each([
  ['P-384', 'ec'],
  ['RSA-2048', 'rsa'],
] as const)('a %s certificate is signed with %s keys up to one of the roots', async (keyType, kind) => {
  const ca = await connect();
  const order = await readyOrder(ca);
  await ca.finalize(order, ORDER.identifiers, newKey(keyType));
  await expect.poll(async () => (await ca.order(order.url)).status, { timeout: 60_000 }).toBe('valid');
  const { pem, alternates } = await ca.certificate((await ca.order(order.url)).certificate ?? '');

  const [leaf, intermediate] = certificatesIn(pem);
  const roots = certificatesIn(await pebble.issuingRoots());
  const root = roots.find(({ publicKey }) => intermediate?.verify(publicKey));
  expect(alternates).toEqual([]);
  expect(intermediate && leaf?.verify(intermediate.publicKey)).toBe(true);
  expect([intermediate, root].map((each) => each?.publicKey.asymmetricKeyType)).toEqual([kind, kind]);
});

const certificatesIn = (pem: string) =>
  (pem.match(/-----BEGIN[^-]+-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((each) => new X509Certificate(each));
