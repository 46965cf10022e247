import { notAcme } from './problems.ts';
import type { Reply, Request } from './replies.ts';
import { urlField } from './reply-fields.ts';

/** The URL of the new account or order. RFC 8555 §7.3, §7.4 */
export function locationOf(reply: Reply, request: Request): string {
  const location = urlField(reply.headers.location);
  if (location === null) throw notAcme(request, 'a Location header', reply);
  return location;
}

/** Longest Link headers that are read, in characters, and the largest number of alternate chains. CAs offer one to three. */
const longestLinks = 8_000;
const mostAlternates = 10;

/** The URLs of `Link: <…>;rel="alternate"` in one or several headers. RFC 8555 §7.4.2, RFC 8288 */
export function alternatesOf({ headers: { link } }: Reply, base: string): string[] {
  const text = (Array.isArray(link) ? link.join(', ') : String(link ?? '')).slice(0, longestLinks);
  const links = [...text.matchAll(/<([^<>]*)>([^<]*)/g)];
  const urls = links.flatMap(([, target = '', parameters = '']) =>
    /;\s*rel\s*=\s*("([^"]*\s)?alternate(\s[^"]*)?"|alternate\s*(,|;|$))/i.test(parameters) &&
    URL.canParse(target, base)
      ? (urlField(new URL(target, base).href) ?? [])
      : [],
  );
  return urls.slice(0, mostAlternates);
}
