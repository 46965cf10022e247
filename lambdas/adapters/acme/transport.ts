import http from 'node:http';
import https from 'node:https';
import { rootCertificates } from 'node:tls';
import { axios } from 'acme-client';
import { CaUnavailableError } from '../../domain/contract/errors.ts';
import type { Reply } from './replies.ts';

interface TransportOptions {
  readonly userAgent: string;
  /** PEM of roots that are trusted in addition to those of Node.js. */
  readonly trustedRoots?: string;
}

/** HTTP requests to CAs. */
export interface Transport {
  /** Sends a request. Every HTTP status is a reply. Throws `CaUnavailableError` if no complete reply arrives within `timeout` seconds. */
  request(
    method: 'get' | 'head' | 'post',
    url: string,
    options: { readonly timeout: number; readonly body?: unknown },
  ): Promise<Reply>;
  /** Closes all connections. */
  close(): void;
}

/** Longest reply in bytes, which is one megabyte. A chain has about 10 KB and a directory a few KB. */
const maximumLength = 1_000_000;

/** One connection for each server, because requests are sent one after another. */
const connections = { keepAlive: true, maxSockets: 1 };

/**
 * Creates the HTTP transport.
 *
 * Connections are kept for one invocation, so that its requests share one TLS handshake. `close` ends them, because a connection does not
 * survive while the function is frozen. The next invocation creates a new transport and never uses an old connection.
 *
 * Trusted roots are given to the agent. NODE_EXTRA_CA_CERTS is not used, because Node.js reads it before any code of this project runs, and
 * ignores an unreadable file with a warning.
 */
export function createTransport({ userAgent, trustedRoots }: TransportOptions): Transport {
  // The interceptors of acme-client sleep for the time of a Retry-After, which may be a day.
  axios.interceptors.request.clear();
  axios.interceptors.response.clear();
  const httpsAgent = new https.Agent({
    ...connections,
    ...(trustedRoots ? { ca: [...rootCertificates, trustedRoots] } : {}),
  });
  const httpAgent = new http.Agent(connections);

  return {
    async request(method, url, { timeout, body }) {
      try {
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
          // A redirected POST would arrive as a GET.
          maxRedirects: 0,
          maxContentLength: maximumLength,
          // The timeout of axios starts again with every byte and does not include connecting.
          signal: AbortSignal.timeout(timeout * 1000),
          validateStatus: null,
        });
      } catch (error) {
        throw noReply(method, url, timeout, error);
      }
    },
    close() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function noReply(method: string, url: string, timeout: number, error: unknown): unknown {
  // An error in this code has no `code`. An invalid URL from the CA has one.
  if (!(error instanceof Error && ('isAxiosError' in error || 'code' in error))) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
  const why = code === 'ERR_CANCELED' ? `no complete reply within ${timeout} s` : `${code}, ${error.message}`;
  const remedy = untrusted.has(code)
    ? 'Add the root of its TLS certificate to the trusted roots of the issuer.'
    : 'Retry later.';
  // The error of axios is not used as cause, because it contains the whole request.
  const cause = Object.assign(new Error(error.message), { code });
  return new CaUnavailableError({ what: `No reply to ${method.toUpperCase()} ${url}: ${why}.`, remedy, cause });
}
