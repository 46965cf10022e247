import type { Issuer } from '../rules/contract.ts';
import { InvalidProfileError, TermsNotAgreedError } from '../rules/errors.ts';
import type { Acme, CertificateAuthority } from '../rules/ports.ts';
import { authorizationFrom } from './authorizations.ts';
import { certificateSigningRequest } from './csr.ts';
import { dnsChallengeValue } from './key-authorization.ts';
import { orderFrom } from './orders.ts';
import { notAcme } from './problems.ts';
import type { Reply, Request } from './replies.ts';
import { openSession, type Session } from './session.ts';
import { createTransport } from './transport.ts';

export interface AcmeOptions {
  /** Names the product and its version, RFC 8555 §6.1. */
  readonly userAgent: string;
  /** The clock, for the age of nonces and of the directory, and for a Retry-After that is a date. */
  readonly now: () => Date;
  /** PEM of roots to trust besides Node's own. */
  readonly trustedRoots?: string;
  /** Seconds for a whole reply. 45: some CAs sign within the request, in 30 s. ACM's ACME endpoint wants 120. */
  readonly timeout?: number;
}

/**
 * ACME, RFC 8555. Nothing in here waits, polls or repeats a request, but for badNonce. Make one inside each invocation and
 * `close` it at the end, so that no connection outlives the invocation; nonces and directories do, in the module's memory.
 */
export function createAcme({ now, timeout = 45, ...options }: AcmeOptions): Acme & { close(): void } {
  const transport = createTransport({ ...options, timeout });
  return {
    async newAccount(issuer, privateKey) {
      return newAccount(issuer, openSession(issuer, { url: null, privateKey }, { transport, now }));
    },
    connect(issuer, account) {
      return certificateAuthority(issuer, account.privateKey, openSession(issuer, account, { transport, now }), now);
    },
    close: transport.close,
  };
}

async function newAccount(issuer: Issuer, session: Session): Promise<string> {
  const { newAccount: url, meta } = await session.directory();
  if (meta.termsOfService && !issuer.termsOfServiceAgreed) {
    throw new TermsNotAgreedError(
      `${issuer.name} asks for agreement to its terms: read ${meta.termsOfService} and set termsOfServiceAgreed to true.`,
    );
  }
  const request = { issuer: issuer.name, what: 'a new account' };
  const reply = await session.post(request, url, {
    ...(issuer.termsOfServiceAgreed ? { termsOfServiceAgreed: true } : {}),
    ...(issuer.contact.length > 0 ? { contact: issuer.contact } : {}),
  });
  return locationOf(reply, request);
}

function certificateAuthority(
  { name: issuer }: Issuer,
  accountKey: string,
  session: Session,
  now: () => Date,
): CertificateAuthority {
  return {
    async newOrder({ identifiers, profile }) {
      const request = { issuer, what: `a new order for ${listed(identifiers)}` };
      const { newOrder, meta } = await session.directory();
      const payload = {
        identifiers: identifiers.map((value) => ({ type: 'dns', value })),
        ...(profile === null ? {} : { profile }),
      };
      const reply = await session.post(request, newOrder, payload).catch((error: unknown) => {
        throw withProfiles(error, meta.profiles);
      });
      return orderFrom(reply, locationOf(reply, request), request, now());
    },
    async order(url) {
      const request = { issuer, what: `the order ${url}` };
      return orderFrom(await session.post(request, url, null), url, request, now());
    },
    async authorization(url) {
      const request = { issuer, what: `the authorization ${url}` };
      return authorizationFrom(await session.post(request, url, null), url, request);
    },
    challengeValue: (challenge) => dnsChallengeValue(challenge, accountKey),
    async respond(url) {
      // What comes back is not looked at: the order tells how the challenge went.
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
      if (typeof reply.data === 'string' && reply.data.includes('-----BEGIN CERTIFICATE-----')) return reply.data;
      throw notAcme(request, 'a certificate in PEM', reply);
    },
  };
}

function locationOf(reply: Reply, request: Request): string {
  const { location } = reply.headers;
  if (typeof location !== 'string' || !URL.canParse(location)) throw notAcme(request, 'a Location header', reply);
  return location;
}

function withProfiles(error: unknown, profiles: readonly string[]): unknown {
  if (!(error instanceof InvalidProfileError) || profiles.length === 0) return error;
  const { problem, message } = error;
  return new InvalidProfileError(`${message} It offers ${profiles.join(', ')}.`, problem ? { problem } : {});
}

/** Three of them and a count are enough to know which order it was. */
function listed(identifiers: readonly string[]): string {
  const rest = identifiers.length - 3;
  return `${identifiers.slice(0, 3).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
