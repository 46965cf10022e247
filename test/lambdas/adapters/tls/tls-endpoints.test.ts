import { createServer as createHttpServer } from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createHostLookup } from '../../../../lambdas/adapters/dns/host-lookup.ts';
import { createTlsEndpoints } from '../../../../lambdas/adapters/tls/tls-endpoints.ts';
import type { KeyType } from '../../../../lambdas/domain/contract/config.ts';
import { freePort } from '../../../../local/processes.ts';
import { type Authority, makeAuthority, makeLeaf, makePrivateKey, withoutEnd } from '../../../fakes/certificates.ts';
import { hosts, type Script, serve, systemResolverAt } from '../dns/scripted-server.ts';
import { inVirtualTime, stopTime } from '../virtual-time.ts';

stopTime();

interface Pair {
  readonly key: string;
  readonly cert: string;
}

const name = 'www.localhost';
let issuer: Authority;
let ec: Pair;
let rsa: Pair;
const closers: (() => unknown)[] = [];

async function pair(keyType: KeyType, serialNumber: string, dates: object = {}): Promise<Pair> {
  const key = makePrivateKey(keyType);
  return { key, cert: await makeLeaf(issuer, { identifiers: [name], privateKey: key, serialNumber, ...dates }) };
}

beforeAll(async () => {
  issuer = await makeAuthority({ name: 'Test CA' });
  ec = await pair('P-256', '0ec001');
  rsa = await pair('RSA-2048', '7a5001');
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Starts the server on loopback and returns its endpoint. */
async function listen(server: net.Server): Promise<string> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    sockets.add(socket);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `${name}:${port}`;
}

function tlsServer(options: tls.TlsOptions): tls.Server {
  const server = tls.createServer(options);
  server.on('tlsClientError', () => {});
  return server;
}

const twins = () => ({ key: [ec.key, rsa.key], cert: [ec.cert, rsa.cert] });
const shown = (endpoint: string, keyType: KeyType = 'P-256') => createTlsEndpoints().shown(endpoint, keyType);

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a server with %s', (version) => {
  const versions = { minVersion: version, maxVersion: version };

  test.each([
    ['P-256', '0ec001'],
    ['RSA-2048', '7a5001'],
  ] as const)('and has an ECDSA and an RSA certificate shows the one of a %s key', async (keyType, serialNumber) => {
    const endpoint = await listen(tlsServer({ ...twins(), ...versions }));
    expect(await shown(endpoint, keyType)).toEqual({ found: { serialNumber, notAfter: '2026-05-30T10:59:59.000Z' } });
  });

  test('that prefers RSA presents the ECDSA certificate to a client that accepts ECDSA only', async () => {
    const ciphers = 'ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256';
    const options = { ...twins(), ...versions, honorCipherOrder: true, ...(version === 'TLSv1.2' && { ciphers }) };
    expect(await shown(await listen(tlsServer(options)))).toMatchObject({ found: { serialNumber: '0ec001' } });
  });

  test('that has only a certificate of another key type presents that one', async () => {
    const endpoint = await listen(tlsServer({ ...rsa, ...versions }));
    expect(await shown(endpoint, 'P-384')).toMatchObject({ found: { serialNumber: '7a5001' } });
  });
});

test('reads a certificate with a key of another curve', async () => {
  const endpoint = await listen(tlsServer(await pair('P-384', '384')));
  expect(await shown(endpoint, 'P-256')).toMatchObject({ found: { serialNumber: '0384' } });
});

test('sends the name of the endpoint to a server with many names', async () => {
  const asked: string[] = [];
  const other = await pair('P-256', '0b');
  const server = tlsServer({
    ...other,
    SNICallback(servername, done) {
      asked.push(servername);
      done(null, tls.createSecureContext(servername === name ? ec : other));
    },
  });
  expect(await shown(await listen(server))).toMatchObject({ found: { serialNumber: '0ec001' } });
  expect(asked).toEqual([name]);
});

test('reads a certificate that is expired, self-signed and has another name', async () => {
  const expired = await pair('P-256', '0dead1', {
    notBefore: '2019-01-01T00:00:00Z',
    notAfter: '2019-02-01T00:00:00Z',
  });
  expect(await shown(await listen(tlsServer(expired)))).toEqual({
    found: { serialNumber: '0dead1', notAfter: '2019-02-01T00:00:00.000Z' },
  });
});

test('reads the certificate of a server that requires a client certificate', async () => {
  const endpoint = await listen(tlsServer({ ...ec, requestCert: true, rejectUnauthorized: true }));
  expect(await shown(endpoint)).toMatchObject({ found: { serialNumber: '0ec001' } });
});

