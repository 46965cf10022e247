import { Client, crypto } from 'acme-client';
import type { Issuer } from '../../domain/contract/config.ts';
import type { ExternalAccountKey } from '../../domain/ports/acme.ts';
import { type Directory, directoryFrom } from './directory.ts';
import { followed } from './headers.ts';
import { createNoncePool, type NoncePool } from './nonces.ts';
import { isBadNonce, problemError } from './problems.ts';
import { notAcme, type Reply, type Request } from './replies.ts';
import type { Transport } from './transport.ts';

/** The parts of acme-client below its documented calls. Its types do not declare them. */
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

/** Nonces and directory of a CA from earlier invocations of a warm function. */
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

/** Directories are kept for one hour. They change with releases of a CA, and a warm function may live for half a day. */
const directoryMaximumAge = 3_600_000;

export interface Connection {
  readonly transport: Transport;
  readonly now: () => Date;
}

/** Reads the directory, with one request if it is not cached and the CA does not redirect it. */
export async function readDirectory(
  issuer: Pick<Issuer, 'name' | 'directoryUrl' | 'replyTimeout'>,
  { transport, now }: Connection,
  maximumAge = directoryMaximumAge,
): Promise<Directory> {
  const { name, directoryUrl } = issuer;
  const known = knownAt(directoryUrl);
  const { directory: cached } = known;
  if (cached && now().getTime() - cached.at < maximumAge) return cached.value;
  const reply = await followed(directoryUrl, (url) => transport.request(issuer, 'get', url));
  const value = directoryFrom(reply, { issuer: name, what: `its directory ${directoryUrl}` }, now());
  known.directory = { value, at: now().getTime() };
  return value;
}

/** Signed requests to one CA with one key. */
export interface Session {
  /** The directory, which is read again if the cached one is older than this number of milliseconds. @default one hour */
  directory(maximumAge?: number): Promise<Directory>;
  /** Sends a signed POST and returns any reply. */
  exchange(url: string, payload: object | null): Promise<Reply>;
  /** Sends a signed POST. A `null` payload is POST-as-GET (RFC 8555 §6.3). Throws an ACME error for a reply that is not 2xx. */
  post(request: Request, url: string, payload: object | null): Promise<Reply>;
  readonly publicKey: object;
  /** Creates the inner JWS of a key change, which has the key itself and no nonce. RFC 8555 §7.3.5 */
  innerJws(url: string, payload: object): object;
  /** Creates an external account binding, which is HS256 over the public key of the account. RFC 8555 §7.3.4 */
  externalAccountBinding(url: string, key: ExternalAccountKey): object;
}

/**
 * Opens a session. acme-client signs requests and repeats them after badNonce. Transport, directory and nonces are replaced by those of this
 * project. The documented calls of acme-client use the same `apiRequest`, but hide status and headers (Location, Retry-After) and throw an Error
 * without a type.
 *
 * If the URL of the account is `null`, requests are signed with the key itself, which newAccount requires (RFC 8555 §6.2).
 */
export function openSession(
  issuer: Issuer,
  account: { readonly url: string | null; readonly privateKey: string },
  { transport, now }: Connection,
): Session {
  const known = knownAt(issuer.directoryUrl);
  const directory = (maximumAge?: number) => readDirectory(issuer, { transport, now }, maximumAge);

  /** Requests a nonce. RFC 8555 §7.2 */
  async function newNonce(): Promise<string> {
    const { newNonce: url } = await directory();
    const reply = await transport.request(issuer, 'head', url);
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
    getDirectory: () => directory(),
    getNonce: async () => known.nonces.take(now()) ?? newNonce(),
    request: async (url: string, method: 'get' | 'head' | 'post', { data }: { data?: unknown } = {}) => {
      const reply = await transport.request(issuer, method, url, data);
      // acme-client uses the nonce of a badNonce reply for the repeated request.
      if (!isBadNonce(reply)) known.nonces.put(reply.headers['replay-nonce'], now());
      return reply;
    },
  } satisfies Partial<Client['http']>);

  // POSTs are sent one after another, each with the nonce of the reply before. So a hundred authorizations need no newNonce.
  let previous: Promise<unknown> = Promise.resolve();
  function exchange(url: string, payload: object | null): Promise<Reply> {
    const replied = previous.then(() =>
      client.api.apiRequest(url, payload, [], { includeJwsKid: account.url !== null }),
    );
    previous = replied.catch(() => undefined);
    return replied;
  }
  return {
    directory,
    exchange,
    async post(request, url, payload) {
      const reply = await exchange(url, payload);
      if (reply.status < 200 || reply.status > 299) throw problemError(reply, request, now());
      return reply;
    },
    publicKey: crypto.getJwk(account.privateKey),
    innerJws: (url, payload) => client.http.createSignedBody(url, payload),
    externalAccountBinding: (url, { kid, hmacKey }) =>
      client.http.createSignedHmacBody(hmacKey, url, crypto.getJwk(account.privateKey), { kid }),
  };
}
