import type { AuthoritativeDns } from '../domain/ports/dns.ts';
import { type Alias, maximumLinks } from '../domain/rules/proof/challenge-target.ts';
import { normalizeIdentifier } from '../domain/rules/proof/names.ts';

/**
 * Follows the CNAMEs from this name, one after another. If a lookup fails, `unknown` has the reason as a sentence, and the chain ends at the
 * last name that was found.
 *
 * A wildcard CNAME answers for every name without records (RFC 4592 §3.4.2). It no longer answers for a name once a TXT record is created there,
 * so it is not followed. The answer does not show whether it comes from a wildcard, but `isFromWildcard` knows for the configured zones.
 */
export async function followAlias(
  record: string,
  dns: Pick<AuthoritativeDns, 'cname'>,
  isFromWildcard: (name: string) => Promise<boolean>,
): Promise<Alias & { readonly unknown: string | null }> {
  const links: string[] = [];
  for (let name = record; ; ) {
    const answer = await dns.cname(name);
    if ('failed' in answer) {
      const unknown = `Whether a CNAME exists at ${name} could not be determined: ${answer.failed}.`;
      return { links, endless: null, unknown };
    }
    if (answer.found === null || (await isFromWildcard(name))) return { links, endless: null, unknown: null };
    const next = normalizeIdentifier(answer.found);
    const loop = next === record || links.includes(next);
    links.push(next);
    if (loop) return { links, endless: 'loop', unknown: null };
    if (links.length > maximumLinks) return { links, endless: 'long', unknown: null };
    name = next;
  }
}
