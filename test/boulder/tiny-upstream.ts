import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { makeListenerCertificate } from '../../local/listener-certificate.ts';
import { decodeJws, type JsonObject } from './exchange.ts';

/** A minimal replacement for Pebble. It builds URLs from the Host header, has one authorization per order, and checks nothing. */
export interface TinyUpstream {
  readonly directoryUrl: string;
  readonly trustedRoots: string;
  /** All requests as `METHOD /path`. */
  readonly requests: readonly string[];
  /** Status of each order and of its authorization, by order number. */
  readonly orders: Map<number, { status: string; authorization: string }>;
  /** Renewal window by certificate id. */
  readonly windows: Map<string, { start: string; end: string }>;
  stop(): Promise<void>;
}

export async function startTinyUpstream(): Promise<TinyUpstream> {
  const { root, certificate, privateKey } = await makeListenerCertificate(['127.0.0.1'], new Date());
  const orders: TinyUpstream['orders'] = new Map();
  const windows: TinyUpstream['windows'] = new Map();
  const names = new Map<number, unknown>();
  const requests: string[] = [];
  let nonces = 0;

  const server = https.createServer({ key: privateKey, cert: certificate }, async (incoming, outgoing) => {
    const { payload } = decodeJws(await text(incoming));
    const path = incoming.url ?? '';
    const at = (rest: string) => `https://${incoming.headers.host}${rest}`;
    requests.push(`${incoming.method} ${path}`);
    nonces += 1;
    outgoing.setHeader('replay-nonce', `nonce-${nonces}`);
    const [, resource = '', id = ''] = path.split('/');
    const number = Number(id);
    const send = (status: number, body: JsonObject) => {
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end(incoming.method === 'HEAD' ? undefined : JSON.stringify(body));
    };
    const order = (n: number) => ({
      status: orders.get(n)?.status,
      identifiers: names.get(n),
      authorizations: [at(`/authorization/${n}`)],
      finalize: at(`/finalize/${n}`),
      expires: '2026-03-02T00:00:00Z',
      ...(orders.get(n)?.status === 'valid' ? { certificate: at(`/certificate/${n}`) } : {}),
    });
    switch (resource) {
      case 'directory':
        return send(200, {
          newNonce: at('/nonce'),
          newAccount: at('/new-account'),
          newOrder: at('/new-order'),
          revokeCert: at('/revoke'),
          renewalInfo: at('/renewal-info'),
        });
      case 'new-account':
        outgoing.setHeader('location', at('/account/1'));
        return send(201, { status: 'valid', orders: at('/orders/1') });
      case 'new-order': {
        const n = orders.size + 1;
        orders.set(n, { status: 'pending', authorization: 'pending' });
        names.set(n, payload?.identifiers);
        outgoing.setHeader('location', at(`/order/${n}`));
        return send(201, { ...order(n), ...(payload?.replaces ? { replaces: payload.replaces } : {}) });
      }
      case 'order':
        return send(200, order(number));
      case 'finalize':
        orders.set(number, { status: 'valid', authorization: 'valid' });
        return send(200, { ...order(number), status: 'processing' });
      case 'authorization': {
        if (payload?.status === 'deactivated') orders.set(number, { status: 'invalid', authorization: 'deactivated' });
        const [identifier] = Array.isArray(names.get(number)) ? (names.get(number) as JsonObject[]) : [];
        const status = orders.get(number)?.authorization;
        const challenges = [{ type: 'dns-01', url: at(`/challenge/${number}`), token: 'token', status }];
        return send(200, { status, identifier, challenges });
      }
      case 'renewal-info': {
        const suggestedWindow = windows.get(id);
        return suggestedWindow ? send(200, { suggestedWindow }) : send(404, {});
      }
      default:
        return send(200, {});
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    directoryUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}/directory`,
    trustedRoots: root,
    requests,
    orders,
    windows,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
