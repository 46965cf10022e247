import { Client, crypto } from 'acme-client';
import type { Issuer } from '../../domain/contract/config.ts';
import type { ExternalAccountKey } from '../../domain/ports/acme.ts';
import { type Directory, directoryFrom } from './directory.ts';
import { createNoncePool, type NoncePool } from './nonces.ts';
import { isBadNonce, notAcme, problemError } from './problems.ts';
import type { Reply, Request } from './replies.ts';
import type { Transport } from './transport.ts';

/** The parts of acme-client below its documented calls, which its types leave out. */
declare module 'acme-client' {
  interface Client {
    readonly http: {
      request(url: string, method: 'get' | 'head' | 'post', options?: { readonly data?: unknown }): Promise<Reply>;
      getDirectory(): Promise<Directory>;
      getNonce(): Promise<string>;
      createSignedBody(url: string, payload: object): object;
      createSignedHmacBody(hmacKey: string, url: string, payload: object, header: { readonly kid: string }): object;
    };
    readonly api: {
      apiRequest(
        url: string,
        payload: object | null,
        validStatusCodes: readonly number[],
        options: { readonly includeJwsKid: boolean },
      ): Promise<Reply>;
    };
  }
}

/** What a warm function knows of a CA from earlier calls, by directory URL. */
interface Known {
  readonly nonces: NoncePool;
  directory: { readonly value: Directory; readonly at: number } | null;
}
const knownOf = new Map<string, Known>();
function knownAt(directoryUrl: string): Known {
  const known = knownOf.get(directoryUrl) ?? { nonces: createNoncePool(), directory: null };
  knownOf.set(directoryUrl, known);
  return known;
}

/** An hour: directories change with releases of a CA, and a warm function may live for half a day. */
const directoryMaximumAge = 3_600_000;

export interface Connection {
  readonly transport: Transport;
  readonly now: () => Date;
}

/** One request when cold, none when warm. */
export async function readDirectory(
  { name, directoryUrl, replyTimeout }: Pick<Issuer, 'name' | 'directoryUrl' | 'replyTimeout'>,
  { transport, now }: Connection,
): Promise<Directory> {
  const known = knownAt(directoryUrl);
  const { directory: cached } = known;
  if (cached && now().getTime() - cached.at < directoryMaximumAge) return cached.value;
  const reply = await transport.request('get', directoryUrl, { timeout: replyTimeout });
  const value = directoryFrom(reply, { issuer: name, what: `its directory ${directoryUrl}` }, now());
  known.directory = { value, at: now().getTime() };
  return value;
}

export interface Session {
  directory(): Promise<Directory>;
  /** A signed POST; `null` is POST-as-GET (RFC 8555 §6.3). The reply is 2xx, or one of the ACME errors is thrown. */
  post(request: Request, url: string, payload: object | null): Promise<Reply>;
  readonly publicKey: object;
  /** A JWS inside another: with the key itself and, as RFC 8555 §7.3.5 wants, without a nonce. */
  innerJws(url: string, payload: object): object;
  /** HS256 over the account's public key, RFC 8555 §7.3.4. */
  externalAccountBinding(url: string, key: ExternalAccountKey): object;
}

/**
 * acme-client signs and repeats after badNonce; transport, directory and nonces are ours. Its documented calls are built on the
 * same `apiRequest`, but hide status and headers (Location, Retry-After), and throw an Error without a type.
 *
 * `accountUrl` null: requests are signed with the key itself, as newAccount wants it (RFC 8555 §6.2).
 */
export function openSession(
  issuer: Issuer,
  account: { readonly url: string | null; readonly privateKey: string },
  { transport, now }: Connection,
): Session {
  const known = knownAt(issuer.directoryUrl);
  const timeout = issuer.replyTimeout;
  const directory = () => readDirectory(issuer, { transport, now });

  /** RFC 8555 §7.2 */
  async function newNonce(): Promise<string> {
    const { newNonce: url } = await directory();
    const reply = await transport.request('head', url, { timeout });
    const request = { issuer: issuer.name, what: `newNonce ${url}` };
    if (reply.status < 200 || reply.status > 299) throw problemError(reply, request, now());
    const nonce = reply.headers['replay-nonce'];
    if (typeof nonce !== 'string' || nonce === '') throw notAcme(request, 'a Replay-Nonce header', reply);
    return nonce;
  }

  const client = new Client({
    directoryUrl: issuer.directoryUrl,
    accountKey: account.privateKey,
    ...(account.url === null ? {} : { accountUrl: account.url }),
  });
  Object.assign(client.http, {
    getDirectory: directory,
    getNonce: async () => known.nonces.take(now()) ?? newNonce(),
    request: async (url: string, method: 'get' | 'head' | 'post', { data }: { data?: unknown } = {}) => {
      const reply = await transport.request(method, url, { timeout, body: data });
      // The nonce of a badNonce reply is used up by the repetition that follows.
      if (!isBadNonce(reply)) known.nonces.put(reply.headers['replay-nonce'], now());
      return reply;
    },
  } satisfies Partial<Client['http']>);

  // One POST after the other, each with the nonce that the last reply brought: a hundred authorizations cost no newNonce.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    directory,
    async post(request, url, payload) {
      const replied = turn.then(() => client.api.apiRequest(url, payload, [], { includeJwsKid: account.url !== null }));
      turn = replied.catch(() => undefined);
      const reply = await replied;
      if (reply.status < 200 || reply.status > 299) throw problemError(reply, request, now());
      return reply;
    },
    publicKey: crypto.getJwk(account.privateKey),
    innerJws: (url, payload) => client.http.createSignedBody(url, payload),
    externalAccountBinding: (url, { kid, hmacKey }) =>
      client.http.createSignedHmacBody(hmacKey, url, crypto.getJwk(account.privateKey), { kid }),
  };
}
