import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Issuer } from '../../../../lambdas/domain/contract/config.ts';

/** The reaction of the CA to a request: a reply, a connection cut before or within a reply, or silence. */
export type Answer =
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** Body. Bytes are sent as they are, and objects as JSON. */
      readonly body?: unknown;
      /** The Replay-Nonce, or `null` for none. @default a new nonce */
      readonly nonce?: string | null;
    }
  | 'cut'
  | 'cut in the middle'
  | 'silence'
  | 'endless';

/** An answer that depends on the request. */
export type AnswerTo = (request: ReceivedRequest) => Answer | Promise<Answer>;

export interface ReceivedRequest {
  readonly method: string;
  /** Path below the base of the CA. */
  readonly path: string;
  readonly userAgent: string | undefined;
  readonly contentType: string | undefined;
  /** Header and payload of the JWS. The payload is `''` for POST-as-GET. */
  readonly protected: { readonly alg: string; readonly nonce: string; readonly kid?: string; readonly jwk?: object };
  readonly payload: unknown;
  /** Number of the connection, beginning with 1. */
  readonly connection: number;
}

export interface ScriptedCa {
  readonly issuer: Issuer;
  /** Returns the absolute URL of a path. */
  url(path: string): string;
  /** Sets the replies for a path. The last one is repeated. */
  script(path: string, ...answers: readonly (Answer | AnswerTo)[]): void;
  readonly requests: readonly ReceivedRequest[];
  /** `METHOD /path` of the requests since the last call. */
  newRequests(): readonly string[];
  stop(): Promise<void>;
}

export const problemType = (name: string) => `urn:ietf:params:acme:error:${name}`;

/** A reply with a problem document. */
export function problem(name: string, status: number, more: object = {}): Answer & object {
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: { type: problemType(name), detail: `Test of ${name}`, ...more },
  };
}

let started = 0;

/** An ACME server on loopback that replies as a test scripts it. Directory and newNonce are built in. */
export async function startScriptedCa({
  meta,
  tls,
  without = [],
}: {
  readonly meta?: object;
  /** Resources that are absent from the directory. */
  readonly without?: readonly string[];
  readonly tls?: { readonly key: string; readonly cert: string };
} = {}): Promise<ScriptedCa> {
  started += 1;
  // The base is unique, so that a directory cached from one server is not used for another one with the same port.
  const base = `/ca-${started}`;
  const scripts = new Map<string, (Answer | AnswerTo)[]>();
  const requests: ReceivedRequest[] = [];
  const connections = new Map<object, number>();
  let nonces = 0;
  let seen = 0;

  const listener: http.RequestListener = async (incoming, outgoing) => {
    const path = (incoming.url ?? '').slice(base.length);
    const answers = scripts.get(path) ?? [{ status: 404, body: 'nothing scripted' }];
    const scripted = (answers.length > 1 ? answers.shift() : answers[0]) ?? {};
    const request: ReceivedRequest = {
      method: incoming.method ?? '',
      path,
      userAgent: incoming.headers['user-agent'],
      contentType: incoming.headers['content-type'],
      ...jwsOf(await bodyOf(incoming)),
      connection: connections.get(incoming.socket) ?? 0,
    };
    requests.push(request);
    const answer = typeof scripted === 'function' ? await scripted(request) : scripted;
    if (answer === 'silence') return;
    if (answer === 'cut') {
      incoming.socket.destroy();
      return;
    }
    if (answer === 'cut in the middle') {
      outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      outgoing.write('{"status":', () => incoming.socket.destroy());
      return;
    }
    if (answer === 'endless') {
      outgoing.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => outgoing.write(' '), 20);
      incoming.socket.on('close', () => clearInterval(drip));
      return;
    }
    nonces += 1;
    const nonce = answer.nonce === undefined ? `nonce-${nonces}` : answer.nonce;
    const { status = 200, body = '', headers = {} } = answer;
    const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    outgoing.writeHead(status, {
      'content-type': typeof body === 'string' ? 'text/html' : 'application/json',
      // Without this header Node.js closes the connection after a HEAD.
      'content-length': String(Buffer.byteLength(text)),
      ...(nonce === null ? {} : { 'replay-nonce': nonce }),
      ...headers,
    });
    outgoing.end(text);
  };

  const server = tls ? https.createServer(tls, listener) : http.createServer(listener);
  server.on(tls ? 'secureConnection' : 'connection', (socket) => connections.set(socket, connections.size + 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = (path: string) => `${tls ? 'https' : 'http'}://127.0.0.1:${port}${base}${path}`;

  const resources = {
    newNonce: url('/new-nonce'),
    newAccount: url('/new-account'),
    newOrder: url('/new-order'),
    keyChange: url('/key-change'),
    revokeCert: url('/revoke-cert'),
    renewalInfo: url('/renewal-info'),
  };
  const named = Object.entries(resources).filter(([name]) => !without.includes(name));
  scripts.set('/directory', [{ nonce: null, body: { ...Object.fromEntries(named), ...(meta ? { meta } : {}) } }]);
  scripts.set('/new-nonce', [{}]);

  return {
    issuer: {
      name: 'scripted',
      directoryUrl: url('/directory'),
      termsOfServiceAgreed: true,
      contact: [],
      challenges: ['dns-01'],
      staging: true,
      newOrders: null,
      externalAccountBinding: null,
      preferredChain: null,
      replyTimeout: 45,
      keyRollover: true,
    },
    url,
    script: (path, ...answers) => scripts.set(path, [...answers]),
    requests,
    newRequests() {
      const news = requests.slice(seen).map(({ method, path }) => `${method} ${path}`);
      seen = requests.length;
      return news;
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function bodyOf(incoming: http.IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of incoming) body += chunk;
  return body;
}

function jwsOf(body: string): Pick<ReceivedRequest, 'protected' | 'payload'> {
  if (body === '') return { protected: { alg: '', nonce: '' }, payload: '' };
  const jws: { protected: string; payload: string } = JSON.parse(body);
  const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  return { protected: decode(jws.protected), payload: jws.payload === '' ? '' : decode(jws.payload) };
}

export function newKey(kind: 'P-256' | 'P-384' | 'RSA-2048'): string {
  const { privateKey } =
    kind === 'RSA-2048'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: kind });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
