import { axios } from 'acme-client';
import type { Issuer } from '../../domain/contract/config.ts';
import { CaUnavailableError } from '../../domain/contract/errors.ts';
import { createConnections, type Network, type TrustedRoots } from './connections.ts';
import type { Reply } from './replies.ts';

interface TransportOptions {
  readonly userAgent: string;
  readonly trustedRoots?: TrustedRoots;
  readonly network?: Network;
}

/** HTTP requests to CAs. */
export interface Transport {
  /**
   * Sends a request to a server of this issuer. Every HTTP status is a reply. Throws `CaUnavailableError` if no complete reply arrives within the
   * `replyTimeout` of the issuer, or if the CA may not name this URL.
   */
  request(
    issuer: Pick<Issuer, 'name' | 'directoryUrl' | 'replyTimeout'>,
    method: 'get' | 'head' | 'post',
    url: string,
    body?: unknown,
  ): Promise<Reply>;
  /** Closes all connections. */
  close(): void;
}

/** Longest reply in bytes, which is one megabyte. A chain has about 10 KB and a directory a few KB. */
const maximumLength = 1_000_000;

/**
 * Creates the HTTP transport.
 *
 * Connections are kept for one invocation, so that its requests share one TLS handshake. `close` ends them, because a connection does not
 * survive while the function is frozen. The next invocation creates a new transport and never uses an old connection.
 *
 * Trusted roots are given to the connections of their issuer. NODE_EXTRA_CA_CERTS is not used, because it is valid for all issuers, and Node.js
 * ignores an unreadable file with a warning.
 */
export function createTransport({ userAgent, ...options }: TransportOptions): Transport {
  // The interceptors of acme-client sleep for the time of a Retry-After, which may be a day.
  axios.interceptors.request.clear();
  axios.interceptors.response.clear();
  // One connection for each server, because requests are sent one after another.
  const connections = createConnections({ maxSockets: 1, ...options });

  return {
    async request(issuer, method, url, body) {
      const { httpAgent, httpsAgent, assertAllowed } = connections.to(issuer);
      const timeout = issuer.replyTimeout;
      try {
        assertAllowed(url);
        return await axios.request<unknown>({
          method,
          url,
          headers: {
            'User-Agent': userAgent,
            'Accept-Language': 'en',
            ...(body ? { 'Content-Type': 'application/jose+json' } : {}),
          },
          data: body,
          httpAgent,
          httpsAgent,
          proxy: false,
          // A redirected POST would arrive as a GET. The caller follows redirects of the directory, so that each URL is checked.
          maxRedirects: 0,
          maxContentLength: maximumLength,
          // The timeout of axios starts again with every byte and does not include connecting.
          signal: AbortSignal.timeout(timeout * 1000),
          validateStatus: null,
        });
      } catch (error) {
        throw noReply(issuer, `${method.toUpperCase()} ${url}`, error);
      }
    },
    close: connections.close,
  };
}

const untrusted = 'Add the root of its TLS certificate to the trusted roots of the issuer.';

/** What to do about an error code. */
const remedies: ReadonlyMap<string, string> = new Map([
  // A trusted root has the same subject and another key.
  ['CERT_SIGNATURE_FAILURE', untrusted],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', untrusted],
  ['SELF_SIGNED_CERT_IN_CHAIN', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', untrusted],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted],
  ['EREFUSEDURL', 'A CA may name https URLs on its own host and on hosts of the public Internet only. Ask the CA.'],
]);

function noReply({ name: issuer, replyTimeout }: Parameters<Transport['request']>[0], request: string, error: unknown) {
  // An error in this code has no `code`. An invalid URL from the CA has one.
  if (!(error instanceof Error && ('isAxiosError' in error || 'code' in error))) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
  const why = code === 'ERR_CANCELED' ? `no complete reply within ${replyTimeout} s` : `${code}, ${error.message}`;
  // The error of axios is not used as cause, because it contains the whole request.
  const cause = Object.assign(new Error(error.message), { code });
  const remedy = remedies.get(code) ?? 'Retry later.';
  return new CaUnavailableError({ what: `No reply to ${request}: ${why}.`, remedy, issuer, cause });
}
