import { createServer as createHttpServer } from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createTlsEndpoints } from '../../../../lambdas/adapters/tls/tls-endpoints.ts';
import type { KeyType } from '../../../../lambdas/domain/contract/config.ts';
import { freePort } from '../../../../local/processes.ts';
import { type Authority, makeAuthority, makeLeaf, makePrivateKey } from '../../../fakes/certificates.ts';

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

/** Listens on loopback, and names itself as endpoint. */
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
const shown = (endpoint: string, keyType: KeyType = 'P-256', limit?: number) =>
  createTlsEndpoints({ ...(limit !== undefined && { limit }) }).shown(endpoint, keyType);

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a server that speaks %s', (version) => {
  const versions = { minVersion: version, maxVersion: version };

  test.each([
    ['P-256', '0ec001'],
    ['RSA-2048', '7a5001'],
  ] as const)('and has an ECDSA and an RSA certificate shows the one of a %s key', async (keyType, serialNumber) => {
    const endpoint = await listen(tlsServer({ ...twins(), ...versions }));
    expect(await shown(endpoint, keyType)).toEqual({ found: { serialNumber, notAfter: '2026-05-30T10:59:59.000Z' } });
  });

  test('and prefers RSA where it may choose shows the ECDSA one all the same', async () => {
    const ciphers = 'ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256';
    const options = { ...twins(), ...versions, honorCipherOrder: true, ...(version === 'TLSv1.2' && { ciphers }) };
    expect(await shown(await listen(tlsServer(options)))).toMatchObject({ found: { serialNumber: '0ec001' } });
  });

  test('and has only the certificate of before the key type changed shows that', async () => {
    const endpoint = await listen(tlsServer({ ...rsa, ...versions }));
    expect(await shown(endpoint, 'P-384')).toMatchObject({ found: { serialNumber: '7a5001' } });
  });
});

test('a key of another curve is shown as it is', async () => {
  const endpoint = await listen(tlsServer(await pair('P-384', '384')));
  expect(await shown(endpoint, 'P-256')).toMatchObject({ found: { serialNumber: '0384' } });
});

test('a server of many names is asked for its own', async () => {
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

test('a certificate that nobody would trust is one that is shown: expired, self-signed, of another name', async () => {
  const expired = await pair('P-256', '0dead1', {
    notBefore: '2019-01-01T00:00:00Z',
    notAfter: '2019-02-01T00:00:00Z',
  });
  expect(await shown(await listen(tlsServer(expired)))).toEqual({
    found: { serialNumber: '0dead1', notAfter: '2019-02-01T00:00:00.000Z' },
  });
});

test('a server that wants a client certificate has shown its own by then', async () => {
  const endpoint = await listen(tlsServer({ ...ec, requestCert: true, rejectUnauthorized: true }));
  expect(await shown(endpoint)).toMatchObject({ found: { serialNumber: '0ec001' } });
});

test('nothing is sent over the connection', async () => {
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

  test('is reached at the one that answers, by IPv6 or IPv4', async () => {
    const [, port] = (await listen(tlsServer(ec))).split(':');
    const endpoints = createTlsEndpoints({ lookup: at('::1', '127.0.0.1') });
    expect(await endpoints.shown(`www.example.com:${port}`, 'P-256')).toMatchObject({
      found: { serialNumber: '0ec001' },
    });
  });

  test('none of which answers is told of once, in words', async () => {
    const endpoints = createTlsEndpoints({ lookup: at('127.0.0.2', '127.0.0.3') });
    expect(await endpoints.shown(`www.example.com:${await freePort()}`, 'P-256')).toEqual({
      failed: 'it refuses the connection',
    });
  });

  test('that are of IPv6 only cannot be reached from where there is none', async () => {
    // Of the prefix for documentation, RFC 3849: no way leads there, or nobody answers.
    const endpoints = createTlsEndpoints({ limit: 300, lookup: at('2001:db8::1') });
    expect(await endpoints.shown('www.example.com:443', 'P-256')).toEqual({
      failed: expect.stringMatching(/^(no way leads to its address from here|no handshake within 0\.3 s)$/),
    });
  });
});

describe('no handshake, in words', () => {
  test('with a server that never answers, in time', async () => {
    const started = performance.now();
    expect(await shown(await listen(net.createServer()), 'P-256', 300)).toEqual({
      failed: 'no handshake within 0.3 s',
    });
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  test('with one that resets the connection', async () => {
    const server = net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await shown(await listen(server))).toEqual({ failed: 'it cut the connection during the handshake' });
  });

  test('with one that closes it', async () => {
    const server = net.createServer((socket) => socket.once('data', () => socket.end()));
    expect(await shown(await listen(server))).toEqual({ failed: 'it cut the connection during the handshake' });
  });

  test('with one that speaks HTTP', async () => {
    const endpoint = await listen(createHttpServer((_, response) => response.end('hello')));
    expect(await shown(endpoint)).toEqual({ failed: 'what answers there does not speak TLS' });
  });

  test('with nobody who listens', async () => {
    expect(await shown(`${name}:${await freePort()}`)).toEqual({ failed: 'it refuses the connection' });
  });

  test('with a name that is not there', async () => {
    expect(await shown('nobody.invalid:443')).toEqual({ failed: 'its name is not found in DNS' });
  });

  test('with a server that has no certificate for the name', async () => {
    const server = tlsServer({ SNICallback: (_, done) => done(null, undefined) });
    expect(await shown(await listen(server))).toEqual({ failed: 'it refused the handshake' });
  });

  test('with one that speaks TLS 1.1 only', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await shown(await listen(tlsServer({ ...ec, ...old })))).toEqual({
      failed: 'it speaks no TLS of version 1.2 or 1.3',
    });
  });
});
