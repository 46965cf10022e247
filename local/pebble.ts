import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { MissingPrerequisiteError } from './install.ts';
import { makeListenerCertificate } from './listener-certificate.ts';
import { freePort, startTethered, waitUntilReady } from './processes.ts';

export interface PebbleOptions {
  /** Irregular behaviour that a client must handle. All of it is on by default. Turn it off only for measurements. */
  chaos?: {
    /** Rejects 5 % of all valid nonces. @default true */
    rejectNonces?: boolean;
    /** Reuses half of all valid authorizations in new orders. `always` reuses all of them, as Let's Encrypt does. @default true */
    reuseAuthorizations?: boolean | 'always';
    /** Sleeps up to 5 seconds before each validation. @default true */
    validationSleep?: boolean;
  };
  /** MAC keys in base64url by key id. If it is given, each account needs one of them (RFC 8555 §7.3.4). */
  externalAccountKeys?: Record<string, string>;
  /** Retry-After of orders and authorizations in seconds, 0 for none. @default 1 */
  retryAfter?: number;
  /**
   * Algorithms of the root and intermediate keys. With `both`, RSA certificates are signed with RSA keys and the others with ECDSA keys, as
   * Let's Encrypt does. ACM imports only certificates whose key has the algorithm of the CA's key.
   *
   * @default 'both'
   */
  keyAlgorithm?: 'both' | 'ecdsa' | 'rsa';
  /** Number of further roots for the same intermediates, offered as alternate chains. @default 0 */
  alternateRoots?: number;
}

export interface Pebble {
  /** URL of the ACME directory. MiniStack's functions do not change its address to plain HTTP. */
  directoryUrl: string;
  managementUrl: string;
  /** PEM of the CA that signed the server certificate of the directory. Clients must trust it. */
  trustedRoots: string;
  /** Returns the PEM of the main roots, one for ECDSA certificates and one for RSA certificates. */
  issuingRoots(): Promise<string>;
  /** Returns the PEM of a root, of those with ECDSA keys if there are both. Index 0 is the main root, and 1 and above are the alternate roots. */
  issuingRoot(index?: number): Promise<string>;
  /** Calls the management API. @returns the body of the answer */
  manage(method: 'GET' | 'POST', path: string, body?: unknown): Promise<string>;
  /** Returns all requests to the ACME API, or those after the first `since`. */
  requests(since?: number): AcmeRequest[];
  logFile: string;
  pids: number[];
  stop(): Promise<void>;
}

export interface AcmeRequest {
  method: string;
  /** Route of Pebble without the id, for example `/my-order/`. */
  path: string;
}

/**
 * Address of Pebble. MiniStack's Node worker changes https to plain http for localhost and 127.0.0.1, so Pebble has another address of
 * the loopback network.
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
    90,
  );
  const issuingRoot = (index = 0) => manage('GET', `/roots/${index}`);
  const { keyAlgorithm = 'both', alternateRoots = 0 } = options;
  // The roots with RSA keys have the indexes after the main root and the alternate roots with ECDSA keys.
  const mainRoots = keyAlgorithm === 'both' ? [0, 1 + alternateRoots] : [0];
  const ownRequests = readRequests(process.logFile).length; // The requests of `waitUntilReady` above.

  return {
    directoryUrl,
    managementUrl: `https://${ADDRESS}:${managementPort}`,
    trustedRoots: certificate.root,
    issuingRoots: async () => (await Promise.all(mainRoots.map(issuingRoot))).join(''),
    issuingRoot,
    manage,
    requests: (since = 0) => readRequests(process.logFile).slice(ownRequests + since),
    logFile: process.logFile,
    pids: [process.pid],
    stop: process.stop,
  };
}

async function loopbackPort(): Promise<number> {
  return freePort(ADDRESS).catch((cause) => {
    throw new MissingPrerequisiteError(
      `The local ACME server needs the loopback address ${ADDRESS}. This machine does not have it. Add it (macOS: ` +
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
      // Pebble needs these ports in its configuration. HTTP-01 and TLS-ALPN-01 are never used.
      httpPort: 5002,
      tlsPort: 5001,
      externalAccountBindingRequired: Object.keys(keys).length > 0,
      externalAccountMACKeys: keys,
      domainBlocklist: ['blocked-domain.example'],
      caaIdentities: ['pebble.example'],
      retryAfter: { authz: options.retryAfter ?? 1, order: options.retryAfter ?? 1 },
      keyAlgorithm: options.keyAlgorithm ?? 'both',
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

/** Reads the requests from the log. Pebble prints one line for each request that it passes to a handler. */
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
      else reject(new Error(`Pebble answered ${response.statusCode} to ${method} ${url}: ${text}`));
    });
  });
}
