import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { InvalidInputError } from './errors.ts';
import { type RevocationReason, revocationReasons } from './revocation-reason.ts';

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
