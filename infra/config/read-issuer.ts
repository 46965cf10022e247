import { X509Certificate } from 'node:crypto';
import { Construct } from 'constructs';
import { z } from 'zod';
import { challengeKinds, type Issuer, type OrderLimit } from '../../lambdas/domain/contract/config.ts';
import { longestReply } from '../../lambdas/domain/rules/certificate/download-time.ts';
import { isEmailAddress, normalizeEmailAddress } from './email-address.ts';
import { type Fields, flag, found, list, readFields, readList, text, textOrToken, unread } from './fields.ts';
import { type MadeBy, madeBy, optionsOf } from './issuer-options.ts';
import type { Report } from './mistakes.ts';
import { orSecret } from './references.ts';

/** The complete ARN with the six characters that Secrets Manager adds, because the grant names exactly this secret. */
const secretArn = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}$/;
const allowedReply = `whole seconds from 1 to ${longestReply}`;
const allowedChallenges = "['dns-01'], or [] for a server whose authorizations are valid from the start";
/** Largest values of `newOrders`. The ledger keeps the orders of three hours in one item (`rules/renewal/order-bucket.ts`). */
const largestBurst = 5000;
const longestRefill = 86_400;

const wholeNumber = (largest: number) => {
  const error = `a whole number from 1 to ${largest}`;
  return z.int({ error }).min(1, { error }).max(largest, { error });
};
const orderLimitKind = {
  subject: 'newOrders',
  fields: { burst: wholeNumber(largestBurst), everySeconds: wholeNumber(longestRefill) },
};

const issuerKind = {
  subject: 'an issuer',
  fields: {
    name: text(/^[!-~]{1,255}$/, '1 to 255 characters of ASCII without spaces'),
    directoryUrl: z.url({ protocol: /^https$/, error: 'the https: URL of an ACME directory' }),
    termsOfService: z.string({ error: 'a URL, or null' }).nullish(),
    termsOfServiceAgreed: flag.optional(),
    contact: list('a list of e-mail addresses').default([]),
    contactRequired: flag.optional(),
    challenges: z.array(z.enum(challengeKinds, { error: allowedChallenges }), { error: allowedChallenges }),
    staging: flag,
    newOrders: z.looseObject({}, { error: '{ burst, everySeconds }, or null for no limit' }).nullable(),
    trustedRoots: list('a list of PEM texts').optional(),
    externalAccountBinding: orSecret(textOrToken(secretArn, 'the complete ARN of a secret with kid and hmacKey'))
      .nullable()
      .meta({ takesTokens: true }),
    preferredChain: text(/\S/, 'the common name of a root certificate, or null').nullable(),
    replyTimeout: z
      .int({ error: allowedReply })
      .min(1, { error: allowedReply })
      .max(longestReply, { error: allowedReply }),
    keyRollover: flag,
    publiclyTrusted: flag.optional(),
  },
};

const issuerSynonyms = {
  email: 'contact',
  emails: 'contact',
  mail: 'contact',
  agreetos: 'termsOfServiceAgreed',
  termsagreed: 'termsOfServiceAgreed',
  termsofservice: 'termsOfServiceAgreed',
  tos: 'termsOfServiceAgreed',
  directory: 'directoryUrl',
  server: 'directoryUrl',
  url: 'directoryUrl',
  eab: 'externalAccountBinding',
};

const allowedContact = 'one e-mail address, with or without mailto:, and without header fields (RFC 8555 §7.3)';
/** One addr-spec. Servers have to reject a list of addresses and `?` header fields, RFC 8555 §7.3. */
const contact = z
  .string({ error: allowedContact })
  .transform((value) => value.replace(/^mailto:/i, ''))
  .refine(isEmailAddress, { error: allowedContact })
  .transform((value) => `mailto:${normalizeEmailAddress(value)}`);

/** An issuer as the check returns it. */
export interface ReadIssuer {
  readonly issuer: Issuer;
  /** PEM texts of one certificate each. */
  readonly trustedRoots: readonly string[];
  readonly publiclyTrusted: boolean;
}

/**
 * Reads one issuer. Fields that are rejected get a placeholder, so that the certificates can still be checked. Nothing is deployed with it.
 */
