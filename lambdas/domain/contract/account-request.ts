import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import type { IssuerAccount } from './certificate-facts.ts';
import type { CertificateSpec, Issuer } from './config.ts';
import { InvalidInputError } from './errors.ts';
import { type RevocationReason, revocationReasons } from './revocation-reason.ts';
import type { Run } from './steps.ts';

/** Input of the accounts workflow, which runs in the AWS account and never on the machine of the operator. */
export type AccountRequest =
  | { readonly action: 'register' }
  | { readonly action: 'rollOverKey'; readonly issuer: string }
  | { readonly action: 'deactivate'; readonly issuer: string }
  | { readonly action: 'accountLink'; readonly certificate: string; readonly issuer?: string | undefined }
  | { readonly action: 'pause'; readonly certificate: string; readonly until: string }
  | { readonly action: 'resume'; readonly certificate: string }
  | {
      readonly action: 'revoke';
      readonly certificate: string;
      readonly reason: RevocationReason;
      /** Version of the secret to revoke. @default the current one */
      readonly versionId?: string | undefined;
    };

export interface ResolveAccountRequestInput {
  /** ARN of the execution. */
  readonly execution: string;
  /** The input of the execution, unchecked. */
  readonly request: unknown;
}
/** The request with the objects that its names refer to. A field that the action does not need is `null`. */
export interface ResolveAccountRequestOutput {
  readonly action: AccountRequest['action'];
  /** Issuers to register at, which are all configured ones. Empty for other actions. */
  readonly issuers: readonly Issuer[];
  /** The issuer whose account key is changed or whose account is deactivated. */
  readonly issuer: Issuer | null;
  /** The certificate to revoke, or whose order the CA refuses with a link. */
  readonly spec: CertificateSpec | null;
  /** Version of the secret to revoke. It is fixed here, so that a retry does not revoke the next version. */
  readonly versionId: string | null;
  readonly reason: RevocationReason | null;
  /** Name of the execution that issues the replacement. */
  readonly executionName: string | null;
  /** Time until which renewals are paused, in RFC 3339. `null` ends the pause. */
  readonly until: string | null;
}

export interface SetPauseInput extends Run {
  readonly until: string | null;
}
export interface SetPauseOutput {
  readonly certificate: string;
  readonly pausedUntil: string | null;
}

export interface IssuerInput extends Run {
  readonly issuer: Issuer;
}
export interface AccountOutput {
  readonly issuer: string;
  /** URL of the account. `null` if there was none. */
  readonly account: string | null;
}

/** The result of *Register account* for one issuer. */
export interface RegisteredAccount extends IssuerAccount {
  readonly issuer: string;
  /** CAA records that allow this issuer for this account only (`rules/proof/caa.ts`). Empty if the CA does not publish its CAA identities. */
  readonly caa: readonly string[];
}
/** The output of the registration with all issuers. */
export interface RegistrationOutput {
  readonly accounts: readonly RegisteredAccount[];
  /** The CAA records of all issuers. */
  readonly caa: readonly string[];
}

export interface AccountLinkInput extends Run {
  readonly spec: CertificateSpec;
}
export interface AccountLinkOutput {
  readonly certificate: string;
  readonly issuer: string;
  /** The link with which the CA asks the operator to act, complete. `null` if the CA accepts an order for the certificate. */
  readonly link: string | null;
}

export interface MarkCompromisedKeyInput extends Run {
  readonly versionId: string;
}

export interface RevokeCertificateInput extends Run {
  readonly spec: CertificateSpec;
  readonly versionId: string;
  readonly reason: RevocationReason;
}
export interface RevokeCertificateOutput {
  /** Serial numbers of the revoked certificates. */
  readonly revoked: readonly string[];
  /** Whether the current certificate was revoked and has to be replaced. */
  readonly renew: boolean;
}

const name = z.string().check(z.minLength(1));
const reasons = Object.keys(revocationReasons) as RevocationReason[];

const request = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('register') }),
  z.strictObject({ action: z.literal('rollOverKey'), issuer: name }),
  z.strictObject({ action: z.literal('deactivate'), issuer: name }),
  z.strictObject({ action: z.literal('accountLink'), certificate: name, issuer: z.optional(name) }),
  z.strictObject({ action: z.literal('pause'), certificate: name, until: z.iso.datetime() }),
  z.strictObject({ action: z.literal('resume'), certificate: name }),
  z.strictObject({
    action: z.literal('revoke'),
    certificate: name,
    reason: z.enum(reasons),
    versionId: z.optional(name),
  }),
]);

/** Parses the input of the accounts workflow. Throws `InvalidInputError` with the faults of the input and with valid examples. */
export function parseAccountRequest(input: unknown): AccountRequest {
  const result = request.safeParse(input, { error: en().localeError }); // zod/mini alone says only "Invalid input"
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new InvalidInputError({
    what: `The input of the execution is invalid (${problems.join('; ')}).`,
    remedy: `Give {"action": "register"}, {"action": "rollOverKey", "issuer": "letsencrypt"}, {"action": "deactivate", "issuer": "letsencrypt"}, {"action": "accountLink", "certificate": "www"}, {"action": "pause", "certificate": "www", "until": "2027-01-31T00:00:00Z"}, {"action": "resume", "certificate": "www"}, or {"action": "revoke", "certificate": "www", "reason": "keyCompromise"} (reasons: ${reasons.join(', ')}).`,
  });
}
