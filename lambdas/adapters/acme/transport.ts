import http from 'node:http';
import https from 'node:https';
import { rootCertificates } from 'node:tls';
import { axios } from 'acme-client';
import { CaUnavailableError } from '../../domain/contract/errors.ts';
import type { Reply } from './replies.ts';

export interface TransportOptions {
  readonly userAgent: string;
  /** PEM, trusted besides Node's own roots. */
  readonly trustedRoots?: string;
}

export interface Transport {
  /** Every HTTP status is a reply. Throws `CaUnavailableError` when there is none, whole, in `timeout` seconds. */
  request(
    method: 'get' | 'head' | 'post',
    url: string,
    options: { readonly timeout: number; readonly body?: unknown },
  ): Promise<Reply>;
  /** Ends the connections. */
  close(): void;
}

/** A megabyte: a chain has about 10 KB, a directory a few. */
const maximumLength = 1_000_000;

/** One for each server: requests go one after the other. */
const connections = { keepAlive: true, maxSockets: 1 };

/**
 * HTTP as the CA sees it.
 *
 * Connections are kept for one invocation, so that its requests share one TLS handshake, and `close` ends them: a
 * connection kept across a frozen function is dead when it thaws. Even unclosed it is never used again, because the next invocation
 * makes a new transport.
 *
 * Trusted roots go to the agent and not through NODE_EXTRA_CA_CERTS: Node reads that once, before any of our code runs, and
 * passes over a file that it cannot read with a warning only.
 */
export function createTransport({ userAgent, trustedRoots }: TransportOptions): Transport {
  // acme-client's own interceptors sleep in place for as long as a Retry-After says, a day if need be.
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
          // A POST redirected would arrive as a GET.
          maxRedirects: 0,
          maxContentLength: maximumLength,
          // axios's own timeout starts again with every byte and does not cover the connecting.
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
  // A fault of ours has no code; a URL of the CA's that is none has.
  if (!(error instanceof Error && ('isAxiosError' in error || 'code' in error))) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
  const why = code === 'ERR_CANCELED' ? `nothing complete within ${timeout} s` : `${code}, ${error.message}`;
  const remedy = untrusted.has(code)
    ? 'Name the root that its TLS certificate ends in as a trusted root of the issuer.'
    : 'Try again later.';
  // Not the error of axios itself, which holds the whole request.
  const cause = Object.assign(new Error(error.message), { code });
  return new CaUnavailableError({ what: `No reply to ${method.toUpperCase()} ${url}: ${why}.`, remedy, cause });
}