test('sends no data over the connection', async () => {
  const server = tlsServer(ec);
  const received: Buffer[] = [];
  const closed = new Promise<void>((resolve) => {
    server.on('secureConnection', (socket) => {
      socket.on('data', (bytes: Buffer) => received.push(bytes));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
  });
  await shown(await listen(server));
  await closed;
  expect(received).toEqual([]);
});

describe('a name with several addresses', () => {
  const at = (...addresses: readonly string[]): net.LookupFunction => {
    const all = addresses.map((address) => ({ address, family: net.isIP(address) }));
    return (_, __, done) => done(null, all);
  };

  test('is reached at the address that answers, by IPv6 or IPv4', async () => {
    const [, port] = (await listen(tlsServer(ec))).split(':');
    const endpoints = createTlsEndpoints({ lookup: at('::1', '127.0.0.1') });
    expect(await endpoints.shown(`www.example.com:${port}`, 'P-256')).toMatchObject({
      found: { serialNumber: '0ec001' },
    });
  });

  test('that all refuse gives one reason', async () => {
    const endpoints = createTlsEndpoints({ lookup: at('127.0.0.2', '127.0.0.3') });
    expect(await endpoints.shown(`www.example.com:${await freePort()}`, 'P-256')).toEqual({
      failed: 'it refused the connection',
    });
  });

  test('that are IPv6 only cannot be reached without IPv6', async () => {
    // An address of the documentation prefix, RFC 3849, which is not routed or does not answer.
    const endpoints = createTlsEndpoints({ lookup: at('2001:db8::1') });
    const { result } = await inVirtualTime(() => endpoints.shown('www.example.com:443', 'P-256'));
    expect(result).toEqual({
      failed: expect.stringMatching(/^(its address cannot be reached from here|no handshake within 5 s)$/),
    });
  });
});

describe('a failed handshake', () => {
  test('with a server whose certificate has no time as its end of validity', async () => {
    const endpoint = await listen(tlsServer({ ...ec, cert: withoutEnd(ec.cert) }));
    expect(await shown(endpoint)).toEqual({ failed: 'it presented a certificate whose end of validity is not a time' });
  });

  test('with a server that sends messages without an end', async () => {
    const message = Buffer.concat([Buffer.from([22, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff]), Buffer.alloc(16_380)]);
    const server = net.createServer((socket) => {
      const send = () => {
        while (socket.writable && socket.write(message));
      };
      socket.on('drain', send);
      send();
    });
    expect(await shown(await listen(server))).toEqual({ failed: expect.stringContaining('excessive message size') });
  });

  test('ends in time with a server that never answers', async () => {
    const endpoint = await listen(net.createServer());
    const { result, milliseconds } = await inVirtualTime(() => shown(endpoint));
    expect(result).toEqual({ failed: 'no handshake within 5 s' });
    expect(milliseconds).toBe(5_000);
  });

  test('with a server that resets the connection', async () => {
    const server = net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await shown(await listen(server))).toEqual({ failed: 'it reset the connection during the handshake' });
  });

  test('with a server that closes the connection', async () => {
    const server = net.createServer((socket) => socket.once('data', () => socket.end()));
    expect(await shown(await listen(server))).toEqual({ failed: 'it reset the connection during the handshake' });
  });

  test('with a server that uses HTTP', async () => {
    const endpoint = await listen(createHttpServer((_, response) => response.end('hello')));
    expect(await shown(endpoint)).toEqual({ failed: 'the server does not use TLS on this port' });
  });

  test('with a closed port', async () => {
    expect(await shown(`${name}:${await freePort()}`)).toEqual({ failed: 'it refused the connection' });
  });

  test.each<[string, Script, string]>([
    ['does not exist', hosts({}), 'its name has no address in DNS'],
    ['cannot be looked up', () => ({ code: 2 }), 'the address of www.example.test cannot be looked up (ESERVFAIL)'],
    ['is not answered by DNS', () => null, 'DNS gave no address of www.example.test within 3 s'],
  ])('with a server whose name %s', async (_, script, failed) => {
    const dns = await serve(script);
    closers.push(dns.close);
    const endpoints = createTlsEndpoints({ lookup: createHostLookup(systemResolverAt(dns.address)) });
    const { result } = await inVirtualTime(() => endpoints.shown('www.example.test:443', 'P-256'));
    expect(result).toEqual({ failed });
  });

  test('with a server that has no certificate for the name', async () => {
    const server = tlsServer({ SNICallback: (_, done) => done(null, undefined) });
    expect(await shown(await listen(server))).toEqual({ failed: 'it refused the handshake' });
  });

  test('with a server that supports TLS 1.1 only', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await shown(await listen(tlsServer({ ...ec, ...old })))).toEqual({
      failed: 'it supports neither TLS 1.2 nor TLS 1.3',
    });
  });
});
