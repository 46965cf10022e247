import type { LookupFunction } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAcme } from '../../../../lambdas/adapters/acme/acme.ts';
import { createConnections, type Network } from '../../../../lambdas/adapters/acme/connections.ts';
import { createRenewalInfos } from '../../../../lambdas/adapters/acme/fetch-renewal-info.ts';
import { CaUnavailableError } from '../../../../lambdas/domain/contract/errors.ts';
import { makeAuthority, pemOf } from '../../../fakes/certificates.ts';
import { newKey, type ScriptedCa, startScriptedCa } from './scripted-ca.ts';

/** A CA whose names all lead to 127.0.0.1. The tests decide which of its addresses counts as public. */
let ca: ScriptedCa;
/** Another server on loopback, like the runtime API of Lambda. */
let inside: ScriptedCa;
beforeEach(async () => {
  [ca, inside] = await Promise.all([startScriptedCa(), startScriptedCa()]);
  inside.script('/secret', {}, {});
  return () => Promise.all([ca.stop(), inside.stop()]);
});

/** Answers with these addresses, by host. A host without an entry has the address of this machine. */
const lookupOf =
  (addresses: Readonly<Record<string, readonly string[]>>): LookupFunction =>
  (host, { all }, callback) => {
    const found = (addresses[host] ?? ['127.0.0.1']).map((address) => ({ address, family: 4 }));
    if (all) callback(null, found);
    else callback(null, found[0]?.address ?? '', 4);
  };

const named = (url: string, host: string) => url.replace('127.0.0.1', host);
const options = (network: Network) => ({
  userAgent: 'perennial/test',
  now: () => new Date('2026-11-20T10:00:00Z'),
  network,
});
const issuerAt = (host: string) => ({ ...ca.issuer, directoryUrl: named(ca.issuer.directoryUrl, host) });

/** Everything is public except the address of the other server. */
const publicCa = (addresses: Readonly<Record<string, readonly string[]>>): Network => ({
  lookup: lookupOf(addresses),
  isPublic: (address) => address === '127.0.0.1',
});

let open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open) each.close();
  open = [];
  vi.unstubAllEnvs();
});
function acmeWith(network: Network) {
  const acme = createAcme(options(network));
  open.push(acme);
  return acme;
}

