import { isRecord, type Reply } from './replies.ts';
import { urlField } from './reply-fields.ts';

/** Longest Link headers that are read, in characters, and the largest number of links. CAs offer one to three alternate chains. */
const longestLinks = 8_000;
const mostLinks = 10;

/** The URLs of `Link: <…>;rel="relation"` in one or several headers. RFC 8288. Without a base, relative URLs are left out. */
export function linksOf({ headers: { link } }: Pick<Reply, 'headers'>, relation: string, base?: string): string[] {
  const text = (Array.isArray(link) ? link.join(', ') : String(link ?? '')).slice(0, longestLinks);
  const rel = new RegExp(`;\\s*rel\\s*=\\s*("([^"]*\\s)?${relation}(\\s[^"]*)?"|${relation}\\s*(,|;|$))`, 'i');
  const links = [...text.matchAll(/<([^<>]*)>([^<]*)/g)];
  const urls = links.flatMap(([, target = '', parameters = '']) =>
    rel.test(parameters) ? (urlField(target, base) ?? []) : [],
  );
  return urls.slice(0, mostLinks);
}

/** Longest text that is searched for a link, in characters. */
const longestText = 4_000;

/**
 * Returns the link with which a CA asks the operator to act: `instance` (RFC 8555 §6.7), the first URL in the text of a paused account, or the terms
 * of service that need agreement (§7.3.3). The link is complete. It may have a token in its query, which is a credential, so no error has it.
 */
export function actionLink(reply: Reply): string | null {
  const { instance, detail } = isRecord(reply.data) ? reply.data : {};
  const text = typeof detail === 'string' ? detail.slice(0, longestText) : '';
  const [found = null] = /https?:\/\/[^\s"<>]*[^\s"<>.,;)]/.exec(text) ?? [];
  return urlField(instance) ?? urlField(found) ?? linksOf(reply, 'terms-of-service')[0] ?? null;
}

/** Replaces the query and the fragment of each URL in a text. A token of a CA is in one of them. */
export const withoutTokens = (text: string): string => text.replace(/(https?:\/\/[^\s?#]+)[?#]\S+/g, '$1?…');
