import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAcme } from '../../../../lambdas/adapters/acme/acme.ts';
import { createRenewalInfos } from '../../../../lambdas/adapters/acme/fetch-renewal-info.ts';
import type { Issuer } from '../../../../lambdas/domain/contract/config.ts';
import { certificateId } from '../../../../lambdas/domain/rules/certificate/certificate-id.ts';
import { type DnsServer, startDnsServer } from '../../../../local/dns-server.ts';
import { install } from '../../../../local/install.ts';
import { type Pebble, startPebble } from '../../../../local/pebble.ts';
import { newKey } from './scripted-ca.ts';

const now = () => new Date();
const day = 86_400_000;
const name = '_acme-challenge.example.com';

let folder: string;
let dns: DnsServer;
let pebble: Pebble;
let issuer: Issuer;
let leaf: string;
let proof: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'renewal-info-'));
  const soa = 'ns.example.com. admin.example.com. 1 7200 900 1209600 86400';
  dns = await startDnsServer(async () => [
    {
      id: 'Z1',
      name: 'example.com.',
      records: [
        { name: 'example.com.', type: 'SOA', ttl: 900, values: [soa] },
        { name: `${name}.`, type: 'TXT', ttl: 60, values: [`"${proof}"`] },
      ],
    },
  ]);
  const chaos = { rejectNonces: false, validationSleep: false };
  pebble = await startPebble(await install(), folder, dns.addresses.validation, { chaos });
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
  leaf = await issue();
});
afterAll(async () => {
  await Promise.all([pebble?.stop(), dns?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Issues a certificate for example.com with 90 days. Returns the PEM of the leaf. */
async function issue(): Promise<string> {
  const acme = createAcme({
    userAgent: 'perennial/test',
    now,
    trustedRoots: { [pebble.directoryUrl]: pebble.trustedRoots },
  });
  const privateKey = newKey('P-256');
  const ca = acme.connect(issuer, { ...(await acme.newAccount(issuer, privateKey)), privateKey });
  const order = await ca.newOrder({ identifiers: ['example.com'], profile: 'default' });
  for (const url of order.authorizations) {
    const { challenges } = await ca.authorization(url);
    const challenge = challenges.find(({ type }) => type === 'dns-01');
    if (!challenge) throw new Error('Pebble offers no dns-01 challenge');
    proof = ca.challengeValue(challenge);
    await ca.respond(challenge.url);
  }
  const reached = async (status: string) => {
    for (let tries = 0; tries < 120; tries += 1) {
      const seen = await ca.order(order.url);
      if (seen.status === status) return seen;
      await pause(500);
    }
    throw new Error(`The order did not become ${status}`);
  };
  await ca.finalize(await reached('ready'), ['example.com'], newKey('P-256'));
  const { certificate } = await reached('valid');
  const { pem } = await ca.certificate(certificate ?? '');
  acme.close();
  return pem.split(/(?=-----BEGIN)/)[0] ?? '';
}

async function ask(id: string) {
  const infos = createRenewalInfos({
    userAgent: 'perennial/test',
    now,
    trustedRoots: { [pebble.directoryUrl]: pebble.trustedRoots },
  });
  return infos.fetch(issuer, id).finally(infos.close);
}

test('reads the window of a certificate at about two thirds of its lifetime', async () => {
  const id = certificateId(leaf) ?? '';
  expect(await ask(id)).toEqual({
    start: expect.any(Date),
    end: expect.any(Date),
    explanationUrl: null,
    retryAfter: 21_600,
  });
  const { start, end } = (await ask(id)) as { readonly start: Date; readonly end: Date };
  const middle = (start.getTime() + end.getTime()) / 2 - Date.now();
  expect(Math.abs(middle - 60 * day)).toBeLessThan(day);
});

test('reads a window in the past with its explanation URL', async () => {
  const suggestedWindow = { start: '2026-01-01T00:00:00Z', end: '2026-01-01T00:30:00Z' };
  const answer = { suggestedWindow, explanationURL: 'https://ca.example/drill' };
  await pebble.manage('POST', '/set-renewal-info/', { Certificate: leaf, ARIResponse: JSON.stringify(answer) });
  expect(await ask(certificateId(leaf) ?? '')).toMatchObject({
    start: new Date('2026-01-01T00:00:00Z'),
    end: new Date('2026-01-01T00:30:00Z'),
    explanationUrl: 'https://ca.example/drill',
  });
});

test('returns a long-term failure for an unknown certificate', async () => {
  expect(await ask('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE')).toMatchObject({ temporary: false });
});

test('returns a failure for a server with an untrusted root', async () => {
  const infos = createRenewalInfos({ userAgent: 'perennial/test', now });
  const stranger = { ...issuer, directoryUrl: `${issuer.directoryUrl}?stranger` };
  expect(await infos.fetch(stranger, certificateId(leaf) ?? '').finally(infos.close)).toEqual({
    failed: expect.stringMatching(/SIGNED|UNABLE/),
    temporary: false,
    retryAfter: null,
  });
});
