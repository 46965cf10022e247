import { CaUnavailableError } from '../../domain/contract/errors.ts';
import { printable } from '../../domain/contract/printable-text.ts';

/** A reply of the CA as axios returns it. JSON is parsed, and other bodies are text. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly data: unknown;
}

/** A reply to a GET whose redirects were followed, with the URL that sent it. */
export interface LocatedReply extends Reply {
  readonly url: string;
}

/** The issuer and object of a request. Every message about its reply begins with them. */
export interface Request {
  /** `Issuer.name`. */
  readonly issuer: string;
  /** The object as a phrase, such as `the order https://ca.example/order/1`. */
  readonly what: string;
}

/** Tells whether a value is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads Retry-After, in seconds or as an HTTP-date (RFC 9110 §10.2.3), as whole seconds from now. 0 for the past. `null` if absent or invalid. */
export function retryAfter({ headers }: Pick<Reply, 'headers'>, now: Date): number | null {
  const value = headers['retry-after'];
  if (typeof value !== 'string' || value.length > 100) return null;
  // Nine digits are 31 years. A longer value is useless and would overflow a date.
  if (/^\s*\d+\s*$/.test(value)) return value.trim().length <= 9 ? Number(value) : null;
  // The date formats of HTTP begin with the name of a day. Date.parse alone would read "-5" as a year.
  const at = /^\s*[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}

/** Seconds until the time in the text of a rate limit, which Boulder writes as "retry after 2026-11-27 05:06:44 UTC". `null` if it has none. */
export function retryTime(text: string, now: Date): number | null {
  const [, day, time] = /retry after (\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.\d+)? ?(?:UTC|Z)/i.exec(text) ?? [];
  const at = Date.parse(`${day}T${time}Z`);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}

/** Longest excerpt in characters, with its ellipsis. */
const longestExcerpt = 81;

/** The first 80 characters of a body on one line and without PEM, for a message. */
export function excerpt(data: unknown): string {
  const text = (typeof data === 'string' ? data : asJson(data)).slice(0, 10 * longestExcerpt);
  return printable(text.replace(/-----BEGIN[\s\S]*/, '(PEM)'), longestExcerpt) || 'an empty body';
}

function asJson(data: unknown): string {
  try {
    return JSON.stringify(data) ?? '';
  } catch {
    return 'deeply nested JSON'; // it can be parsed, but not written
  }
}

/** The error for a 2xx reply that does not have the fields of RFC 8555. */
export function notAcme({ issuer, what }: Request, wanted: string, reply: Reply): CaUnavailableError {
  return new CaUnavailableError({
    what: `${issuer} replied to ${what} with HTTP ${reply.status}, but without ${wanted}.`,
    why: `It sent ${excerpt(reply.data)}.`,
    remedy: 'Check the directory URL, or retry later.',
    issuer,
    problem: { type: 'about:blank', status: reply.status },
  });
}

/** Names the fields that could not be read, which are `null`, for `notAcme`. */
export function unreadable(fields: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(fields).filter((name) => fields[name] === null);
  const listed = names.length > 1 ? `the fields ${names.slice(0, -1).join(', ')} and` : 'the field';
  return `${listed} ${names.at(-1)} in the form of RFC 8555`;
}
