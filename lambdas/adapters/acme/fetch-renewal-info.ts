import http from 'node:http';
import https from 'node:https';
import type { FailedFetch, RenewalInfo, RenewalInfos } from '../../domain/ports/renewal-info.ts';
import { type Connections, createConnections, type Network, type TrustedRoots } from './connections.ts';
import { followed } from './headers.ts';
import { excerpt, isRecord, type LocatedReply, type Reply, retryAfter } from './replies.ts';
import { timeField, urlField } from './reply-fields.ts';

interface RenewalInfoOptions {
  readonly userAgent: string;
  /** The clock. It is used for the age of directories and for a Retry-After with a date. */
  readonly now: () => Date;
  readonly trustedRoots?: TrustedRoots;
  readonly network?: Network;
}

type Issuer = Parameters<RenewalInfos['fetch']>[0];
type Get = (issuer: Issuer, url: string) => Promise<LocatedReply | FailedFetch>;

const longTerm = (failed: string, retryAfter: number | null = null): FailedFetch => ({
  failed,
  temporary: false,
  retryAfter,
});
const temporary = (failed: string, retryAfter: number | null = null): FailedFetch => ({
  failed,
  temporary: true,
  retryAfter,
});

/** Time limit of a reply, in seconds. Directory and window take 30 s of the 60 s of the function. For a slower CA the dates decide. */
const longestTimeout = 15;

/** Longest reply in bytes. A renewalInfo object has 200 bytes and a directory a few thousand. */
const maximumLength = 100_000;

/** *Refresh renewal information* sends 30 requests at the same time. Connections are kept for one invocation, so that requests share TLS handshakes. */
const maxSockets = 30;

/** Directories are kept for one hour. They change with releases of a CA, and a warm function may live for half a day. */
const directoryMaximumAge = 3_600_000;

/** Directories that a warm function has read, by URL. */
const directories = new Map<string, { readonly at: number; readonly renewalInfo: ReturnType<typeof readDirectory> }>();

/**
 * Fetches ACME Renewal Information (RFC 9773) with an unsigned GET. It does not use acme-client, whose 300 KB would delay the start of a function
 * that needs nothing else from it. It does not wait or retry. Create one in each invocation and `close` it.
 */
export function createRenewalInfos({
  userAgent,
  now,
  ...options
}: RenewalInfoOptions): RenewalInfos & { close(): void } {
  const connections = createConnections({ maxSockets, ...options });
  const headers = { 'User-Agent': userAgent, Accept: 'application/json' };
  const get: Get = (issuer, url) => reply(issuer, url, { headers, now, ...connections.to(issuer) });

  /** Reads the directory with one request if it is not cached. Simultaneous callers share that request. */
  async function renewalInfoUrl(issuer: Issuer): Promise<string | null | FailedFetch> {
    const { directoryUrl } = issuer;
    const warm = directories.get(directoryUrl);
    if (warm && now().getTime() - warm.at < directoryMaximumAge) return warm.renewalInfo;
    const renewalInfo = readDirectory(issuer, get);
    directories.set(directoryUrl, { at: now().getTime(), renewalInfo });
    const url = await renewalInfo;
    if (url !== null && typeof url === 'object') directories.delete(directoryUrl);
    return url;
  }

  return {
    async fetch(issuer, certificateId) {
      const base = await renewalInfoUrl(issuer);
      if (base === null) return 'unsupported';
      if (typeof base === 'object') return base;
      const url = `${base.replace(/\/$/, '')}/${certificateId}`;
      const answer = await get(issuer, url);
      return 'failed' in answer ? answer : renewalInfoFrom(answer, url, now());
    },
    close: connections.close,
  };
}

