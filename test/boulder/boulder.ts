import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { makeListenerCertificate } from '../../local/listener-certificate.ts';
import { answer } from './differences.ts';
import {
  type AcmeRequest,
  decodeJws,
  identifiersOf,
  isObject,
  type Outcome,
  objectOf,
  type Reply,
  succeeded,
} from './exchange.ts';
import { createBuckets, type Limits, publishedLimits } from './limits.ts';
import { type Behaviour, type Matcher, matches } from './misbehaviour.ts';
import { createRecords } from './records.ts';
import { pair, type State } from './state.ts';
import { connectUpstream, type Upstream } from './upstream.ts';

export interface BoulderOptions {
  /** Pebble, or any ACME server that builds its URLs from the Host header. */
  readonly upstream: { readonly directoryUrl: string; readonly trustedRoots: string };
  readonly now?: () => Date;
  /** Rate limits that differ from the published limits of Let's Encrypt. */
  readonly limits?: Partial<Limits>;
  /** Seconds that an order stays `processing` after it was finalized. With 0 it ends when Pebble has issued. @default 0 */
  readonly processing?: number;
  /** Age in seconds of a valid authorization after which CAA is checked again. @default 7 hours, as Boulder does */
  readonly caaRecheckAfter?: number;
  /** Returns a number from 0 up to but not including 1, for the jitter of renewalInfo's Retry-After. */
  readonly random?: () => number;
}

/** A request with its outcome. */
export interface Exchange extends AcmeRequest {
  /** HTTP status, `cut` if the connection was cut, or `null` until the request is answered. */
  readonly outcome: number | 'cut' | null;
}

export interface Boulder {
  readonly directoryUrl: string;
  /** PEM of the CA that signed the proxy's certificate. */
  readonly trustedRoots: string;
  /** Returns all requests, or those after the first `since`. */
  requests(since?: number): readonly Exchange[];
  /** Applies a behaviour to the next `times` requests that match. @default 1 request. @returns a function that cancels it */
  next(matcher: Matcher, behaviour: Behaviour, times?: number): () => void;
  /** Pauses an identifier for every account. @returns a function that ends the pause */
  pause(identifier: string): () => void;
  /** Makes CAA forbid an identifier. @returns a function that makes CAA allow it again */
  forbidByCaa(identifier: string): () => void;
  stop(): Promise<void>;
}

/** Address of the proxy. MiniStack's Node worker changes https to plain http for localhost and 127.0.0.1. */
const address = '127.0.0.2';

/** Starts a proxy in front of Pebble that behaves as Let's Encrypt's Boulder does, and misbehaves when a test asks for it. */
export async function startBoulder(options: BoulderOptions): Promise<Boulder> {
  const certificate = await makeListenerCertificate([address], new Date());
  const server = https.createServer({ key: certificate.privateKey, cert: certificate.certificate });
  server.listen(0, address);
  await once(server, 'listening');
  const host = `${address}:${(server.address() as AddressInfo).port}`;
  const upstream = connectUpstream(options.upstream, host);
  const state = createState(options, upstream);
  const { random = Math.random } = options;

  // A warm client does not read the directory again, so the proxy reads it before the first request.
  const { pathname } = new URL(options.upstream.directoryUrl);
  const directoryUrl = `https://${host}${pathname}`;
  state.records.learn(describe(state, 'GET', directoryUrl, ''), await upstream.request('GET', pathname), state.now());

  const exchanges: (AcmeRequest & { outcome: Exchange['outcome'] })[] = [];
  const script: { readonly matcher: Matcher; readonly behaviour: Behaviour; times: number }[] = [];

  async function outcomeOf(incoming: IncomingMessage): Promise<Outcome> {
    const { method = 'GET', url: path = '/' } = incoming;
    const body = await text(incoming);
    const request = describe(state, method, `https://${host}${path}`, body);
    const exchange = { ...request, outcome: null as Exchange['outcome'] };
    exchanges.push(exchange);
    const forward = async () => {
      const reply = await upstream.request(method, path, body, incoming.headers);
      state.records.learn(request, reply, state.now());
      return reply;
    };
    const proceed = async () => withNonce(method, await answer(state, request, forward, random), upstream);
    const line = script.find(({ matcher, times }) => times > 0 && matches(matcher, request));
    if (line) line.times -= 1;
    const order = state.records.orderAt(request.url);
    const outcome = line
      ? await line.behaviour({ request, proceed, order, now: state.now, newNonce: upstream.newNonce })
      : await proceed();
    exchange.outcome = outcome === 'cut' ? 'cut' : outcome.status;
    return outcome;
  }

  server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    outcomeOf(incoming)
      // The upstream is down, or the proxy has a bug. No test takes status 599 for an answer of Boulder.
      .catch((error): Reply => ({ status: 599, headers: { 'content-type': 'text/plain' }, body: String(error) }))
      .then((outcome) => {
        if (outcome === 'cut') incoming.socket.destroy();
        else send(outcome, incoming.method, outgoing);
      });
  });

  return {
    directoryUrl,
    trustedRoots: certificate.root,
    requests: (since = 0) => exchanges.slice(since),
    next(matcher, behaviour, times = 1) {
      const line = { matcher, behaviour, times };
      script.push(line);
      return () => {
        line.times = 0;
      };
    },
    pause: (identifier) => addTo(state.paused, pair('', identifier)),
    forbidByCaa: (identifier) => addTo(state.forbiddenByCaa, identifier),
    async stop() {
      upstream.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function createState(options: BoulderOptions, upstream: Upstream): State {
  const now = options.now ?? (() => new Date());
  return {
    records: createRecords(),
    buckets: createBuckets({ ...publishedLimits, ...options.limits }, now),
    now,
    async renewalWindow(certificateId) {
      const reply = await upstream.renewalInfo(certificateId);
      const { suggestedWindow } = objectOf(reply.body);
      if (!succeeded(reply) || !isObject(suggestedWindow)) return null;
      return { start: new Date(String(suggestedWindow.start)), end: new Date(String(suggestedWindow.end)) };
    },
    paused: new Set(),
    forbiddenByCaa: new Set(),
    replacements: new Map(),
    issued: new Map(),
    processing: options.processing ?? 0,
    caaRecheckAfter: options.caaRecheckAfter ?? 7 * 3600,
  };
}

function describe({ records, now }: State, method: string, url: string, body: string): AcmeRequest {
  const kind = records.kindOf(url);
  const jws = decodeJws(body);
  const identifiers = kind === 'newOrder' ? identifiersOf(jws.payload ?? {}) : records.identifiersAt(url);
  return { at: now(), method, url, kind, ...jws, identifiers };
}

/** Adds a valid nonce to a reply that the proxy itself made (RFC 8555 §6.5.1). */
async function withNonce(method: string, reply: Reply, { newNonce }: Upstream): Promise<Reply> {
  if (method !== 'POST' || 'replay-nonce' in reply.headers) return reply;
  return { ...reply, headers: { ...reply.headers, 'replay-nonce': await newNonce() } };
}

function send({ status, headers, body }: Reply, method: string | undefined, outgoing: ServerResponse): void {
  const { 'transfer-encoding': _, connection: __, ...kept } = headers;
  for (const [name, value] of Object.entries(kept)) outgoing.setHeader(name, value);
  outgoing.setHeader('content-length', method === 'HEAD' ? 0 : Buffer.byteLength(body));
  outgoing.statusCode = status;
  outgoing.end(body);
}

/** Adds a value to a set. @returns a function that removes it */
function addTo(set: Set<string>, value: string): () => void {
  set.add(value);
  return () => void set.delete(value);
}
