import type { FailedFetch, RenewalInfo, RenewalInfos } from '../../domain/ports/renewal-info.ts';
import { createConnections, type Network, type TrustedRoots } from './connections.ts';
import { excerpt, isRecord, type LocatedReply, type Reply, retryAfter } from './replies.ts';
import { timeField, urlField } from './reply-fields.ts';
import { longTerm, unsignedGet } from './unsigned-get.ts';

interface RenewalInfoOptions {
  readonly userAgent: string;
  /** The clock. It is used for the age of directories and for a Retry-After with a date. */
  readonly now: () => Date;
  readonly trustedRoots?: TrustedRoots;
  readonly network?: Network;
}

type Issuer = Parameters<RenewalInfos['fetch']>[0];
/** Sends an unsigned GET. */
type Get = (issuer: Issuer, url: string) => Promise<LocatedReply | FailedFetch>;

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
  const get: Get = (issuer, url) => unsignedGet(issuer, url, { userAgent, now, ...connections.to(issuer) });

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
