import { X509Certificate } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Issuer } from '../../lambdas/rules/contract.ts';
import { identifierProblem, normalizeIdentifier } from '../../lambdas/rules/names.ts';
import { type Fields, list, type Report, readFields, readList, show, text } from './fields.ts';

const flag = z.boolean({ error: 'true or false' });
const firstIssuances = 'a whole number from 1 on, or null for no limit';

const issuerShape = {
  name: text(/^[!-~]{1,255}$/, '1 to 255 characters of ASCII without spaces'),
  directoryUrl: z.url({ protocol: /^https$/, error: 'the https: URL of an ACME directory' }),
  termsOfService: z.string({ error: 'a URL, or null' }).nullish(),
  termsOfServiceAgreed: flag.optional(),
  contact: list('a list of e-mail addresses').optional(),
  challenges: z.enum(['dns-01', 'none'], { error: "'dns-01' or 'none'" }),
  staging: flag,
  firstIssuancesPerRun: z.int({ error: firstIssuances }).positive({ error: firstIssuances }).nullable(),
  trustedRoots: list('a list of PEM texts').optional(),
};

const allowedContact = 'one e-mail address, with or without mailto:, without headers (RFC 8555 §7.3)';
/** One addr-spec, neither a list nor with `?` headers, which a server has to refuse. RFC 8555 §7.3 */
const contact = z
  .string({ error: allowedContact })
  .transform((value) => value.replace(/^mailto:/i, ''))
  .refine((value) => /^[^\s@,;?%]+@[^@]+$/.test(value) && domainProblem(value) === null, { error: allowedContact })
  .transform((value) => `mailto:${value.slice(0, value.indexOf('@') + 1)}${domainOf(value)}`);

function domainOf(address: string): string {
  return normalizeIdentifier(address.slice(address.indexOf('@') + 1));
}
function domainProblem(address: string): string | null {
  return domainOf(address).startsWith('*') ? 'wildcard' : identifierProblem(domainOf(address));
}

const pemBlock = /-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----/g;

interface CheckedIssuer {
  readonly issuer: Issuer;
  /** One PEM certificate each. */
  readonly trustedRoots: readonly string[];
}

/** The issuers of a config in order of appearance, each once: 2,000 certificates share one object. */
export interface IssuerList {
  readonly issuers: readonly Issuer[];
  readonly trustedRoots: ReadonlySet<string>;
  /** Index in `issuers`. Mistakes are reported where an issuer appears first. */
  indexOf(value: unknown, path: string): number;
}

export function issuerList(report: Report): IssuerList {
  const seen = new Map<unknown, number>();
  const issuers: Issuer[] = [];
  const paths: string[] = [];
  const trustedRoots = new Set<string>();
  const add = (value: unknown, path: string): number => {
    const checked = checkIssuer(value, path, report);
    for (const root of checked.trustedRoots) trustedRoots.add(root);
    const known = issuers.findIndex(({ directoryUrl }) => directoryUrl === checked.issuer.directoryUrl);
    if (known === -1) {
      paths.push(path);
      return issuers.push(checked.issuer) - 1;
    }
    if (!isDeepStrictEqual(issuers[known], checked.issuer))
      report(path, `found other settings for the directory of ${paths[known]}, allowed: one issuer for each directory`);
    return known;
  };
  const indexOf = (value: unknown, path: string): number => {
    const index = seen.get(value) ?? add(value, path);
    seen.set(value, index);
    return index;
  };
  return { issuers, trustedRoots, indexOf };
}

/** What is refused has a stand-in, so that certificates are still checked; nothing is deployed with it. */
function checkIssuer(value: unknown, path: string, report: Report): CheckedIssuer {
  const fields = readIssuer(value, path, report);
  const { termsOfService, termsOfServiceAgreed = false } = fields;
  if (termsOfService && !termsOfServiceAgreed) {
    const allowed = `true, once you agree to the terms at ${termsOfService}`;
    report(`${path}.termsOfServiceAgreed`, `found ${show(fields.termsOfServiceAgreed)}, allowed: ${allowed}`);
  }
  const contacts = readList(contact, fields.contact, `${path}.contact`, report);
  const trustedRoots = (fields.trustedRoots ?? []).flatMap((pem, index) =>
    readRoots(pem, `${path}.trustedRoots[${index}]`, report),
  );
  const issuer: Issuer = {
    name: fields.name ?? path,
    directoryUrl: fields.directoryUrl ? new URL(fields.directoryUrl).href : path,
    termsOfServiceAgreed,
    contact: contacts.filter((url) => url !== undefined),
    challenges: fields.challenges ?? 'dns-01',
    staging: fields.staging ?? false,
    firstIssuancesPerRun: fields.firstIssuancesPerRun ?? null,
  };
  return { issuer, trustedRoots };
}

function readIssuer(value: unknown, path: string, report: Report): Fields<typeof issuerShape> {
  if (typeof value === 'object' && value !== null) return readFields(issuerShape, value, path, report) ?? {};
  const allowed = 'letsEncryptStaging(...) first, then letsEncrypt(...), or acmeDirectory(...)';
  report(path, `found ${show(value)}, allowed: ${allowed}`);
  return {};
}

/** Never shows the text: what stands there by mistake may be a private key. */
function readRoots(pem: unknown, path: string, report: Report): readonly string[] {
  const blocks = typeof pem === 'string' ? (pem.match(pemBlock) ?? []) : [];
  const rest = typeof pem === 'string' ? pem.replaceAll(pemBlock, '') : '';
  if (blocks.length > 0 && !rest.includes('-----') && blocks.every(isCertificate)) return blocks;
  const found = rest.includes('PRIVATE KEY-----') ? 'a private key' : 'something else';
  report(path, `found ${found}, allowed: the text of one or more PEM certificates (not a path)`);
  return [];
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).subject !== undefined;
  } catch {
    return false;
  }
}
