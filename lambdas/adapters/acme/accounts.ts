import { X509Certificate } from 'node:crypto';
import type { Issuer } from '../../domain/contract/config.ts';
import {
  AccountDoesNotExistError,
  AcmeProblemError,
  ExternalAccountBindingError,
  ExternalAccountRequiredError,
  KeyRolloverUnsupportedError,
  MalformedError,
  PerennialError,
  TermsNotAgreedError,
  UnauthorizedError,
} from '../../domain/contract/errors.ts';
import type { ExternalAccountKey, NewAccount } from '../../domain/ports/acme.ts';
import { leafOf, splitPem } from '../../domain/rules/certificate/verify-certificate.ts';
import { locationOf } from './headers.ts';
import { asContactRefused, isProblem } from './problems.ts';
import type { Session } from './session.ts';

/** Registers an account. `session` signs with the key of the account. RFC 8555 §7.3 */
export async function newAccount(
  issuer: Issuer,
  session: Session,
  externalAccountKey?: ExternalAccountKey,
): Promise<NewAccount> {
  const { newAccount: url, meta } = await session.directory();
  if (meta.termsOfService && !issuer.termsOfServiceAgreed) {
    throw new TermsNotAgreedError({
      what: `${issuer.name} has no account for this stack yet, and needs agreement to its terms of service.`,
      remedy: `Read ${meta.termsOfService} and set termsOfServiceAgreed to true.`,
      issuer: issuer.name,
    });
  }
  const request = { issuer: issuer.name, what: 'a new account' };
  const payload = {
    ...(issuer.termsOfServiceAgreed ? { termsOfServiceAgreed: true } : {}),
    ...(issuer.contact.length > 0 ? { contact: issuer.contact } : {}),
    ...(externalAccountKey ? { externalAccountBinding: session.externalAccountBinding(url, externalAccountKey) } : {}),
  };
  const reply = await session.post(request, url, payload).catch((error: unknown) => {
    const refusal = asContactRefused(error);
    throw externalAccountKey ? bindingRefused(issuer, refusal) : refusal;
  });
  return { url: locationOf(reply, url, request), created: reply.status === 201 };
}

/** The error for a rejected newAccount with a binding. Usually the binding is unknown, expired or already used. */
function bindingRefused({ name: issuer, externalAccountBinding }: Issuer, error: unknown): unknown {
  const refused =
    error instanceof UnauthorizedError ||
    error instanceof MalformedError ||
    error instanceof ExternalAccountRequiredError;
  if (!refused) return error;
  return new ExternalAccountBindingError({
    ...error.explanation,
    remedy: `If the external account binding is used or expired, create a new one at ${issuer} and put its kid and hmacKey into the secret ${externalAccountBinding}.`,
    issuer,
    secret: externalAccountBinding ?? undefined,
    problem: error.problem,
  });
}

/** Finds the URL of the account of this key. Returns `null` if there is none. RFC 8555 §7.3.1 */
export async function findAccount(issuer: Issuer, session: Session): Promise<string | null> {
  const { newAccount: url } = await session.directory();
  const request = { issuer: issuer.name, what: 'the account of a key' };
  try {
    return locationOf(await session.post(request, url, { onlyReturnExisting: true }), url, request);
  } catch (error) {
    if (error instanceof AccountDoesNotExistError) return null;
    throw error;
  }
}

/** Changes the key of an account. The old key signs the outer JWS and the new key signs the inner one. RFC 8555 §7.3.5 */
export async function changeKey(
  issuer: Issuer,
  account: { readonly url: string },
  sessions: { readonly old: Session; readonly new: Session },
): Promise<void> {
  const { keyChange: url } = await sessions.old.directory();
  if (!issuer.keyRollover || url === null) throw rolloverUnsupported(issuer);
  const inner = sessions.new.innerJws(url, { account: account.url, oldKey: sessions.old.publicKey });
  const request = { issuer: issuer.name, what: `a new key for the account ${account.url}` };
  await sessions.old.post(request, url, inner).catch((error: unknown) => {
    const refused = error instanceof PerennialError && unsupportedStatuses.has(error.problem?.status ?? 0);
    throw refused ? rolloverUnsupported(issuer, error) : error;
  });
}

/** HTTP statuses of a CA that has no key change at its URL, whatever the type of the problem document: Not Found, Method Not Allowed, Not Implemented. */
const unsupportedStatuses: ReadonlySet<number> = new Set([404, 405, 501]);

const rolloverUnsupported = ({ name: issuer }: Issuer, cause?: PerennialError): KeyRolloverUnsupportedError =>
  new KeyRolloverUnsupportedError({
    what: `${issuer} does not change the key of an account.`,
    ...(cause?.explanation.why && { why: cause.explanation.why }),
    remedy: 'Deactivate the account instead. The next order registers a new one.',
    issuer,
    ...(cause && { problem: cause.problem, cause }),
  });

/** Deactivates an account for good. Its key cannot be registered again. RFC 8555 §7.3.6 */
export async function deactivate(issuer: Issuer, url: string, session: Session): Promise<void> {
  await session.post({ issuer: issuer.name, what: `the deactivation of the account ${url}` }, url, {
    status: 'deactivated',
  });
}

/** Revokes the leaf certificate of a PEM chain. `session` signs for the account or with the key of the certificate. RFC 8555 §7.6 */
export async function revoke(issuer: Issuer, session: Session, certificate: string, reason: number): Promise<void> {
  const leaf = leafOf(splitPem(certificate)) ?? new X509Certificate(certificate);
  const { revokeCert: url } = await session.directory();
  if (url === null) {
    throw new AcmeProblemError({
      what: `${issuer.name} cannot revoke a certificate.`,
      why: 'Its directory has no revokeCert.',
      remedy: 'Ask the CA to revoke it.',
      issuer: issuer.name,
    });
  }
  const request = { issuer: issuer.name, what: `the revocation of certificate ${leaf.serialNumber.toLowerCase()}` };
  await session.post(request, url, { certificate: leaf.raw.toString('base64url'), reason }).catch((error: unknown) => {
    if (!isProblem(error, 'alreadyRevoked')) throw error;
  });
}