export function readIssuer(value: unknown, path: string, report: Report): ReadIssuer {
  const fields = readIssuerFields(value, path, report);
  const agreed = checkTerms(fields, path, report);
  const contacts = readList(contact, fields.contact, `${path}.contact`, report);
  if (fields.contactRequired && fields.contact?.length === 0) {
    const allowed = `expected at least one e-mail address, because ${fields.name ?? 'the CA'} refuses an account without a contact`;
    report(`${path}.contact`, found((value as { readonly contact?: unknown }).contact), allowed);
  }
  const trustedRoots = (fields.trustedRoots ?? []).flatMap((pem, index) =>
    readRoots(pem, `${path}.trustedRoots[${index}]`, report),
  );
  const issuer: Issuer = {
    name: fields.name ?? path,
    directoryUrl: fields.directoryUrl ? new URL(fields.directoryUrl).href : path,
    termsOfServiceAgreed: agreed,
    contact: contacts.filter((url) => url !== undefined),
    challenges: [...new Set(fields.challenges ?? challengeKinds)],
    staging: fields.staging ?? false,
    newOrders: fields.newOrders ? readOrderLimit(fields.newOrders, `${path}.newOrders`, report) : null,
    externalAccountBinding: fields.externalAccountBinding ?? null,
    preferredChain: fields.preferredChain ?? null,
    replyTimeout: fields.replyTimeout ?? longestReply,
    keyRollover: fields.keyRollover ?? false,
  };
  // A server whose HTTPS certificate needs its own roots is usually a private CA. This decides for issuers that are written as plain data.
  const { publiclyTrusted = trustedRoots.length === 0 } = fields;
  return { issuer, trustedRoots, publiclyTrusted: publiclyTrusted && !issuer.staging };
}

type IssuerFields = Fields<typeof issuerKind.fields>;

const allowedIssuer =
  'expected letsEncryptStaging({ ... }) first, then letsEncrypt({ ... }), or acmeDirectory({ ... })';

function readIssuerFields(value: unknown, path: string, report: Report): IssuerFields {
  if (typeof value !== 'object' || value === null) {
    report(path, found(value), allowedIssuer);
    return {};
  }
  if (isOptionsOnly(value)) {
    report(path, 'found an object that no issuer function made', allowedIssuer);
    return {};
  }
  checkOptions(value, path, report);
  return readFields(issuerKind, value, path, report) ?? {};
}

/** Returns whether an object has the options of an issuer, such as `directoryUrl`, without the function that adds the other fields. */
const isOptionsOnly = (value: object): boolean =>
  !(value instanceof Construct) && !('replyTimeout' in value) && !('keyRollover' in value);

function readOrderLimit(value: object, path: string, report: Report): OrderLimit | null {
  const { burst, everySeconds } = readFields(orderLimitKind, value, path, report) ?? {};
  return burst && everySeconds ? { burst, everySeconds } : null;
}

/** Checks which options an issuer function was given, so that a mistake names the options of this function only. */
function checkOptions(value: { readonly [madeBy]?: unknown }, path: string, report: Report): void {
  const made = value[madeBy] as MadeBy | undefined;
  // Without options the mistakes are that the required ones are missing.
  if (!made || made.options === undefined) return;
  const names = Object.keys(optionsOf[made.issuerFunction]);
  const fields = Object.fromEntries(names.map((name) => [name, name === 'keys' ? keysOption : unread]));
  readFields({ subject: made.issuerFunction, fields, synonyms: issuerSynonyms }, made.options, path, report);
}

const keysOption = z.enum(['RSA', 'ECC'], { error: "'RSA' or 'ECC'" }).optional();

/**
 * Returns whether the terms are agreed to. Where they have to be and are not, that is reported and the result is the placeholder `true`.
 */
function checkTerms(fields: IssuerFields, path: string, report: Report): boolean {
  const { name = path, directoryUrl, termsOfService, termsOfServiceAgreed = false } = fields;
  if (!directoryUrl) return true;
  if (!termsOfService || termsOfServiceAgreed) return termsOfServiceAgreed;
  const where = termsOfService === directoryUrl ? `, which ${directoryUrl} names` : ` at ${termsOfService}`;
  const allowed = `read the terms of the CA ${name}${where}, and set true if you agree to them`;
  report(`${path}.termsOfServiceAgreed`, found(fields.termsOfServiceAgreed), allowed);
  return true;
}

const pemBlock = /-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----/g;

/** Returns the certificates in a PEM text. A mistake never shows the text, because it may be a private key. */
function readRoots(pem: unknown, path: string, report: Report): readonly string[] {
  const blocks = typeof pem === 'string' ? (pem.match(pemBlock) ?? []) : [];
  const rest = typeof pem === 'string' ? pem.replaceAll(pemBlock, '') : '';
  if (blocks.length > 0 && !rest.includes('-----') && blocks.every(isCertificate)) return blocks;
  const problem = rest.includes('PRIVATE KEY-----') ? 'found a private key' : 'found no PEM certificate';
  report(path, problem, 'expected the text of one or more PEM certificates, not a path');
  return [];
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).subject !== undefined;
  } catch {
    return false;
  }
}
