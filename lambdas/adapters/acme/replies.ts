/** A reply of the CA as axios has it: JSON is parsed, anything else is text. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly data: unknown;
}

/** Who was asked for what: how every message about a reply begins. */
export interface Request {
  /** `Issuer.name`. */
  readonly issuer: string;
  /** In words, e.g. `the order https://ca.example/order/1`. */
  readonly what: string;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Seconds or an HTTP-date (RFC 9110 §10.2.3) as whole seconds from now, 0 for the past; `null`: absent or nonsense. */
export function retryAfter({ headers }: Pick<Reply, 'headers'>, now: Date): number | null {
  const value = headers['retry-after'];
  if (typeof value !== 'string') return null;
  // Nine digits are 31 years: more is no time to wait, and would overflow a date later.
  if (/^\s*\d+\s*$/.test(value)) return value.trim().length <= 9 ? Number(value) : null;
  // Only the date formats of HTTP begin with a day's name; Date.parse alone would take "-5" for a year.
  const at = /^\s*[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}

/**
 * Seconds until the time that a rate limit's text names, as Boulder writes it: "retry after 2026-11-27 05:06:44 UTC". `null`: none.
 */
export function retryTime(text: string, now: Date): number | null {
  const [, day, time] = /retry after (\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.\d+)? ?(?:UTC|Z)/i.exec(text) ?? [];
  const at = Date.parse(`${day}T${time}Z`);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}

/** The beginning of a body, for a message: 80 characters on one line, no PEM. */
export function excerpt(data: unknown): string {
  const text = (typeof data === 'string' ? data : (JSON.stringify(data) ?? '')).replace(/-----BEGIN[\s\S]*/, '(PEM)');
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return 'an empty body';
  return line.length > 80 ? `${line.slice(0, 80)}…` : line;
}
