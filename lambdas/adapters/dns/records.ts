import type { Answer } from 'dns-packet';
import type { CaaRecord } from '../../domain/ports/dns.ts';
import { quoted } from '../../domain/rules/proof/quote-untrusted.ts';
import { LookupError } from './lookup.ts';
import type { Reach } from './root-servers.ts';

/** Normalizes a name for comparison to lower case without a trailing dot. The root is the empty name. RFC 4343 */
export const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** Tells whether a name is the domain or inside it. Both are plain names. */
export const isWithin = (name: string, domain: string): boolean => domain === '' || `.${name}`.endsWith(`.${domain}`);

/** The parent domain. The parent of a top-level domain is the root. */
export const above = (name: string): string => (name.includes('.') ? name.slice(name.indexOf('.') + 1) : '');

/**
 * The characters that names of hosts and challenges need. A DNS reply can contain any byte, line breaks included, and names are shown in
 * messages with records that the operator copies.
 */
const ordinary = /^[A-Za-z0-9_*-]+(?:\.[A-Za-z0-9_*-]+)*$/;
/** The same with ports and with addresses in brackets. */
const ordinaryInLaboratory = /^[A-Za-z0-9_*:[\]-]+(?:\.[A-Za-z0-9_*:[\]-]+)*$/;

/** Longest chain of CNAMEs that is followed. RFC 1034 sets no limit, and resolvers follow about this many. */
export const mostAliases = 8;
/** Servers of a delegation that are read. Registries accept about 13. The address of each one is looked up, so a reply must not name thousands. */
const mostServers = 30;

/** The target of the CNAME of this plain name, as a plain name. Throws `LookupError` for a target that is not a valid host name. */
export function aliasOf(records: readonly Answer[], name: string): string | undefined {
  return pointedTo(records, name, 'CNAME', ordinary)[0];
}

/** The first servers in the NS records of this plain name, as plain names. Throws `LookupError` as `aliasOf` does. */
export function nameServersOf(records: readonly Answer[], name: string, reach: Reach): readonly string[] {
  const servers = pointedTo(records, name, 'NS', reach === 'laboratory' ? ordinaryInLaboratory : ordinary);
  return servers.slice(0, mostServers);
}

function pointedTo(records: readonly Answer[], name: string, type: 'CNAME' | 'NS', allowed: RegExp): readonly string[] {
  return records.flatMap((each) => {
    if (each.type !== type || plain(each.name) !== name) return [];
    const target = each.data.replace(/\.$/, '');
    if (allowed.test(target)) return plain(target);
    throw new LookupError(
      `the ${type} record at ${name || 'the root'} points to ${quoted(target)}, which is not a valid host name`,
    );
  });
}

/** The TXT values of this plain name. A TXT record is a list of strings of up to 255 bytes, which are joined as in RFC 7208 §3.3. */
export function txtValues(records: readonly Answer[], name: string): readonly string[] {
  return records.flatMap((each) => {
    if (each.type !== 'TXT' || plain(each.name) !== name) return [];
    return Buffer.concat([each.data].flat().map((chunk) => Buffer.from(chunk))).toString();
  });
}

/** Bit 0 of the flags, which is the most significant one. RFC 8659 §4.1 */
const issuerCritical = 0x80;

/** The CAA records of this plain name. */
export function caaRecords(records: readonly Answer[], name: string): readonly CaaRecord[] {
  return records.flatMap((each) => {
    if (each.type !== 'CAA' || plain(each.name) !== name) return [];
    const { flags = 0, tag, value } = each.data;
    return { critical: (flags & issuerCritical) !== 0, tag: tag.toLowerCase(), value };
  });
}
