import type { IssuerAccount, RecordedAccount } from '../../contract/certificate-facts.ts';
import type { CaaRecord } from '../../ports/dns.ts';
import { quoted } from './quote-untrusted.ts';
import { recordList } from './record-list.ts';

/** Tags for contacts or for certificates of other types. CAs may know them, so they do not prevent issuance even if they are critical. */
const otherTags = new Set(['iodef', 'contactemail', 'contactphone', 'issuemail', 'issuevmc']);

/** Value of an issue or issuewild tag. RFC 8659 §4.2 */
interface IssueValue {
  /** Domain name of the CA in lower case. It is empty if no CA may issue. */
  readonly issuer: string;
  /** Parameters, with tags in lower case. */
  readonly parameters: readonly { readonly tag: string; readonly value: string }[];
}

const label = '[a-z0-9]+(?:-+[a-z0-9]+)*';
const issuerName = new RegExp(`^(?:${label}(?:\\.${label})*)?$`, 'i');
/** The value of a parameter is printable ASCII without spaces and semicolons. */
const parameter = new RegExp(`^(${label})[ \\t]*=[ \\t]*([!-:<-~]*)$`, 'i');

/**
 * Parses the value of an issue or issuewild tag. Returns `null` if it does not match the grammar of RFC 8659 §4.2, so that it allows no CA. A name
 * may be followed by a semicolon without a parameter.
 */
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

/** Removes spaces and tabs at both ends. A regular expression would take seconds for 64 KB of spaces. */
function withoutBlanks(text: string): string {
  const blank = (at: number) => text[at] === ' ' || text[at] === '\t';
  let [start, end] = [0, text.length];
  while (blank(start)) start++;
  while (end > start && blank(end - 1)) end--;
  return text.slice(start, end);
}

const isWildcard = (identifier: string): boolean => identifier.startsWith('*.');

/** Returns the records that apply to an identifier. For a wildcard these are the issuewild records, if there are any. RFC 8659 §4.3 */
function issueTags(identifier: string, records: readonly CaaRecord[]): readonly CaaRecord[] {
  const tagged = (tag: string) => records.filter((record) => record.tag === tag);
  const wild = isWildcard(identifier) ? tagged('issuewild') : [];
  return wild.length > 0 ? wild : tagged('issue');
}

const unknownCritical = (records: readonly CaaRecord[]): readonly CaaRecord[] =>
  records.filter(({ critical, tag }) => critical && tag !== 'issue' && tag !== 'issuewild' && !otherTags.has(tag));

/** Tells whether these records prevent any CA from issuing for the identifier. */
export function caaRestricts(identifier: string, records: readonly CaaRecord[]): boolean {
  return unknownCritical(records).length > 0 || issueTags(identifier, records).length > 0;
}

/** Why a CAA set does not allow a CA to issue. */
export interface CaaRefusal {
  /** Reason, as the end of a sentence that begins with "The CAA set". */
  readonly why: string;
  /** What the operator has to do, with the record to create if there is one. */
  readonly remedy: string;
  /** The record to create, in zone file format. Absent if a record has to be removed instead. */
  readonly record?: string;
}

/**
 * Decides whether the relevant CAA set allows a CA to issue for an identifier to an account that proves control by dns-01. Returns `null` if it
 * does. One record that allows it is enough. RFC 8659 §4, RFC 8657
 *
 * `account` must have at least one CAA identity, because without one the question cannot be answered.
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
  // If the set names this CA with other parameters, the domain is restricted to accounts. Then the new record is restricted to this account.
  const value = ofThisCa ? lockedTo(account.url, identity) : identity;
  const record = `${domain}. 300 IN CAA 0 ${tag} "${value}"`;
  return {
    why: ofThisCa
      ? `names this CA, but does not allow the account ${account.url} with dns-01: ${shown(tags)}`
      : `does not name this CA: ${shown(tags)}`,
    remedy: `Create this record: ${recordList([record])}.`,
    record,
  };
}

function allows(value: string, { url, caaIdentities }: IssuerAccount): boolean {
  const issue = parseIssueValue(value);
  if (!issue || issue.issuer === '' || !caaIdentities.includes(issue.issuer)) return false;
  const given = (tag: string) => issue.parameters.flatMap((each) => (each.tag === tag ? [each.value] : []));
  // Two parameters with the same tag can never be met (RFC 8657 §3, §4). Without the tag there is no restriction.
  const met = (values: readonly string[], fits: (value: string) => boolean) =>
    values.length === 0 || (values.length === 1 && values.every(fits));
  return (
    met(given('accounturi'), (uri) => uri === url) &&
    met(given('validationmethods'), (methods) => methods.split(',').includes('dns-01'))
  );
}

/** Returns an issue value that allows one account only, and one validation method unless it is `null`. RFC 8657 §3, §4 */
const lockedTo = (accountUrl: string, identity: string, method: string | null = 'dns-01'): string =>
  `${identity}; ${method === null ? '' : `validationmethods=${method}; `}accounturi=${accountUrl}`;

/** Longest records of one CA together, in characters. A CA with 20 names has 3,000. */
const longestLines = 6_000;

/**
 * Returns the CAA records that allow only this account of this CA, and only the given validation method unless it is `null`. They take effect once
 * all other CAA records of the domain are removed, and apply to wildcards too. There is one line for each CAA identity of the CA, to be put behind
 * `example.com. 300 IN CAA `. RFC 8657
 */
export function caaLines({ url, caaIdentities }: IssuerAccount, method: 'dns-01' | null): readonly string[] {
  let room = longestLines;
  return caaIdentities
    .map((identity) => `0 issue "${lockedTo(url, identity, method)}"`)
    .filter(({ length }) => {
      room -= length;
      return room >= 0;
    });
}

/** Time for which a recorded account counts as fresh: 30 days, in milliseconds. A CA announces changes of its CAA identities months before. */
const freshFor = 30 * 86_400_000;

/** Tells whether the CAA identities of the CA, or the account there, may differ from those in the ledger. */
export function isStale({ readAt }: RecordedAccount, now: Date): boolean {
  return readAt === null || now.getTime() - Date.parse(readAt) > freshFor;
}

const maximumShown = 5;

/** Lists the first records, each in the form `0 issue "ca.example"`, and counts the rest. */
function shown(records: readonly CaaRecord[]): string {
  const rest = records.length - maximumShown;
  return records.slice(0, maximumShown).map(caaText).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/**
 * Returns a record as in a zone file. The value is cut, because it may have 64 KB. A tag consists of letters and digits (RFC 8659 §4.1.1), but a DNS
 * answer can contain any byte.
 */
const caaText = ({ critical, tag, value }: CaaRecord): string =>
  `${critical ? 128 : 0} ${/^[a-z0-9]{1,15}$/.test(tag) ? tag : quoted(tag, 15)} ${quoted(value, 120)}`;