/** Returns the URL of renewalInfo, or `null` if the directory has none. RFC 9773 §3 */
async function readDirectory(issuer: Issuer, get: Get): Promise<string | null | FailedFetch> {
  const answer = await get(issuer, issuer.directoryUrl);
  if ('failed' in answer) return answer;
  if (!isRecord(answer.data)) return longTerm(`${issuer.directoryUrl} is not a directory: ${excerpt(answer.data)}`);
  const { renewalInfo } = answer.data;
  return urlField(renewalInfo, answer.url);
}

/** Reads a renewalInfo object. RFC 9773 §4.2 */
function renewalInfoFrom(answer: Reply, url: string, now: Date): RenewalInfo | FailedFetch {
  const { suggestedWindow, explanationURL } = isRecord(answer.data) ? answer.data : {};
  if (!isRecord(suggestedWindow)) return longTerm(`${url} has no suggestedWindow: ${excerpt(answer.data)}`);
  const start = dateOf(suggestedWindow.start);
  const end = dateOf(suggestedWindow.end);
  if (!start || !end || end <= start) return longTerm(`${url} has no valid window: ${excerpt(suggestedWindow)}`);
  return { start, end, explanationUrl: linkOf(explanationURL), retryAfter: retryAfter(answer, now) };
}

/** Parses RFC 3339. Date.parse also accepts a year alone, and reads a date without time zone as local time. */
function dateOf(value: unknown): Date | null {
  const time = timeField(value);
  return time === null ? null : new Date(time.toUpperCase());
}

/** A link that is shown to the operator. Only short links with printable ASCII characters are accepted. */
function linkOf(value: unknown): string | null {
  return typeof value === 'string' && /^https?:\/\/[\x21-\x7e]{1,490}$/.test(value) ? value : null;
}

/** Returns a complete reply with status 200. All else is a failure. Redirects are followed, and each URL is checked. */
async function reply(
  issuer: Issuer,
  url: string,
  {
    headers,
    now,
    httpAgent,
    httpsAgent,
    assertAllowed,
  }: Connections & Pick<RenewalInfoOptions, 'now'> & { readonly headers: Readonly<Record<string, string>> },
): Promise<LocatedReply | FailedFetch> {
  const seconds = Math.min(issuer.replyTimeout, longestTimeout);
  const signal = AbortSignal.timeout(seconds * 1000);
  const get = (target: string) => {
    assertAllowed(target);
    return new Promise<RawReply>((resolve, reject) => {
      const answered = (incoming: http.IncomingMessage) => void whole(incoming).then(resolve, reject);
      const request = target.startsWith('https:')
        ? https.get(target, { headers, signal, agent: httpsAgent }, answered)
        : http.get(target, { headers, signal, agent: httpAgent }, answered);
      request.on('error', reject);
      // After 101 Switching Protocols a request emits no other event, and no error when the signal aborts.
      request.on('upgrade', (incoming, socket) => {
        socket.destroy();
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: '' });
      });
    });
  };
  try {
    const { status, headers: received, text, url: last } = await followed(url, get);
    if (status === 200) return { status, headers: received, data: parsed(text), url: last };
    const said = `${issuer.name} replied to ${url} with HTTP ${status}: ${excerpt(parsed(text))}`;
    const after = retryAfter({ headers: received }, now());
    return status >= 500 ? temporary(said, after) : longTerm(said, after);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (signal.aborted) return temporary(`no complete reply from ${url} within ${seconds} s`);
    const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
    const said = `no reply from ${url}: ${[code, error.message].filter(Boolean).join(', ')}`;
    return temporaryCodes.has(code) ? temporary(said) : longTerm(said);
  }
}

/** Error codes of cut and refused connections. A name that does not exist or an untrusted server is a long-term failure. RFC 9773 §4.3.3 */
const temporaryCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN']);

interface RawReply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

async function whole(incoming: http.IncomingMessage): Promise<RawReply> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maximumLength) throw new Error(`more than ${maximumLength} bytes`);
    chunks.push(chunk);
  }
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, text: Buffer.concat(chunks).toString() };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // for example an HTML page, which the message shows
  }
}
