import type { Answer } from 'dns-packet';
import type { CaaRecord } from '../rules/ports.ts';

/** As names are compared: lower case, no trailing dot; the root is the empty name. RFC 4343 */
export const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** Both plain. */
export const isWithin = (name: string, domain: string): boolean => domain === '' || `.${name}`.endsWith(`.${domain}`);

/** The domain above; of a top-level domain the root. */
export const above = (name: string): string => (name.includes('.') ? name.slice(name.indexOf('.') + 1) : '');

/** What the records of this plain name point to, plain. */
export function targets(records: readonly Answer[], name: string, type: 'CNAME' | 'NS'): readonly string[] {
  return records.flatMap((each) => (each.type === type && plain(each.name) === name ? plain(each.data) : []));
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
