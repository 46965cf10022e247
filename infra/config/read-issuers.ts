import { X509Certificate } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Token } from 'aws-cdk-lib';
import { z } from 'zod';
import type { Issuer } from '../../lambdas/domain/contract/config.ts';
import { identifierProblem, normalizeIdentifier } from '../../lambdas/domain/rules/proof/names.ts';
import { type Fields, flag, list, type Report, readFields, readList, show, takesTokens, text } from './fields.ts';

const firstIssuances = 'a whole number from 1 on, or null for no limit';

/** Whole, with the six characters that Secrets Manager adds: the grant is on exactly this secret. */
const secretArn = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}$/;
const allowedBinding =
  'the whole ARN of a secret with kid and hmacKey, or null where the CA wants no external account binding';
/** Seconds. Five minutes leave a function of Lambda, which has 15, time for two more requests. */
const longestReply = 300;
const allowedReply = `whole seconds from 1 to ${longestReply}`;

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
  externalAccountBinding: z
    .string({ error: allowedBinding })
    .refine((value) => Token.isUnresolved(value) || secretArn.test(value), { error: allowedBinding })
    .nullable()
    .meta(takesTokens),
  preferredChain: text(/\S/, 'the common name of a root certificate, or null').nullable(),
  replyTimeout: z
    .int({ error: allowedReply })
    .min(1, { error: allowedReply })
    .max(longestReply, { error: allowedReply }),
  keyRollover: flag,
  publiclyTrusted: flag.optional(),
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
  readonly publiclyTrusted: boolean;
}

/** The issuers of a config in order of appearance, each once: 2,000 certificates share one object. */
export interface IssuerList {
  readonly issuers: readonly Issuer[];
  readonly trustedRoots: ReadonlySet<string>;
  /** Indices of those whose certificates browsers do not trust. */
  readonly untrusted: ReadonlySet<number>;
  /** Index in `issuers`. Mistakes are reported where an issuer appears first. */
  indexOf(value: unknown, path: string): number;
}

export function issuerList(report: Report): IssuerList {
  const seen = new Map<unknown, number>();
  const issuers: Issuer[] = [];
  const paths: string[] = [];
  const trustedRoots = new Set<string>();
  const untrusted = new Set<number>();
  const add = (value: unknown, path: string): number => {
    const checked = checkIssuer(value, path, report);
    for (const root of checked.trustedRoots) trustedRoots.add(root);
    const known = issuers.findIndex(({ directoryUrl }) => directoryUrl === checked.issuer.directoryUrl);
    if (known === -1) {
      const namesake = issuers.findIndex(({ name }) => name === checked.issuer.name);
      if (namesake !== -1) {
        const found = `found ${show(checked.issuer.name)}, the name of ${paths[namesake]} too`;
        report(`${path}.name`, `${found}, allowed: a name of its own for each directory`);
      }
      paths.push(path);
      const index = issuers.push(checked.issuer) - 1;
      if (!checked.publiclyTrusted) untrusted.add(index);
      return index;
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
  return { issuers, trustedRoots, untrusted, indexOf };
}

/** Indices of the issuers to ask after `first`; each once, and of its kind: a failing CA is no reason to trust another kind. */
export function readFallbacks(
  values: readonly unknown[],
  path: string,
  {
    issuers,
    first,
  }: { readonly issuers: IssuerList; readonly first: { readonly index: number; readonly path: string } },
  report: Report,
): readonly number[] {
  const paths = new Map([[first.index, first.path]]);
  const { staging } = issuers.issuers[first.index] ?? {};
  const fallbacks: number[] = [];
  for (const [position, value] of values.entries()) {
    const at = `${path}[${position}]`;
    const index = issuers.indexOf(value, at);
    if (typeof value !== 'object' || value === null) continue; // told as no issuer at all
    const twin = paths.get(index);
    const kind = issuers.issuers[index]?.staging === true ? 'a staging directory' : 'no staging directory';
    if (twin !== undefined) report(at, `found the directory of ${twin} too, allowed: each directory once`);
    else if (issuers.issuers[index]?.staging !== staging)
      report(at, `found ${kind}, allowed: issuers of the kind of ${first.path}, all staging or none`);
    else if (issuers.issuers[index]?.termsOfServiceAgreed === false) {
      const allowed = 'true, since an issuer in reserve is asked only where it has our account';
      report(`${at}.termsOfServiceAgreed`, `found false, allowed: ${allowed}`);
    }
    paths.set(index, at);
    fallbacks.push(index);
  }
  return fallbacks;
}

/** What is refused has a stand-in, so that certificates are still checked; nothing is deployed with it. */
function checkIssuer(value: unknown, path: string, report: Report): CheckedIssuer {
  const fields = readIssuer(value, path, report);
  const { termsOfService, termsOfServiceAgreed = false } = fields;
  const refused = !fields.directoryUrl || (termsOfService && !termsOfServiceAgreed);
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
    termsOfServiceAgreed: refused ? true : termsOfServiceAgreed,
    contact: contacts.filter((url) => url !== undefined),
    challenges: fields.challenges ?? 'dns-01',
    staging: fields.staging ?? false,
    firstIssuancesPerRun: fields.firstIssuancesPerRun ?? null,
    externalAccountBinding: fields.externalAccountBinding ?? null,
    preferredChain: fields.preferredChain ?? null,
    replyTimeout: fields.replyTimeout ?? longestReply,
    keyRollover: fields.keyRollover ?? false,
  };
  // A server that needs roots of its own for its HTTPS is a private CA as a rule. What says nothing about it is a config in plain data.
  const { publiclyTrusted = trustedRoots.length === 0 } = fields;
  return { issuer, trustedRoots, publiclyTrusted: publiclyTrusted && !issuer.staging };
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
