import type { Answer } from 'dns-packet';
import type { CaaRecord } from '../../domain/ports/dns.ts';
import { quoted } from '../../domain/rules/proof/quote-untrusted.ts';
import type { Reach } from './allowed-addresses.ts';
import { LookupError } from './lookup.ts';

/** As names are compared: lower case, no trailing dot; the root is the empty name. RFC 4343 */
export const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** Both plain. */
export const isWithin = (name: string, domain: string): boolean => domain === '' || `.${name}`.endsWith(`.${domain}`);

/** The domain above; of a top-level domain the root. */
export const above = (name: string): string => (name.includes('.') ? name.slice(name.indexOf('.') + 1) : '');

/**
 * All that names of hosts and of challenges need. DNS can tell any byte, line breaks and text too, and names get into messages with records
 * to paste.
 */
const ordinary = /^[A-Za-z0-9_*-]+(?:\.[A-Za-z0-9_*-]+)*$/;
/** With ports, and addresses in brackets. */
const ordinaryInLaboratory = /^[A-Za-z0-9_*:[\]-]+(?:\.[A-Za-z0-9_*:[\]-]+)*$/;

/** What the CNAME of this plain name points to, plain. Throws `LookupError` for a target with other characters than names need. */
export function aliasOf(records: readonly Answer[], name: string): string | undefined {
  return pointedTo(records, name, 'CNAME', ordinary)[0];
}

/** The servers that the NS records of this plain name name, plain. Throws `LookupError` like `aliasOf`. */
export function nameServersOf(records: readonly Answer[], name: string, reach: Reach): readonly string[] {
  return pointedTo(records, name, 'NS', reach === 'laboratory' ? ordinaryInLaboratory : ordinary);
}

function pointedTo(records: readonly Answer[], name: string, type: 'CNAME' | 'NS', allowed: RegExp): readonly string[] {
  return records.flatMap((each) => {
    if (each.type !== type || plain(each.name) !== name) return [];
    const target = each.data.replace(/\.$/, '');
    if (allowed.test(target)) return plain(target);
    throw new LookupError(
      `the ${type} record at ${name || 'the root'} names ${quoted(target)}, which no host is called`,
    );
  });
}

/** The values of this plain name. One TXT record is a list of strings of up to 255 bytes, RFC 7208 §3.3 among others joins them. */
export function txtValues(records: readonly Answer[], name: string): readonly string[] {
  return records.flatMap((each) => {
    if (each.type !== 'TXT' || plain(each.name) !== name) return [];
    return Buffer.concat([each.data].flat().map((chunk) => Buffer.from(chunk))).toString();
  });
}

/** Bit 0 of the flags, the most significant one. RFC 8659 §4.1 */
const issuerCritical = 0x80;

/** The set of this plain name. */
export function caaRecords(records: readonly Answer[], name: string): readonly CaaRecord[] {
  return records.flatMap((each) => {
    if (each.type !== 'CAA' || plain(each.name) !== name) return [];
    const { flags = 0, tag, value } = each.data;
    return { critical: (flags & issuerCritical) !== 0, tag: tag.toLowerCase(), value };
  });
}
