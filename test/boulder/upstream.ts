import type { IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { objectOf, type Reply } from './exchange.ts';

export interface Upstream {
  /** Sends a request to Pebble. The path is the same as at the proxy. */
  request(method: string, path: string, body?: string, headers?: IncomingHttpHeaders): Promise<Reply>;
  /** Returns a valid nonce (RFC 8555 §7.2). */
  newNonce(): Promise<string>;
  /** Returns the renewal information of a certificate (RFC 9773 §4.1). */
  renewalInfo(certificateId: string): Promise<Reply>;
  close(): void;
}

/**
 * Connects to Pebble. Pebble builds every URL from the Host header of the request and compares the `url` of the JWS with it. Requests are
 * forwarded with the host of the proxy, so URLs in replies lead to the proxy and signatures stay valid.
 */
export function connectUpstream(
  { directoryUrl, trustedRoots }: { readonly directoryUrl: string; readonly trustedRoots: string },
  host: string,
): Upstream {
  const { hostname, port, pathname } = new URL(directoryUrl);
  const agent = new https.Agent({ ca: trustedRoots, keepAlive: true });
  const identified = { 'user-agent': 'boulder-proxy', host };

  function request(method: string, path: string, body = '', headers: IncomingHttpHeaders = {}): Promise<Reply> {
    const { connection: _, 'transfer-encoding': __, ...kept } = headers;
    return new Promise((resolve, reject) => {
      const outgoing = https.request({
        agent,
        hostname,
        port,
        method,
        path,
        headers: { ...identified, ...kept, host },
      });
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        text(incoming).then(
          (read) => resolve({ status: incoming.statusCode ?? 0, headers: defined(incoming.headers), body: read }),
          reject,
        );
      });
      outgoing.end(body === '' ? undefined : body);
    });
  }

  /** The directory of Pebble. It is read once, because it does not change. */
  let endpoints: Promise<ReturnType<typeof objectOf>> | undefined;
  async function pathOf(resource: string): Promise<string> {
    endpoints ??= request('GET', pathname).then(({ body }) => objectOf(body));
    const url = (await endpoints)[resource];
    if (typeof url !== 'string') throw new Error(`The directory of the upstream CA has no ${resource}.`);
    return new URL(url).pathname;
  }

  return {
    request,
    async newNonce() {
      const { headers } = await request('HEAD', await pathOf('newNonce'));
      const nonce = headers['replay-nonce'];
      if (typeof nonce !== 'string') throw new Error('The reply of the upstream CA to newNonce has no nonce.');
      return nonce;
    },
    renewalInfo: async (certificateId) => request('GET', `${await pathOf('renewalInfo')}/${certificateId}`),
    close: () => agent.destroy(),
  };
}

function defined(headers: IncomingHttpHeaders): Reply['headers'] {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
