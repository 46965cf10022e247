import type { IssuerAccount, RecordedAccount } from '../../contract/certificate-facts.ts';
import type { CaaRecord } from '../../ports/dns.ts';
import { quoted } from './quote-untrusted.ts';
import { recordList } from './record-list.ts';

/** Tags that say who may issue what else, or whom to tell: a CA may know them, so that critical they stand in nobody's way. */
const otherTags = new Set(['iodef', 'contactemail', 'contactphone', 'issuemail', 'issuevmc']);

/** Value of an issue or issuewild tag. RFC 8659 §4.2 */
interface IssueValue {
  /** Lower case; empty: nobody may issue. */
  readonly issuer: string;
  /** Tags in lower case. */
  readonly parameters: readonly { readonly tag: string; readonly value: string }[];
}

const label = '[a-z0-9]+(?:-+[a-z0-9]+)*';
const issuerName = new RegExp(`^(?:${label}(?:\\.${label})*)?$`, 'i');
/** Printable ASCII without blanks and semicolons. */
const parameter = new RegExp(`^(${label})[ \\t]*=[ \\t]*([!-:<-~]*)$`, 'i');

/** `null`: not by the grammar of RFC 8659 §4.2, so that it names nobody. A name may have a semicolon and nothing behind it. */
export function parseIssueValue(value: string): IssueValue | null {
  const [issuer = '', ...rest] = value.split(';').map(withoutBlanks);
  if (!issuerName.test(issuer)) return null;
  const written = rest.length === 1 && rest[0] === '' ? [] : rest;
  const parameters = [];
  for (const part of written) {
    const [, tag, text] = parameter.exec(part) ?? [];
    if (tag === undefined || text === undefined) return null;
    parameters.push({ tag: tag.toLowerCase(), value: text });
  }
  return { issuer: issuer.toLowerCase(), parameters };
}

/** At both ends. Not by a pattern, which would take seconds for 64 KB of blanks. */
function withoutBlanks(text: string): string {
  const blank = (at: number) => text[at] === ' ' || text[at] === '\t';
  let [start, end] = [0, text.length];
  while (blank(start)) start++;
  while (end > start && blank(end - 1)) end--;
  return text.slice(start, end);
}

const isWildcard = (identifier: string): boolean => identifier.startsWith('*.');

/** The properties that count for an identifier: for a wildcard issuewild alone, where there is one. RFC 8659 §4.3 */
function issueTags(identifier: string, records: readonly CaaRecord[]): readonly CaaRecord[] {
  const tagged = (tag: string) => records.filter((record) => record.tag === tag);
  const wild = isWildcard(identifier) ? tagged('issuewild') : [];
  return wild.length > 0 ? wild : tagged('issue');
}

const unknownCritical = (records: readonly CaaRecord[]): readonly CaaRecord[] =>
  records.filter(({ critical, tag }) => critical && tag !== 'issue' && tag !== 'issuewild' && !otherTags.has(tag));

/** Whether these records keep any CA at all from issuing for the identifier. */
export function caaRestricts(identifier: string, records: readonly CaaRecord[]): boolean {
  return unknownCritical(records).length > 0 || issueTags(identifier, records).length > 0;
}

export interface CaaRefusal {
  /** In words, as the end of a sentence "its CAA set ...". */
  readonly why: string;
  /** What to do, with the record ready to paste. */
  readonly remedy: string;
  /** The record to create, in zone file format. Absent where one has to be removed instead. */
  readonly record?: string;
}

/**
 * Whether a relevant CAA set lets a CA issue for an identifier to an account that proves by dns-01; `null`: it does. One record that
 * allows it is enough. RFC 8659 §4, RFC 8657
 *
 * `account` names at least one identity: without one nothing can be said.
 */
export function caaRefusal(
  identifier: string,
  { domain, records }: { readonly domain: string; readonly records: readonly CaaRecord[] },
  account: IssuerAccount,
): CaaRefusal | null {
  const [unknown] = unknownCritical(records);
  if (unknown) {
    return {
      why: `has a critical tag that CAs do not know, ${caaText(unknown)}`,
      remedy: 'Remove that record, or set its flags to 0.',
    };
  }
  const tags = issueTags(identifier, records);
  if (tags.length === 0 || tags.some(({ value }) => allows(value, account))) return null;
  const ofThisCa = tags.some(({ value }) => account.caaIdentities.includes(parseIssueValue(value)?.issuer ?? ''));
  const [identity = ''] = account.caaIdentities;
  const tag = tags[0]?.tag ?? 'issue';
  // Where this CA is named but its parameters do not fit, the domain is locked to accounts: so is the record to add.
  const value = ofThisCa ? lockedTo(account.url, identity) : identity;
  const record = `${domain}. 300 IN CAA 0 ${tag} "${value}"`;
  return {
    why: ofThisCa
      ? `names it, but not for the account ${account.url} with dns-01: ${shown(tags)}`
      : `allows other CAs only, or none: ${shown(tags)}`,
    remedy: `Create this record: ${recordList([record])}.`,
    record,
  };
}

function allows(value: string, { url, caaIdentities }: IssuerAccount): boolean {
  const issue = parseIssueValue(value);
  if (!issue || issue.issuer === '' || !caaIdentities.includes(issue.issuer)) return false;
  const given = (tag: string) => issue.parameters.flatMap((each) => (each.tag === tag ? [each.value] : []));
  // Of several with one tag RFC 8657 §3 and §4 say that the property cannot be met; none restricts nothing.
  const met = (values: readonly string[], fits: (value: string) => boolean) =>
    values.length === 0 || (values.length === 1 && values.every(fits));
  return (
    met(given('accounturi'), (uri) => uri === url) &&
    met(given('validationmethods'), (methods) => methods.split(',').includes('dns-01'))
  );
}

/** RFC 8657 §3, §4 */
const lockedTo = (accountUrl: string, identity: string, method: string | null = 'dns-01'): string =>
  `${identity}; ${method === null ? '' : `validationmethods=${method}; `}accounturi=${accountUrl}`;

/**
 * The records that let this CA issue to this account by dns-01 and to nobody else, once others are gone: a line for each name that the CA
 * goes by, to be put behind `example.com. 300 IN CAA `. They hold for wildcards too. RFC 8657
 */
export function caaLines({ url, caaIdentities }: IssuerAccount, method: 'dns-01' | null): readonly string[] {
  return caaIdentities.map((identity) => `0 issue "${lockedTo(url, identity, method)}"`);
}

/** Milliseconds: 30 days. A CA that adds or renames a CAA identity announces it months before. */
const freshFor = 30 * 86_400_000;

/** Whether the CA may go by other names in CAA records, or know another account of ours, than the ledger says. */
export function isStale({ readAt }: RecordedAccount, now: Date): boolean {
  return readAt === null || now.getTime() - Date.parse(readAt) > freshFor;
}

const most = 5;

/** `0 issue "ca.example"`, of a few. */
function shown(records: readonly CaaRecord[]): string {
  const rest = records.length - most;
  return records.slice(0, most).map(caaText).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** As in a zone file, cut: a value may be 64 KB long. A tag is of letters and digits, but DNS can tell any byte. RFC 8659 §4.1.1 */
const caaText = ({ critical, tag, value }: CaaRecord): string =>
  `${critical ? 128 : 0} ${/^[a-z0-9]{1,15}$/.test(tag) ? tag : quoted(tag, 15)} ${quoted(value, 120)}`;
