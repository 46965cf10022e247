import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAcme } from '../../../../lambdas/adapters/acme/acme.ts';
import type { Issuer } from '../../../../lambdas/domain/contract/config.ts';
import {
  AccountNotValidError,
  CaUnavailableError,
  ContactRefusedError,
  ExternalAccountBindingError,
  ExternalAccountRequiredError,
  InvalidProfileError,
  MalformedError,
  OrderNotReadyError,
  RejectedIdentifierError,
} from '../../../../lambdas/domain/contract/errors.ts';
import type { CertificateAuthority, Challenge, Order } from '../../../../lambdas/domain/ports/acme.ts';
import { endsIn } from '../../../../lambdas/domain/rules/certificate/chain-end.ts';
import { type DnsServer, startDnsServer } from '../../../../local/dns-server.ts';
import { install } from '../../../../local/install.ts';
import type { StoredZone } from '../../../../local/ministack.ts';
import { type Pebble, startPebble } from '../../../../local/pebble.ts';
import { newKey } from './scripted-ca.ts';

const accountKey = newKey('P-256');
const now = () => new Date();
const records = new Map<string, string[]>();

let folder: string;
let dns: DnsServer;
let pebble: Pebble;
let issuer: Issuer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acme-'));
  dns = await startDnsServer(async () => [zone()]);
  pebble = await startPebble(await install(), folder, dns.addresses.validation, { alternateRoots: 2 });
  issuer = {
    name: 'pebble',
    directoryUrl: pebble.directoryUrl,
    termsOfServiceAgreed: true,
    contact: [],
    challenges: ['dns-01'],
    staging: true,
    newOrders: null,
    externalAccountBinding: null,
    preferredChain: null,
    replyTimeout: 45,
    keyRollover: true,
  };
});
afterAll(async () => {
  await Promise.all([pebble?.stop(), dns?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

function newAcme() {
  return createAcme({ userAgent: 'perennial/test', now, trustedRoots: { [pebble.directoryUrl]: pebble.trustedRoots } });
}

function zone(): StoredZone {
  const texts = [...records].map(([name, values]) => ({ name: `${name}.`, type: 'TXT', ttl: 60, values }));
  const soa = 'ns.example.com. admin.example.com. 1 7200 900 1209600 86400';
  return {
    id: 'Z1',
    name: 'example.com.',
    records: [{ name: 'example.com.', type: 'SOA', ttl: 900, values: [soa] }, ...texts],
  };
}

async function connect(privateKey = accountKey) {
  const acme = newAcme();
  const { url } = await acme.newAccount(issuer, privateKey);
  const account = { url, privateKey };
  return { acme, account, ca: acme.connect(issuer, account) };
}

/** Issues a certificate with this account and key by DNS. Returns its chain and its URL. */
async function issue(ca: CertificateAuthority, identifier: string, privateKey: string) {
  const order = await ca.newOrder({ identifiers: [identifier], profile: 'tlsserver' });
  for (const url of order.authorizations) {
    const { status, challenges } = await ca.authorization(url);
    if (status === 'valid') continue;
    const challenge = dnsChallenge(challenges);
    records.set(`_acme-challenge.${identifier}`, [`"${ca.challengeValue(challenge)}"`]);
    await ca.respond(challenge.url);
  }
  await settled(() => ca.order(order.url), ['pending']);
  await ca.finalize(order, [identifier], privateKey);
  const { certificate } = await settled(() => ca.order(order.url), ['processing']);
  return ca.certificate(certificate ?? '');
}

const dnsChallenge = (challenges: readonly Challenge[]) => {
  const challenge = challenges.find(({ type }) => type === 'dns-01');
  if (!challenge) throw new Error('Pebble offers no dns-01 challenge');
  return challenge;
};

/** Pebble sleeps for at most five seconds before it validates, and sends a Retry-After of one second. */
async function settled(read: () => Promise<Order>, unsettled: readonly string[]): Promise<Order> {
  let order = await read();
  for (let tries = 0; unsettled.includes(order.status) && tries < 60; tries += 1) {
    await pause((order.retryAfter ?? 1) * 1000);
    order = await read();
  }
  return order;
}

test('returns the same account for the same key', async () => {
  const acme = newAcme();
  const first = await acme.newAccount(issuer, accountKey);
  expect(first.created).toBe(true);
  expect(await acme.newAccount(issuer, accountKey)).toEqual({ url: first.url, created: false });
  acme.close();
});

test.concurrent.each(['P-256', 'P-384', 'RSA-2048'] as const)(
  'apex and wildcard with %s, from the order to the chain',
  async (kind) => {
    const { acme, ca } = await connect();
    const identifiers = [`*.${kind.toLowerCase()}.example.com`, `${kind.toLowerCase()}.example.com`];
    const order = await ca.newOrder({ identifiers, profile: 'tlsserver' });
    const authorizations = await Promise.all(order.authorizations.map(ca.authorization));
    expect(authorizations.map(({ identifier }) => identifier).sort()).toEqual(identifiers);

    const open = authorizations.filter(({ status }) => status === 'pending');
    const challenges = open.map((authorization) => dnsChallenge(authorization.challenges));
    const name = `_acme-challenge.${kind.toLowerCase()}.example.com`;
    records.set(
      name,
      challenges.map((challenge) => `"${ca.challengeValue(challenge)}"`),
    );
    for (const { url } of challenges) await ca.respond(url);
    expect((await settled(() => ca.order(order.url), ['pending'])).status).toBe('ready');

    const key = newKey(kind);
    const finalized = await ca.finalize(order, identifiers, key);
    const valid = await settled(() => ca.order(order.url), ['processing']);
    expect({ finalized: finalized.url, status: valid.status }).toEqual({ finalized: order.url, status: 'valid' });
    const [leaf, intermediate] = (await ca.certificate(valid.certificate ?? '')).pem.split(/(?=-----BEGIN)/);
    const certificate = new X509Certificate(leaf ?? '');
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.subjectAltName?.split(', ').sort()).toEqual(identifiers.map((each) => `DNS:${each}`));
    expect(new X509Certificate(intermediate ?? '').ca).toBe(true);
    acme.close();
  },
);

test('finds the problem of a failed validation in its challenge', async () => {
  const { acme, ca } = await connect();
  const order = await ca.newOrder({ identifiers: ['failing.example.com'], profile: null });
  const [url = ''] = order.authorizations;
  await ca.respond(dnsChallenge((await ca.authorization(url)).challenges).url);
  expect((await settled(() => ca.order(order.url), ['pending'])).status).toBe('invalid');
  const { status, challenges } = await ca.authorization(url);
  expect(status).toBe('invalid');
  expect(dnsChallenge(challenges).error?.type).toMatch(/^urn:ietf:params:acme:error:(dns|unauthorized)$/);
  acme.close();
});

test('throws the class of a problem that Pebble sends', async () => {
  const { acme, ca } = await connect();
  const refused = ca.newOrder({ identifiers: ['example.com'], profile: 'clasic' });
  await expect(refused).rejects.toThrow(InvalidProfileError);
  await expect(refused).rejects.toThrow(/offers .*shortlived/);
  const blocked = ca.newOrder({ identifiers: ['www.blocked-domain.example'], profile: null });
  await expect(blocked).rejects.toThrow(RejectedIdentifierError);
  const early = await ca.newOrder({ identifiers: ['early.example.com'], profile: null });
  await expect(ca.finalize(early, ['early.example.com'], newKey('P-256'))).rejects.toThrow(OrderNotReadyError);
  await expect(ca.order(`${early.url}0`)).rejects.toMatchObject({
    name: MalformedError.name,
    problem: { status: 404 },
  });
  acme.close();
});

test('throws for a server with an untrusted root', async () => {
  const acme = createAcme({ userAgent: 'perennial/test', now });
  const stranger = { ...issuer, directoryUrl: issuer.directoryUrl.replace('/dir', '/dir?stranger') };
  await expect(acme.newAccount(stranger, accountKey)).rejects.toThrow(CaUnavailableError);
  acme.close();
});

test('changes the key of an account and keeps the account', async () => {
  const { acme, account } = await connect(newKey('P-256'));
  const privateKey = newKey('P-256');
  await acme.changeKey(issuer, account, privateKey);
  expect(await acme.findAccount(issuer, privateKey)).toBe(account.url);
  expect(await acme.findAccount(issuer, account.privateKey)).toBeNull();
  const order = { identifiers: ['rolled.example.com'], profile: null };
  await expect(acme.connect(issuer, account).newOrder(order)).rejects.toThrow(MalformedError);
  expect((await acme.connect(issuer, { ...account, privateKey }).newOrder(order)).url).toMatch(/^https:/);
  acme.close();
});

test('cannot order with a deactivated account, and recognises that the account is the reason', async () => {
  const { acme, account, ca } = await connect(newKey('P-256'));
  await acme.checkAccount(issuer, account);
  await acme.deactivate(issuer, account);
  const refused = ca.newOrder({ identifiers: ['gone.example.com'], profile: null });
  await expect(refused).rejects.toThrow(AccountNotValidError);
  await expect(acme.checkAccount(issuer, account)).rejects.toThrow(AccountNotValidError);
  await expect(acme.checkAccount(issuer, { ...account, privateKey: accountKey })).rejects.toThrow(MalformedError);
  acme.close();
});

test('changes the contact of an account, and names a contact that the CA does not accept', async () => {
  const { acme, account } = await connect(newKey('P-256'));
  await acme.updateContact({ ...issuer, contact: ['mailto:tls@example.com'] }, account);
  const wrong = acme.updateContact({ ...issuer, contact: ['https://example.com'] }, account);
  await expect(wrong).rejects.toThrow(ContactRefusedError);
  await acme.checkAccount(issuer, account);
  acme.close();
});

test('revokes a certificate with the account or its own key, also twice', async () => {
  const { acme, account, ca } = await connect();
  const status = async (pem: string) => {
    const { serialNumber } = new X509Certificate(pem);
    return JSON.parse(await pebble.manage('GET', `/cert-status-by-serial/${serialNumber.toLowerCase()}`)).Status;
  };
  const first = (await issue(ca, 'superseded.example.com', newKey('P-256'))).pem;
  expect(await status(first)).toBe('Valid');
  await acme.revoke(issuer, account, first, 4);
  expect(await status(first)).toBe('Revoked');
  await acme.revoke(issuer, account, first, 4);

  const certificateKey = newKey('RSA-2048');
  const second = (await issue(ca, 'compromised.example.com', certificateKey)).pem;
  await acme.revoke(issuer, { certificateKey }, second, 1);
  expect(await status(second)).toBe('Revoked');
  acme.close();
});

test('downloads the same leaf with a chain to each alternate root', async () => {
  const { acme, ca } = await connect();
  const { pem, alternates } = await issue(ca, 'alternate.example.com', newKey('P-256'));
  expect(alternates).toHaveLength(2);
  const chains = [pem, ...(await Promise.all(alternates.map(async (url) => (await ca.certificate(url)).pem)))];
  expect(new Set(chains.map((chain) => new X509Certificate(chain).serialNumber)).size).toBe(1);
  const roots = await Promise.all([0, 1, 2].map((index) => pebble.issuingRoot(index)));
  const names = roots.map((root) => /CN=(.+)/.exec(new X509Certificate(root).subject)?.[1] ?? '');
  expect(new Set(names).size).toBe(3);
  for (const name of names) expect(chains.filter((chain) => endsIn(chain, name))).toHaveLength(1);
  acme.close();
});

test('cannot register without a valid binding at a CA that requires one', async () => {
  const strictFolder = mkdtempSync(join(tmpdir(), 'acme-'));
  const hmacKey = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';
  const strict = await startPebble(await install(), strictFolder, dns.addresses.validation, {
    externalAccountKeys: { 'key-1': hmacKey },
  });
  const acme = createAcme({
    userAgent: 'perennial/test',
    now,
    trustedRoots: { [strict.directoryUrl]: strict.trustedRoots },
  });
  const bound = { ...issuer, directoryUrl: strict.directoryUrl };
  await expect(acme.newAccount(bound, accountKey)).rejects.toThrow(ExternalAccountRequiredError);
  for (const wrong of [
    { kid: 'key-2', hmacKey },
    { kid: 'key-1', hmacKey: hmacKey.replace('z', 'a') },
  ]) {
    await expect(acme.newAccount(bound, accountKey, wrong)).rejects.toThrow(ExternalAccountBindingError);
  }
  expect(await acme.findAccount(bound, accountKey)).toBeNull();
  const { url } = await acme.newAccount(bound, accountKey, { kid: 'key-1', hmacKey });
  expect(await acme.findAccount(bound, accountKey)).toBe(url);
  acme.close();
  await strict.stop();
  rmSync(strictFolder, { recursive: true, force: true });
});