describe('a public CA', () => {
  test.each(['HEAD', 'POST', 'GET'])('cannot direct a %s to a private address by a DNS name', async (method) => {
    const network = publicCa({ 'inside.example': ['127.0.0.2'] });
    const target = named(inside.url('/secret'), 'inside.example');
    const resources = {
      newNonce: ca.url('/new-nonce'),
      newAccount: ca.url('/new-account'),
      newOrder: ca.url('/new-order'),
    };
    const at = Object.fromEntries(Object.entries(resources).map(([key, url]) => [key, named(url, 'ca.example')]));
    const bad = { HEAD: { newNonce: target }, POST: { newAccount: target }, GET: { renewalInfo: target } }[method];
    ca.script('/directory', { nonce: null, body: { ...at, ...bad } });
    if (method === 'GET') {
      const infos = createRenewalInfos(options(network));
      open.push(infos);
      const answer = await infos.fetch(issuerAt('ca.example'), 'id');
      expect(answer).toMatchObject({ failed: expect.stringContaining('the private address 127.0.0.2') });
    } else {
      const refused = acmeWith(network).newAccount(issuerAt('ca.example'), newKey('P-256'));
      await expect(refused).rejects.toThrow(CaUnavailableError);
      await expect(refused).rejects.toThrow(/the CA named inside\.example, which has the private address 127\.0\.0\.2/);
    }
    expect(inside.requests).toEqual([]);
  });

  test('cannot redirect a request for its directory to a private address', async () => {
    const network = publicCa({ 'inside.example': ['127.0.0.2'] });
    const location = named(inside.url('/secret'), 'inside.example');
    ca.script('/directory', { status: 302, headers: { location } });
    const refused = acmeWith(network).newAccount(issuerAt('ca.example'), newKey('P-256'));
    await expect(refused).rejects.toThrow(/the CA named inside\.example, which has the private address 127\.0\.0\.2/);
    const infos = createRenewalInfos(options(network));
    open.push(infos);
    const answer = await infos.fetch(issuerAt('ca.example'), 'id');
    expect(answer).toMatchObject({ failed: expect.stringContaining('the private address 127.0.0.2') });
    expect(inside.requests).toEqual([]);
  });

  test('cannot direct a request to an address', async () => {
    const acme = acmeWith(publicCa({}));
    const order = acme.connect(issuerAt('ca.example'), { url: ca.url('/account/1'), privateKey: newKey('P-256') });
    await expect(order.order(inside.url('/secret'))).rejects.toThrow('which has an address in place of a DNS name');
    expect(inside.requests).toEqual([]);
  });

  test.each([
    ['the directory', 'names'],
    ['a redirect', 'redirects to'],
  ])('cannot direct a request for renewal information to an address by %s', async (_, how) => {
    const target = inside.url('/secret');
    ca.script(
      '/directory',
      how === 'names' ? { body: { renewalInfo: target } } : { status: 302, headers: { location: target } },
    );
    const infos = createRenewalInfos(options(publicCa({})));
    open.push(infos);
    const answer = await infos.fetch(issuerAt('ca.example'), 'id');
    expect(answer).toMatchObject({ failed: expect.stringContaining('which has an address in place of a DNS name') });
    expect(inside.requests).toEqual([]);
  });

  test('cannot redirect a POST', async () => {
    scriptNames(ca, 'ca.example');
    ca.script('/new-account', { status: 307, headers: { location: inside.url('/secret') } });
    await expect(acmeWith(publicCa({})).newAccount(issuerAt('ca.example'), newKey('P-256'))).rejects.toThrow(
      'HTTP 307',
    );
    expect(inside.requests).toEqual([]);
  });

  test('is reached without the proxy of the environment', async () => {
    vi.stubEnv('http_proxy', inside.url('/'));
    scriptNames(ca, 'ca.example');
    ca.script('/new-account', { status: 400, body: 'reached' });
    await expect(acmeWith(publicCa({})).newAccount(issuerAt('ca.example'), newKey('P-256'))).rejects.toThrow('reached');
    expect(inside.requests).toEqual([]);
  });

  test('cannot declare itself private by its answers of DNS', async () => {
    let addresses = ['127.0.0.1'];
    const lookup: LookupFunction = (host, request, callback) =>
      lookupOf({ 'ca.example': addresses, 'inside.example': ['127.0.0.2'] })(host, request, callback);
    const network = { lookup, isPublic: (address: string) => address === '127.0.0.1' };
    const issuer = issuerAt('ca.example');
    const key = newKey('P-256');
    scriptNames(ca, 'ca.example');
    await expect(acmeWith(network).newAccount(issuer, key)).rejects.toThrow('nothing scripted');
    // Nothing listens at this address, so the connection fails and proves nothing.
    addresses = ['127.0.0.3'];
    const second = acmeWith(network);
    await expect(second.newAccount(issuer, key)).rejects.toThrow('ECONNREFUSED');
    const target = named(inside.url('/secret'), 'inside.example');
    await expect(second.connect(issuer, { url: 'x', privateKey: key }).order(target)).rejects.toThrow(
      CaUnavailableError,
    );
    expect(inside.requests).toEqual([]);
  });

  test('that had a private address cannot name private hosts any more after it moved to a public one', async () => {
    let isPublic = false;
    const network = {
      lookup: lookupOf({ 'inside.example': ['127.0.0.2'] }),
      isPublic: (address: string) => isPublic && address === '127.0.0.1',
    };
    const issuer = issuerAt('ca.example');
    const key = newKey('P-256');
    scriptNames(ca, 'ca.example');
    await expect(acmeWith(network).newAccount(issuer, key)).rejects.toThrow('nothing scripted');
    isPublic = true;
    const second = acmeWith(network);
    await expect(second.newAccount(issuer, key)).rejects.toThrow('nothing scripted');
    const target = named(inside.url('/secret'), 'inside.example');
    const authority = second.connect(issuer, { url: 'x', privateKey: key });
    await expect(authority.order(target)).rejects.toThrow('has the private address 127.0.0.2');
    expect(inside.requests).toEqual([]);
  });

  test('may name another public host', async () => {
    const acme = acmeWith(publicCa({ 'orders.example': ['127.0.0.1'] }));
    const order = { status: 'valid', finalize: ca.url('/finalize'), authorizations: [] };
    ca.script('/order/1', { body: order });
    const authority = acme.connect(issuerAt('ca.example'), { url: ca.url('/account/1'), privateKey: newKey('P-256') });
    scriptNames(ca, 'ca.example');
    expect(await authority.order(named(ca.url('/order/1'), 'orders.example'))).toMatchObject({ status: 'valid' });
  });
});

