import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import type { IssuerAccount } from './certificate-facts.ts';
import type { CertificateSpec, Issuer } from './config.ts';
import { InvalidInputError } from './errors.ts';
import { type RevocationReason, revocationReasons } from './revocation-reason.ts';
import type { Run } from './steps.ts';

/** Input of the account workflow: run inside the account, never on an operator's machine. */
export type AccountRequest =
  | { readonly action: 'register' }
  | { readonly action: 'rollOverKey'; readonly issuer: string }
  | { readonly action: 'deactivate'; readonly issuer: string }
  | { readonly action: 'revoke'; readonly certificate: string; readonly reason: RevocationReason };

export interface ResolveAccountRequestInput {
  /** ARN. */
  readonly execution: string;
  /** The execution's own input, unchecked. */
  readonly request: unknown;
}
/** The request with what its names stand for. What an action has no use for is `null`. */
export interface ResolveAccountRequestOutput {
  readonly action: AccountRequest['action'];
  /** Those to register at: every configured one; empty for other actions. */
  readonly issuers: readonly Issuer[];
  /** The one whose key is changed or whose account is deactivated. */
  readonly issuer: Issuer | null;
  /** The certificate to revoke. */
  readonly spec: CertificateSpec | null;
  /** The secret's version that is to be revoked: fixed here, so that a repetition does not revoke its successor. */
  readonly versionId: string | null;
  readonly reason: RevocationReason | null;
  /** Name for the execution that issues anew. */
  readonly executionName: string | null;
}

export interface IssuerInput extends Run {
  readonly issuer: Issuer;
}
export interface AccountOutput {
  readonly issuer: string;
  /** The account's URL; `null`: there was none. */
  readonly account: string | null;
}

/** What *Register account* says of one issuer. */
export interface RegisteredAccount extends IssuerAccount {
  readonly issuer: string;
  /** CAA records that let this issuer issue to this account only (`rules/proof/caa.ts`); empty: the CA does not say by which name. */
  readonly caa: readonly string[];
}
/** Of the whole registration. */
export interface RegistrationOutput {
  readonly accounts: readonly RegisteredAccount[];
  /** Of all of them. */
  readonly caa: readonly string[];
}

export interface RevokeCertificateInput extends Run {
  readonly spec: CertificateSpec;
  readonly versionId: string;
  readonly reason: RevocationReason;
}
export interface RevokeCertificateOutput {
  /** Serial numbers. */
  readonly revoked: readonly string[];
  /** A revoked certificate is the current one, and another is wanted in its place. */
  readonly renew: boolean;
}

// ---- The request ----------------------------------------------------------------------------------------------------

const name = z.string().check(z.minLength(1));
const reasons = Object.keys(revocationReasons) as RevocationReason[];

const request = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('register') }),
  z.strictObject({ action: z.literal('rollOverKey'), issuer: name }),
  z.strictObject({ action: z.literal('deactivate'), issuer: name }),
  z.strictObject({ action: z.literal('revoke'), certificate: name, reason: z.enum(reasons) }),
]);

/** Throws `InvalidInputError` with what was found and what is wanted. */
export function parseAccountRequest(input: unknown): AccountRequest {
  const result = request.safeParse(input, { error: en().localeError }); // zod/mini says only "Invalid input" by itself
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new InvalidInputError({
    what: `The execution's input is not understood (${problems.join('; ')}).`,
    remedy: `Give {"action": "register"}, {"action": "rollOverKey", "issuer": "letsencrypt"}, {"action": "deactivate", "issuer": "letsencrypt"}, or {"action": "revoke", "certificate": "www", "reason": "keyCompromise"} (reasons: ${reasons.join(', ')}).`,
  });
}
