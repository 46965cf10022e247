import { notAcme } from './problems.ts';
import type { Reply, Request } from './replies.ts';

/** The URL of the new account or order. RFC 8555 §7.3, §7.4 */
export function locationOf(reply: Reply, request: Request): string {
  const { location } = reply.headers;
  if (typeof location !== 'string' || !URL.canParse(location)) throw notAcme(request, 'a Location header', reply);
  return location;
}

/** The URLs of `Link: <…>;rel="alternate"` in one or several headers. RFC 8555 §7.4.2, RFC 8288 */
export function alternatesOf({ headers: { link } }: Reply, base: string): string[] {
  const text = Array.isArray(link) ? link.join(', ') : String(link ?? '');
  const links = [...text.matchAll(/<([^<>]*)>([^<]*)/g)];
  return links.flatMap(([, target = '', parameters = '']) =>
    /;\s*rel\s*=\s*("([^"]*\s)?alternate(\s[^"]*)?"|alternate\s*(,|;|$))/i.test(parameters) &&
    URL.canParse(target, base)
      ? [new URL(target, base).href]
      : [],
  );
}