/** Makes the directory name this host, because an address would be refused. */
function scriptNames(server: ScriptedCa, host: string): void {
  const resources = { newNonce: '/new-nonce', newAccount: '/new-account', newOrder: '/new-order' };
  const body = Object.fromEntries(Object.entries(resources).map(([key, path]) => [key, named(server.url(path), host)]));
  server.script('/directory', { nonce: null, body });
}

test('a private CA may name another private host', async () => {
  const acme = acmeWith({
    lookup: lookupOf({ 'ca.internal.example': ['127.0.0.1'], 'orders.internal.example': ['127.0.0.1'] }),
  });
  scriptNames(ca, 'ca.internal.example');
  ca.script('/order/1', { body: { status: 'valid', finalize: ca.url('/finalize'), authorizations: [] } });
  const authority = acme.connect(issuerAt('ca.internal.example'), {
    url: ca.url('/account/1'),
    privateKey: newKey('P-256'),
  });
  const url = named(ca.url('/order/1'), 'orders.internal.example');
  expect(await authority.order(url)).toMatchObject({ status: 'valid' });
});

test('a private CA may name private hosts also after a request to a public one', async () => {
  let isPublic = false;
  const acme = acmeWith({ lookup: lookupOf({}), isPublic: () => isPublic });
  scriptNames(ca, 'ca.internal.example');
  const order = { body: { status: 'valid', finalize: ca.url('/finalize'), authorizations: [] } };
  ca.script('/order/1', order, order, order);
  const account = { url: ca.url('/account/1'), privateKey: newKey('P-256') };
  const authority = acme.connect(issuerAt('ca.internal.example'), account);
  for (const host of ['ca.internal.example', 'public.example', 'orders.internal.example']) {
    isPublic = host === 'public.example';
    expect(await authority.order(named(ca.url('/order/1'), host)), host).toMatchObject({ status: 'valid' });
  }
});

describe('an issuer with trusted roots', () => {
  test('has one parsed list of roots for all of its connections, also in later invocations', async () => {
    const directoryUrl = 'https://ca.test/directory';
    const { certificate } = await makeAuthority({ name: 'root' });
    const trustedRoots = { [directoryUrl]: pemOf(certificate) };
    const contextOf = () => createConnections({ maxSockets: 1, trustedRoots }).to({ directoryUrl }).httpsAgent.options;
    expect(contextOf().secureContext).toBeDefined();
    expect(contextOf().secureContext).toBe(contextOf().secureContext);
    expect(contextOf().ca).toBeUndefined();
    expect(
      createConnections({ maxSockets: 1, trustedRoots }).to({ directoryUrl: 'https://other.test/directory' }).httpsAgent
        .options.secureContext,
    ).toBeUndefined();
  });
});
