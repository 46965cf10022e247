import { linksOf } from './links.ts';
import { notAcme } from './problems.ts';
import type { Reply, Request } from './replies.ts';
import { urlField } from './reply-fields.ts';

/** The URL of the new account or order, which the reply to a POST to `url` names. RFC 8555 §7.3, §7.4 */
export function locationOf(reply: Reply, url: string, request: Request): string {
  const location = locationField(reply, url);
  if (location === null) throw notAcme(request, 'a Location header', reply);
  return location;
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Largest number of redirects that are followed for one GET. */
const mostRedirects = 3;

/** Returns the last reply to a GET whose redirects are followed. `get` checks each URL. */
export async function followed<R extends Pick<Reply, 'status' | 'headers'>>(
  url: string,
  get: (url: string) => Promise<R>,
): Promise<R> {
  let [reply, base] = [await get(url), url];
  for (let hop = 0; hop < mostRedirects && redirects.has(reply.status); hop += 1) {
    const target = locationField(reply, base);
    if (target === null) break;
    [reply, base] = [await get(target), target];
  }
  return reply;
}

/** Location, which may be relative to the URL of the request (RFC 9110 §10.2.2). An absolute URL is kept as it is, because it may be the id of an account. */
function locationField({ headers: { location } }: Pick<Reply, 'headers'>, base: string): string | null {
  if (typeof location !== 'string' || !URL.canParse(location, base)) return null;
  return urlField(location) ?? urlField(new URL(location, base).href);
}

/** The URLs of `Link: <…>;rel="alternate"`. RFC 8555 §7.4.2 */
export const alternatesOf = (reply: Reply, base: string): string[] => linksOf(reply, 'alternate', base);
