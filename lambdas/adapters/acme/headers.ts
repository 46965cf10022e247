import { linksOf } from './links.ts';
import { notAcme, type Reply, type Request } from './replies.ts';
import { urlField } from './reply-fields.ts';

/** The URL of the new account or order, which the reply to a POST to `url` names. It may be relative. RFC 8555 §7.3, §7.4, RFC 9110 §10.2.2 */
export function locationOf(reply: Reply, url: string, request: Request): string {
  const location = urlField(reply.headers.location, url);
  if (location === null) throw notAcme(request, 'a Location header', reply);
  return location;
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Largest number of redirects that are followed for one GET. */
const mostRedirects = 3;

/** Returns the last reply to a GET whose redirects are followed, with its URL. `get` checks each URL. */
export async function followed<R extends Pick<Reply, 'status' | 'headers'>>(
  url: string,
  get: (url: string) => Promise<R>,
): Promise<R & { readonly url: string }> {
  let [reply, base] = [await get(url), url];
  for (let hop = 0; hop < mostRedirects && redirects.has(reply.status); hop += 1) {
    const target = urlField(reply.headers.location, base);
    if (target === null) break;
    [reply, base] = [await get(target), target];
  }
  return { ...reply, url: base };
}

/** The URLs of `Link: <…>;rel="alternate"`. RFC 8555 §7.4.2 */
export const alternatesOf = (reply: Reply, base: string): string[] => linksOf(reply, 'alternate', base);
