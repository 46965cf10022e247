import type { AuthoritativeDns } from '../domain/ports/dns.ts';
import { type Alias, mostLinks } from '../domain/rules/proof/challenge-target.ts';
import { normalizeIdentifier } from '../domain/rules/proof/names.ts';

/**
 * The CNAMEs from this name on, one after another. Where one cannot be looked up, `unknown` says so in a sentence, and what was found
 * before is taken for the end.
 *
 * A wildcard CNAME answers for every name that has no records (RFC 4592 §3.4.2), and stops at the one where a TXT record is made. In our
 * zones `isWildcards` can tell whether that is so; the answer alone cannot.
 */
export async function followAlias(
  record: string,
  dns: Pick<AuthoritativeDns, 'cname'>,
  isWildcards: (name: string) => Promise<boolean>,
): Promise<Alias & { readonly unknown: string | null }> {
  const links: string[] = [];
  for (let name = record; ; ) {
    const answer = await dns.cname(name);
    if ('failed' in answer) {
      const unknown = `Whether a CNAME stands at ${name} could not be found out: ${answer.failed}.`;
      return { links, endless: null, unknown };
    }
    if (answer.found === null || (await isWildcards(name))) return { links, endless: null, unknown: null };
    const next = normalizeIdentifier(answer.found);
    const loop = next === record || links.includes(next);
    links.push(next);
    if (loop) return { links, endless: 'loop', unknown: null };
    if (links.length > mostLinks) return { links, endless: 'long', unknown: null };
    name = next;
  }
}
