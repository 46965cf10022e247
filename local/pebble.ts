import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { MissingPrerequisiteError } from './install.ts';
import { makeListenerCertificate } from './listener-certificate.ts';
import { freePort, startTethered, waitUntilReady } from './processes.ts';

export interface PebbleOptions {
  /** Chaos that a client must bear; all on unless switched off, which is for timing only. */
  chaos?: {
    /** Refuses 5 % of all good nonces. */
    rejectNonces?: boolean;
    /** Reuses half of all valid authorizations in new orders; `always`: every one, as Let's Encrypt does. */
    reuseAuthorizations?: boolean | 'always';
    /** Sleeps up to 5 seconds before it validates. */
    validationSleep?: boolean;
  };
  /** Key id to base64url MAC key. When given, an account needs one of them (RFC 8555 §7.3.4). */
  externalAccountKeys?: Record<string, string>;
  /** Seconds of the Retry-After on orders and authorizations; 1 unless given, 0 for none. */
  retryAfter?: number;
  /** Of the keys of its roots and intermediates: ACM imports certificates of the same algorithm only. `ecdsa` unless given. */
  keyAlgorithm?: 'ecdsa' | 'rsa';
  /** How many more roots the same intermediates chain to, offered as alternate links; 0 unless given. */
  alternateRoots?: number;
}

export interface Pebble {
  /** The directory URL for clients, under an address that MiniStack's functions do not turn into plain HTTP. */
  directoryUrl: string;
  managementUrl: string;
  /** PEM of the CA that signed the certificate of the directory's server: what a client must trust to talk to it. */
  trustedRoots: string;
  /** PEM of the root that issued certificates chain to; 1 and up are the alternate roots. */
  issuingRoot(index?: number): Promise<string>;
  /** One call to the management API. */
  manage(method: 'GET' | 'POST', path: string, body?: unknown): Promise<string>;
  /** Every request to the ACME API since the start, or since a mark: an earlier list's length. */
  requests(since?: number): AcmeRequest[];
  logFile: string;
  pids: number[];
  stop(): Promise<void>;
}

export interface AcmeRequest {
  method: string;
  /** Pebble's route, without the id after it: `/my-order/`. */
  path: string;
}

/**
 * MiniStack's Node worker turns https to localhost and 127.0.0.1 into plain http, so the directory is at another
 * address of the loopback network.
 */
const ADDRESS = '127.0.0.2';
const DAY_S = 24 * 3600;

export async function startPebble(
  installed: { pebble: string; python: string },
  folder: string,
  resolver: string,
  options: PebbleOptions = {},
): Promise<Pebble> {
  const certificate = await makeListenerCertificate([ADDRESS, '127.0.0.1'], new Date());
  const config = join(folder, 'pebble');
  mkdirSync(config);
  writeFileSync(join(config, 'certificate.pem'), certificate.certificate);
  writeFileSync(join(config, 'key.pem'), certificate.privateKey, { mode: 0o600 });
  const [port, managementPort] = [await loopbackPort(), await loopbackPort()];
  writeFileSync(join(config, 'config.json'), JSON.stringify(pebbleConfig(port, managementPort, config, options)));

  const process = await startTethered({
    name: 'pebble',
    python: installed.python,
    command: [installed.pebble, '-config', join(config, 'config.json'), '-dnsserver', resolver],
    env: chaosEnvironment(options),
    folder,
  });
  const manage = (method: string, path: string, body?: unknown) =>
    call(`https://${ADDRESS}:${managementPort}${path}`, certificate.root, method, body);
  const directoryUrl = `https://${ADDRESS}:${port}/dir`;
  await waitUntilReady(
    process,
    async () => {
      await Promise.all([call(directoryUrl, certificate.root, 'GET'), manage('GET', '/roots/0')]);
      return true;
    },
    20,
  );
  const seen = readRequests(process.logFile).length; // Our own, while we waited.

  return {
    directoryUrl,
    managementUrl: `https://${ADDRESS}:${managementPort}`,
    trustedRoots: certificate.root,
    issuingRoot: (index = 0) => manage('GET', `/roots/${index}`),
    manage,
    requests: (since = 0) => readRequests(process.logFile).slice(seen + since),
    logFile: process.logFile,
    pids: [process.pid],
    stop: process.stop,
  };
}

async function loopbackPort(): Promise<number> {
  return freePort(ADDRESS).catch((cause) => {
    throw new MissingPrerequisiteError(
      `The local ACME server needs the loopback address ${ADDRESS}, which this machine does not have: add it (macOS: ` +
        `sudo ifconfig lo0 alias ${ADDRESS}).`,
      { cause },
    );
  });
}

function pebbleConfig(port: number, managementPort: number, folder: string, options: PebbleOptions) {
  const keys = options.externalAccountKeys ?? {};
  return {
    pebble: {
      listenAddress: `${ADDRESS}:${port}`,
      managementListenAddress: `${ADDRESS}:${managementPort}`,
      certificate: join(folder, 'certificate.pem'),
      privateKey: join(folder, 'key.pem'),
      // HTTP-01 and TLS-ALPN-01 are never used; these ports are only named.
      httpPort: 5002,
      tlsPort: 5001,
      externalAccountBindingRequired: Object.keys(keys).length > 0,
      externalAccountMACKeys: keys,
      domainBlocklist: ['blocked-domain.example'],
      caaIdentities: ['pebble.example'],
      retryAfter: { authz: options.retryAfter ?? 1, order: options.retryAfter ?? 1 },
      keyAlgorithm: options.keyAlgorithm ?? 'ecdsa',
      profiles: {
        default: { description: 'As Let’s Encrypt: 90 days', validityPeriod: 90 * DAY_S },
        classic: { description: 'As Let’s Encrypt: 90 days', validityPeriod: 90 * DAY_S },
        tlsserver: { description: 'As Let’s Encrypt: 45 days', validityPeriod: 45 * DAY_S },
        shortlived: { description: 'As Let’s Encrypt: 160 hours', validityPeriod: 160 * 3600 },
      },
    },
  };
}

function chaosEnvironment({ chaos = {}, alternateRoots = 0 }: PebbleOptions): Record<string, string> {
  return {
    PEBBLE_ALTERNATE_ROOTS: String(alternateRoots),
    ...(chaos.rejectNonces === false && { PEBBLE_WFE_NONCEREJECT: '0' }),
    ...(chaos.reuseAuthorizations === false && { PEBBLE_AUTHZREUSE: '0' }),
    ...(chaos.reuseAuthorizations === 'always' && { PEBBLE_AUTHZREUSE: '100' }),
    ...(chaos.validationSleep === false && { PEBBLE_VA_NOSLEEP: '1' }),
  };
}

/** Pebble prints one line for each request that it hands to a handler. */
function readRequests(logFile: string): AcmeRequest[] {
  const lines = readFileSync(logFile, 'utf8').matchAll(/ ([A-Z]+) (\/\S*) -> calling handler\(\)$/gm);
  return [...lines].map(([, method = '', path = '']) => ({ method, path }));
}

async function call(url: string, ca: string, method: string, body?: unknown): Promise<string> {
  const outgoing = request(url, { ca, method, headers: { 'user-agent': 'perennial-local' }, agent: false });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', async (response) => {
      const text = String(await buffer(response));
      if ((response.statusCode ?? 500) < 400) resolve(text);
      else reject(new Error(`${method} ${url} answered ${response.statusCode}: ${text}`));
    });
  });
}
