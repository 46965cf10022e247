import http from 'node:http';
import https from 'node:https';
import type { Issuer } from '../../domain/contract/config.ts';
import type { FailedFetch } from '../../domain/ports/renewal-info.ts';
import type { Connections } from './connections.ts';
import { followed } from './headers.ts';
import { excerpt, type LocatedReply, retryAfter } from './replies.ts';

/** Time limit of a reply, in seconds. Directory and window take 30 s of the 60 s of the function. For a slower CA the dates decide. */
const longestTimeout = 15;

/** Longest reply in bytes. A renewalInfo object has 200 bytes and a directory a few thousand. */
const maximumLength = 100_000;

/** A failure that lasts, such as 4xx or a reply that is not of a CA. RFC 9773 §4.3.3 */
export const longTerm = (failed: string, retryAfter: number | null = null): FailedFetch => ({
  failed,
  temporary: false,
  retryAfter,
});
/** A failure that may pass, such as 5xx or a timeout. */
const temporary = (failed: string, retryAfter: number | null = null): FailedFetch => ({
  failed,
  temporary: true,
  retryAfter,
});

/** Returns a complete reply with status 200. All else is a failure. Redirects are followed, and each URL is checked. */
export async function unsignedGet(
  issuer: Pick<Issuer, 'name' | 'replyTimeout'>,
  url: string,
  {
    userAgent,
    now,
    httpAgent,
    httpsAgent,
    assertAllowed,
  }: Connections & { readonly userAgent: string; readonly now: () => Date },
): Promise<LocatedReply | FailedFetch> {
  const seconds = Math.min(issuer.replyTimeout, longestTimeout);
  const headers = { 'User-Agent': userAgent, Accept: 'application/json' };
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
