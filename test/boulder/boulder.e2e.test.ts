import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAcme } from '../../lambdas/adapters/acme/acme.ts';
import { createRenewalInfos } from '../../lambdas/adapters/acme/fetch-renewal-info.ts';
import type { CertificateAuthority, Order } from '../../lambdas/domain/ports/acme.ts';
import { certificateId } from '../../lambdas/domain/rules/certificate/certificate-id.ts';
import { type DnsServer, startDnsServer } from '../../local/dns-server.ts';
import { install } from '../../local/install.ts';
import { type Pebble, startPebble } from '../../local/pebble.ts';
import { makePrivateKey } from '../fakes/certificates.ts';
import { issuer } from '../fakes/specs.ts';
import { type Boulder, startBoulder } from './boulder.ts';
import { makeForgedChains } from './forged-chains.ts';
import { chain } from './misbehaviour.ts';

// The proxy in front of a real Pebble, which verifies every signature and the URL in it.

const accountKey = makePrivateKey();
const records = new Map<string, string>();

let folder: string;
let dns: DnsServer;
let pebble: Pebble;
let boulder: Boulder;
let ca: CertificateAuthority;
let acme: ReturnType<typeof createAcme>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'boulder-'));
  dns = await startDnsServer(async () => [zone()]);
  pebble = await startPebble(await install(), folder, dns.addresses.validation, {
    // A rejected nonce would use up a behaviour that the proxy applies once.
    chaos: { reuseAuthorizations: 'always', validationSleep: false, rejectNonces: false },
  });
  boulder = await startBoulder({ upstream: pebble, processing: 0.5 });
  acme = createAcme({
    userAgent: 'perennial/test',
    now: () => new Date(),
    trustedRoots: { [boulder.directoryUrl]: boulder.trustedRoots },
  });
  const at = { ...issuer, directoryUrl: boulder.directoryUrl };
  ca = acme.connect(at, { ...(await acme.newAccount(at, accountKey)), privateKey: accountKey });
});
afterAll(async () => {
  acme?.close();
  await Promise.all([boulder?.stop(), pebble?.stop(), dns?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

function zone() {
  const soa = 'ns.example.com. admin.example.com. 1 7200 900 1209600 86400';
  const texts = [...records].map(([name, value]) => ({
    name: `${name}.`,
    type: 'TXT',
    ttl: 60,
    values: [`"${value}"`],
  }));
  const apex = { name: 'example.com.', type: 'SOA', ttl: 900, values: [soa] };
  return { id: 'Z1', name: 'example.com.', records: [apex, ...texts] };
}

async function settled(url: string, unsettled: string): Promise<Order> {
  for (let tries = 0; tries < 600; tries += 1) {
    const order = await ca.order(url);
    if (order.status !== unsettled) return order;
    await pause(100);
  }
  throw new Error(`${url} is still ${unsettled} after a minute`);
}

const request = (name: string, replaces: string | null = null) => ({ identifiers: [name], profile: null, replaces });

/** Proves control of the names of an order, and waits until it is not pending. */
async function prove(name: string, order: Order): Promise<Order> {
  for (const url of order.authorizations) {
    const { status, challenges } = await ca.authorization(url);
    const challenge = challenges.find(({ type }) => type === 'dns-01');
    if (status === 'valid' || !challenge) continue;
    records.set(`_acme-challenge.${name}`, ca.challengeValue(challenge));
    await ca.respond(challenge.url);
  }
  return settled(order.url, 'pending');
}

async function issue(name: string, replaces: string | null = null): Promise<string> {
  const order = await prove(name, await ca.newOrder(request(name, replaces)));
  await ca.finalize(order, [name], makePrivateKey());
  const { certificate } = await settled(order.url, 'processing');
  return (await ca.certificate(certificate ?? '')).pem;
}

test('an order through the proxy is processing before its certificate is issued', async () => {
  const order = await prove('a.example.com', await ca.newOrder(request('a.example.com')));
  expect(order.status).toBe('ready');
  const finalized = await ca.finalize(order, ['a.example.com'], makePrivateKey());
  expect([finalized.status, finalized.retryAfter]).toEqual(['processing', 3]);
  const valid = await settled(order.url, 'processing');
  const { pem } = await ca.certificate(valid.certificate ?? '');
  expect(new X509Certificate(pem).subjectAltName).toBe('DNS:a.example.com');
  expect(boulder.requests().filter(({ kind }) => kind === 'unknown')).toEqual([]);
});

test('newOrder returns the pending order again, and a proven name needs no second proof', async () => {
  const first = await ca.newOrder(request('b.example.com'));
  const again = await ca.newOrder(request('b.example.com'));
  expect(again.url).toBe(first.url);
  await prove('b.example.com', again);
  const ready = await ca.newOrder(request('b.example.com'));
  expect([ready.url, ready.status]).toEqual([first.url, 'ready']);
  await ca.finalize(ready, ['b.example.com'], makePrivateKey());
  await settled(ready.url, 'processing');
  const next = await ca.newOrder(request('b.example.com'));
  expect(next.url).not.toBe(first.url);
  expect(next.status).toBe('ready');
});

test('newOrder accepts one replacement of a certificate, and renewalInfo has a window', async () => {
  const id = certificateId(await issue('c.example.com')) ?? '';
  const infos = createRenewalInfos({
    userAgent: 'test',
    now: () => new Date(),
    trustedRoots: { [boulder.directoryUrl]: boulder.trustedRoots },
  });
  const info = await infos.fetch({ ...issuer, directoryUrl: boulder.directoryUrl }, id);
  infos.close();
  expect(info).toMatchObject({ start: expect.any(Date), retryAfter: expect.any(Number) });
  await ca.newOrder(request('c.example.com', id));
  await expect(ca.newOrder(request('c.example.com', id))).rejects.toThrow(/replacement order/);
});

test.each([
  ['wrongIntermediate', 'DNS:d.example.com'],
  ['anotherKey', 'DNS:d.example.com'],
  ['missingName', ''],
  ['oneMoreName', 'DNS:d.example.com, DNS:one-more.example'],
] as const)('the proxy replaces the issued chain by a forged one: %s', async (kind, names) => {
  const forged = await makeForgedChains();
  boulder.next('certificate', chain(forged[kind]));
  const [leaf = '', intermediate = ''] = (await issue('d.example.com')).split(/(?=-----BEGIN)/);
  const certificate = new X509Certificate(leaf);
  expect(certificate.verify(new X509Certificate(intermediate).publicKey)).toBe(kind !== 'wrongIntermediate');
  expect(certificate.subjectAltName).toBe(names);
});
