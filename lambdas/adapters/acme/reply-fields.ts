import { printable } from '../../domain/contract/printable-text.ts';

/**
 * Fields of a reply, each with a bound. A function returns `null` for a value that is not as RFC 8555 defines it. Lengths are compared before an
 * expression reads the text.
 */

/** Longest URL in characters. */
const longestUrl = 2048;
/** Longest DNS name in characters. RFC 1035 §2.3.4 */
const longestIdentifier = 253;
/** Longest token in characters. RFC 8555 §8.1 asks for 128 bits at least, which are 22. */
const longestToken = 512;
/** Longest RFC 3339 time in characters, with nanoseconds and an offset. */
const longestTime = 40;

const matches = (value: unknown, longest: number, pattern: RegExp): string | null =>
  typeof value === 'string' && value.length <= longest && pattern.test(value) ? value : null;

/**
 * An http or https URL. An absolute URL is returned as it is, because it may be the id of an account. Some CAs send URLs that are relative to the URL of
 * the reply. They need a base.
 */
export function urlField(value: unknown, base?: string): string | null {
  const url = matches(value, longestUrl, /^[\x21-\x7e]+$/);
  if (url === null || !URL.canParse(url, base)) return null;
  if (/^https?:\/\//.test(url)) return url;
  const { href } = new URL(url, base);
  return base === undefined ? null : matches(href, longestUrl, /^https?:\/\//);
}

/** One word, such as the status of an order or the type of a challenge. */
export const wordField = (value: unknown): string | null => matches(value, 64, /^[A-Za-z0-9][A-Za-z0-9._-]*$/);

/**
 * An identifier, which is a DNS name with an optional star, or an address. The result has lower case and no trailing dot, as identifiers are ordered,
 * because some CAs return them in another form.
 */
export function identifierField(value: unknown): string | null {
  const text = matches(value, longestIdentifier + 1, /^[A-Za-z0-9*_.:-]+$/);
  const name = text?.toLowerCase().replace(/\.$/, '') ?? '';
  return name === '' || name.length > longestIdentifier ? null : name;
}

/** The token of a challenge. Only its digest is used. */
export const tokenField = (value: unknown): string | null => matches(value, longestToken, /^[\x21-\x7e]+$/);

/** A time in RFC 3339. */
export function timeField(value: unknown): string | null {
  const time = matches(value, longestTime, /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/);
  return time !== null && !Number.isNaN(Date.parse(time.toUpperCase())) ? time : null;
}

/** Any text that is shown to the operator. */
export const textField = (value: unknown, longest: number): string | null =>
  typeof value === 'string' ? printable(value, longest) : null;
