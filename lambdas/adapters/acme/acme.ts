import type { Issuer } from '../../domain/contract/config.ts';
import { AccountPausedError, AlreadyReplacedError, UserActionRequiredError } from '../../domain/contract/errors.ts';
import type { Acme, CertificateAuthority } from '../../domain/ports/acme.ts';
import { checkAccount, updateContact, withAccountStatus } from './account-status.ts';
import { changeKey, deactivate, findAccount, newAccount, revoke } from './accounts.ts';
import { authorizationFrom } from './authorizations.ts';
import type { Network, TrustedRoots } from './connections.ts';
import { certificateSigningRequest } from './csr.ts';
import { alternatesOf, locationOf } from './headers.ts';
import { dnsChallengeValue } from './key-authorization.ts';
import { actionLink } from './links.ts';
import { orderFrom } from './orders.ts';
import { isProblem, problemError } from './problems.ts';
import { assertOffered, assertOrdered, withProfiles } from './profiles.ts';
import { notAcme, type Request } from './replies.ts';
import { openSession, type Session } from './session.ts';
import { createTransport } from './transport.ts';

/** Longest chain in characters of PEM. A secret has room for 65,536 bytes and has the chain twice. A usual chain has 3,000 to 10,000. */
const longestChain = 30_000;

interface AcmeOptions {
  /** Product and version. RFC 8555 §6.1 */
  readonly userAgent: string;
  /** The clock. It is used for the age of nonces and directories, and for a Retry-After with a date. */
  readonly now: () => Date;
  readonly trustedRoots?: TrustedRoots;
  readonly network?: Network;
}

/**
 * Creates an ACME client (RFC 8555). It does not wait or poll, and it repeats a request only after badNonce. Create one in each invocation and
 * `close` it at the end, so that no connection stays open. Nonces and directories stay in memory for the next invocation.
 */
export function createAcme({ now, ...options }: AcmeOptions): Acme & { close(): void } {
  const connection = { transport: createTransport(options), now };
  const byKey = (issuer: Issuer, privateKey: string) => openSession(issuer, { url: null, privateKey }, connection);
  const byAccount = (issuer: Issuer, account: { readonly url: string; readonly privateKey: string }) =>
    withAccountStatus(issuer, account, openSession(issuer, account, connection));
  return {
    newAccount: (issuer, privateKey, externalAccountKey) =>
      newAccount(issuer, byKey(issuer, privateKey), externalAccountKey),
    findAccount: (issuer, privateKey) => findAccount(issuer, byKey(issuer, privateKey)),
    checkAccount: (issuer, account) => checkAccount(issuer, account.url, openSession(issuer, account, connection)),
    updateContact: (issuer, account) => updateContact(issuer, account.url, openSession(issuer, account, connection)),
    changeKey: (issuer, account, newPrivateKey) =>
      changeKey(issuer, account, { old: byAccount(issuer, account), new: byKey(issuer, newPrivateKey) }),
    deactivate: (issuer, account) => deactivate(issuer, account.url, openSession(issuer, account, connection)),
    revoke(issuer, signer, certificate, reason) {
      const session = 'url' in signer ? byAccount(issuer, signer) : byKey(issuer, signer.certificateKey);
      return revoke(issuer, session, certificate, reason);
    },
    connect: (issuer, account) => certificateAuthority(issuer, account, byAccount(issuer, account), now),
    close: connection.transport.close,
  };
}

function certificateAuthority(
  { name: issuer }: Issuer,
  account: { readonly url: string; readonly privateKey: string },
  session: Session,
  now: () => Date,
): CertificateAuthority {
  return {
    async account() {
      const { meta } = await session.directory();
      return { url: account.url, caaIdentities: meta.caaIdentities };
    },
    async profiles() {
      return (await session.directory()).meta.profiles;
    },
    async newOrder({ identifiers, profile, replaces = null }) {
      const request = orderRequest(issuer, identifiers);
      if (profile !== null) await assertOffered(profile, issuer, session);
      const { newOrder, renewalInfo, meta } = await session.directory();
      const replacing = replaces !== null && renewalInfo !== null;
      const payload = { ...orderPayload(identifiers, profile), ...(replacing ? { replaces } : {}) };
      const reply = await session.post(request, newOrder, payload).catch((error: unknown) => {
        throw withProfiles(replacing ? asAlreadyReplaced(error) : error, meta.profiles);
      });
      const url = locationOf(reply, newOrder, request);
      const order = orderFrom(reply, url, request, now());
      if (profile !== null && order.status !== 'invalid') assertOrdered(profile, issuer, { url, reply });
      return order;
    },
    async accountLink({ identifiers, profile }) {
      const { newOrder } = await session.directory();
      const reply = await session.exchange(newOrder, orderPayload(identifiers, profile));
      if (reply.status >= 200 && reply.status <= 299) return null;
      const refusal = problemError(reply, orderRequest(issuer, identifiers), now());
      const asksForAction = refusal instanceof AccountPausedError || refusal instanceof UserActionRequiredError;
      const link = asksForAction ? actionLink(reply) : null;
      if (link === null) throw refusal;
      return link;
    },
    async order(url) {
      const request = { issuer, what: `the order ${url}` };
      return orderFrom(await session.post(request, url, null), url, request, now());
    },
    async authorization(url) {
      const request = { issuer, what: `the authorization ${url}` };
      return authorizationFrom(await session.post(request, url, null), url, request);
    },
    challengeValue: (challenge) => dnsChallengeValue(challenge, account.privateKey),
    async respond(url) {
      // The reply is ignored, because the order has the result of the challenge.
      await session.post({ issuer, what: `the response to the challenge ${url}` }, url, {});
    },
    async finalize({ url, finalize }, identifiers, privateKey) {
      const request = { issuer, what: `the finalization of the order ${url}` };
      const csr = await certificateSigningRequest(identifiers, privateKey);
      return orderFrom(await session.post(request, finalize, { csr }), url, request, now());
    },
    async certificate(url) {
      const request = { issuer, what: `the certificate ${url}` };
      const reply = await session.post(request, url, null);
      const { data } = reply;
      if (typeof data === 'string' && data.length > longestChain)
        throw notAcme(request, `a certificate chain of at most ${longestChain} characters`, reply);
      if (typeof data === 'string' && data.includes('-----BEGIN CERTIFICATE-----')) {
        return { pem: data, alternates: alternatesOf(reply, url) };
      }
      throw notAcme(request, 'a certificate in PEM', reply);
    },
  };
}

const orderRequest = (issuer: string, identifiers: readonly string[]): Request => ({
  issuer,
  what: `a new order for ${listed(identifiers)}`,
});

const orderPayload = (identifiers: readonly string[], profile: string | null) => ({
  identifiers: identifiers.map((value) => ({ type: 'dns', value })),
  ...(profile === null ? {} : { profile }),
});

/** The error for a replaced certificate. Some CAs use the type `conflict` with HTTP 409 (getssl#908). */
function asAlreadyReplaced(error: unknown): unknown {
  if (!isProblem(error, 'conflict') || error.problem?.status !== 409) return error;
  return new AlreadyReplacedError({ ...error.explanation, ...error.fields, problem: error.problem });
}

/** The first three identifiers and the number of others, which identify an order in a message. */
function listed(identifiers: readonly string[]): string {
  const rest = identifiers.length - 3;
  return `${identifiers.slice(0, 3).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
