import { isIP } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import type { HostedZone } from '../../contract/config.ts';

/**
 * The form in which names are compared, ordered and stored: lower case, no trailing dot, A-labels (RFC 5890 §2.3.2.1, mapped
 * by UTS #46). Running it on its own result changes nothing. What cannot be a name comes back in lower case, for
 * `identifierProblem` to refuse.
 */
export function normalizeIdentifier(text: string): string {
  const [star, name] = text.startsWith('*.') ? ['*.', text.slice(2)] : ['', text];
  return star + withoutTrailingDot(toAsciiLabels(name).toLowerCase());
}

/** Two dots at the end are an empty label, a mistake, and stay. */
function withoutTrailingDot(name: string): string {
  return /[^.]\.$/.test(name) ? name.slice(0, -1) : name;
}

/**
 * Only a name with something to convert goes through `domainToASCII`: as part of a URL parser it reads `1.2` as an address
 * and drops what follows a slash.
 */
function toAsciiLabels(name: string): string {
  const convertible = /[^ -~]/.test(name) && !/[^a-z0-9._-]/i.test(name.replaceAll(/[^ -~]/g, ''));
  return (convertible && domainToASCII(name)) || name;
}

/** 1 to 63 letters, digits and hyphens, no hyphen at an end. RFC 1035 §2.3.1, RFC 1123 §2.1 */
const ldhLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
/** In A-labels and dots; 255 octets on the wire. RFC 1035 §2.3.4 */
const longestName = 253;

/** Why no public CA issues for this normalised name, as the end of a sentence "it ..."; `null`: it may be ordered. */
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
  // Hyphens in third and fourth place are reserved for A-labels, which have to decode. RFC 5890 §2.3.1
  if (label.slice(2, 4) === '--' && !isALabel(label))
    return `has the label ${JSON.stringify(label)}, which is not a valid A-label`;
  return null;
}

/** There and back again: neither function refuses a name of ASCII characters by itself. */
function isALabel(label: string): boolean {
  const unicode = domainToUnicode(label);
  return unicode !== label && domainToASCII(unicode) === label;
}

/** `*.example.com` is proven as `example.com`. RFC 8555 §7.1.4 */
export function withoutWildcard(identifier: string): string {
  return identifier.startsWith('*.') ? identifier.slice(2) : identifier;
}

/** Where the proof is written, unless a CNAME leads elsewhere; no trailing dot. RFC 8555 §8.4 */
export function challengeRecordName(identifier: string): string {
  return `_acme-challenge.${withoutWildcard(identifier)}`;
}

/**
 * The zone whose name is the longest suffix of the challenge record's, so that a zone may also be a delegated
 * `_acme-challenge.example.com` alone.
 */
export function hostedZoneFor(identifier: string, zones: readonly HostedZone[]): HostedZone | undefined {
  return zoneOf(challengeRecordName(identifier), zones);
}

/** The zone that a record of this name stands in. */
export function zoneOf(name: string, zones: readonly HostedZone[]): HostedZone | undefined {
  return longestSuffix(name, new Map(zones.map((zone) => [zone.name, zone])));
}

/** One look-up a label, however many entries there are. */
export function longestSuffix<T>(name: string, entries: ReadonlyMap<string, T>): T | undefined {
  for (let at = 0; ; ) {
    const entry = entries.get(name.slice(at));
    if (entry !== undefined) return entry;
    const dot = name.indexOf('.', at);
    if (dot === -1) return undefined;
    at = dot + 1;
  }
}
