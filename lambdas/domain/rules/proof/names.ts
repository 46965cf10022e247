import { isIP } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import type { HostedZone } from '../../contract/config.ts';

/**
 * Returns the form in which names are compared, ordered and stored. It has A-labels (RFC 5890 §2.3.2.1, mapped by UTS #46) in lower case and no
 * trailing dot. A normalized name is returned unchanged. Text that cannot be a name is returned in lower case, and `identifierProblem` rejects it.
 */
export function normalizeIdentifier(text: string): string {
  const [star, name] = text.startsWith('*.') ? ['*.', text.slice(2)] : ['', text];
  return star + withoutTrailingDot(toAsciiLabels(name).toLowerCase());
}

/** Removes one dot at the end. Two dots are an empty label, so they stay and are rejected later. */
function withoutTrailingDot(name: string): string {
  return /[^.]\.$/.test(name) ? name.slice(0, -1) : name;
}

/**
 * Converts a name to A-labels if it has other characters. An ASCII name is left alone, because `domainToASCII` is part of a URL parser. It reads
 * `1.2` as an address and drops the text after a slash.
 */
function toAsciiLabels(name: string): string {
  const convertible = /[^ -~]/.test(name) && !/[^a-z0-9._-]/i.test(name.replaceAll(/[^ -~]/g, ''));
  return (convertible && domainToASCII(name)) || name;
}

/** A label of 1 to 63 letters, digits and hyphens, without a hyphen at either end. RFC 1035 §2.3.1, RFC 1123 §2.1 */
const ldhLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
/** Longest name in characters, with dots, which is 255 octets in a DNS message. RFC 1035 §2.3.4 */
const longestName = 253;

/**
 * Returns why no public CA issues for this normalized name, as the end of a sentence that begins with "it". Returns `null` if the name can be
 * ordered.
 */
export function identifierProblem(identifier: string): string | null {
  const name = withoutWildcard(identifier);
  if (isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0) return 'is an IP address, which DNS-01 cannot prove (RFC 8738 §7)';
  if (name.includes('*')) return 'has a wildcard that is not its whole first label';
  if (name.length > longestName) return `is ${name.length} characters long, over ${longestName}`;
  const labels = name.split('.');
  for (const label of labels) {
    const problem = labelProblem(label);
    if (problem) return problem;
  }
  if (labels.length < 2) return 'has no dot';
  if (/^\d+$/.test(labels.at(-1) ?? '')) return 'ends in a label with digits only';
  return null;
}

function labelProblem(label: string): string | null {
  if (label === '') return 'has an empty label';
  if (label.length > 63) return `has a label of ${label.length} characters, over 63`;
  if (!ldhLabel.test(label))
    return `has the label ${JSON.stringify(label)}, which may have only letters, digits and inner hyphens`;
  // Hyphens in the third and fourth place are reserved for A-labels, which must be decodable. RFC 5890 §2.3.1
  if (label.slice(2, 4) === '--' && !isALabel(label))
    return `has the label ${JSON.stringify(label)}, which is not a valid A-label`;
  return null;
}

/** Tells whether a label is a valid A-label. It is converted in both directions, because neither function alone rejects ASCII characters. */
function isALabel(label: string): boolean {
  const unicode = domainToUnicode(label);
  return unicode !== label && domainToASCII(unicode) === label;
}

/** Returns the name for which control is proven, which is `example.com` for `*.example.com`. RFC 8555 §7.1.4 */
export function withoutWildcard(identifier: string): string {
  return identifier.startsWith('*.') ? identifier.slice(2) : identifier;
}

/** Returns the name of the challenge record, without a trailing dot. A CNAME at this name can redirect it. RFC 8555 §8.4 */
export function challengeRecordName(identifier: string): string {
  return `_acme-challenge.${withoutWildcard(identifier)}`;
}

/**
 * Returns the zone that contains the challenge record of an identifier. Its name is the longest suffix of the name of the record, so it can also
 * be a delegated zone `_acme-challenge.example.com`.
 */
export function hostedZoneFor(identifier: string, zones: readonly HostedZone[]): HostedZone | undefined {
  return zoneOf(challengeRecordName(identifier), zones);
}

/** Returns the zone that contains a record of this name. */
export function zoneOf(name: string, zones: readonly HostedZone[]): HostedZone | undefined {
  return longestSuffix(name, new Map(zones.map((zone) => [zone.name, zone])));
}

/** Returns the entry whose key is the longest suffix of a name. It needs one lookup per label, for any number of entries. */
export function longestSuffix<T>(name: string, entries: ReadonlyMap<string, T>): T | undefined {
  for (let at = 0; ; ) {
    const entry = entries.get(name.slice(at));
    if (entry !== undefined) return entry;
    const dot = name.indexOf('.', at);
    if (dot === -1) return undefined;
    at = dot + 1;
  }
}
