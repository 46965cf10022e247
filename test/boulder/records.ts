import {
  type AcmeRequest,
  identifiersOf,
  isObject,
  type JsonObject,
  objectOf,
  type Problem,
  type Reply,
  type RequestKind,
  succeeded,
  texts,
} from './exchange.ts';

/** What the proxy remembers of an order from the replies that passed by. */
export interface OrderRecord {
  readonly url: string;
  readonly account: string;
  readonly identifiers: readonly string[];
  readonly profile: string | null;
  readonly authorizations: readonly string[];
  /** As last seen. */
  body: JsonObject;
  status: string;
  /** A CSR has arrived. */
  finalized: boolean;
  /** Finalized, and said to be `processing` until then (ms). */
  processingUntil: number;
  /** Made invalid by the proxy, whatever Pebble says. */
  refused: Problem | null;
  issued: boolean;
}

export interface AuthorizationRecord {
  readonly url: string;
  readonly account: string;
  /** With its star; `null` until it was read. */
  identifier: string | null;
  status: string;
  /** When it was first seen valid (ms). */
  validAt: number | null;
  /** Its failure is counted already. */
  charged: boolean;
  /** Made invalid by the proxy, whatever Pebble says. */
  refused: Problem | null;
}

export interface Records {
  kindOf(url: string): RequestKind;
  orders(): readonly OrderRecord[];
  /** The order that a URL belongs to: its own, finalize, certificate, or one of its authorizations or challenges. */
  orderAt(url: string): OrderRecord | null;
  authorization(url: string): AuthorizationRecord | null;
  /** The authorization of a challenge. */
  challenged(url: string): AuthorizationRecord | null;
  identifiersAt(url: string): readonly string[];
  learn(request: AcmeRequest, reply: Reply, now: Date): void;
}

/** Which URL is what is learnt from the directory and from each object that passes by: no path is known beforehand. */
export function createRecords(): Records {
  const endpoints = new Map<string, RequestKind>();
  let renewalInfo: string | null = null;
  const orders = new Map<string, OrderRecord>();
  const authorizations = new Map<string, AuthorizationRecord>();
  /** Challenge URL to authorization URL, and authorization, finalize or certificate URL to order URL. */
  const challenges = new Map<string, string>();
  const ways = new Map<string, string>();

  function learnDirectory(url: string, body: JsonObject): void {
    endpoints.set(url, 'directory');
    for (const kind of ['newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange'] as const) {
      if (typeof body[kind] === 'string') endpoints.set(body[kind], kind);
    }
    if (typeof body.renewalInfo === 'string') renewalInfo = body.renewalInfo;
  }

  function learnOrder(url: string, { account, payload }: AcmeRequest, body: JsonObject): void {
    const known = orders.get(url);
    const order: OrderRecord = known ?? {
      url,
      account: account ?? '',
      identifiers: identifiersOf(body),
      profile: typeof payload?.profile === 'string' ? payload.profile : null,
      authorizations: texts(body.authorizations),
      body,
      status: '',
      finalized: false,
      processingUntil: 0,
      refused: null,
      issued: false,
    };
    orders.set(url, order);
    order.body = body;
    order.status = String(body.status);
    for (const each of order.authorizations) {
      // A valid authorization belongs to every order that reuses it; the last one counts.
      ways.set(each, url);
      if (!authorizations.has(each)) {
        const { account: owner } = order;
        const fresh = { identifier: null, status: 'pending', validAt: null, charged: false, refused: null };
        authorizations.set(each, { url: each, account: owner, ...fresh });
      }
    }
    for (const [way, kind] of [
      [body.finalize, 'finalize'],
      [body.certificate, 'certificate'],
    ] as const) {
      if (typeof way !== 'string') continue;
      endpoints.set(way, kind);
      ways.set(way, url);
    }
  }

  function learnAuthorization(known: AuthorizationRecord, body: JsonObject, now: Date): void {
    const value = isObject(body.identifier) ? String(body.identifier.value) : null;
    known.identifier = value === null ? null : `${body.wildcard === true ? '*.' : ''}${value}`;
    known.status = String(body.status);
    if (known.status === 'valid') known.validAt ??= now.getTime();
    for (const challenge of Array.isArray(body.challenges) ? body.challenges : []) {
      if (isObject(challenge) && typeof challenge.url === 'string') challenges.set(challenge.url, known.url);
    }
  }

  const records: Records = {
    kindOf(url) {
      if (orders.has(url)) return 'order';
      if (authorizations.has(url)) return 'authorization';
      if (challenges.has(url)) return 'challenge';
      if (renewalInfo !== null && url.startsWith(`${renewalInfo}/`)) return 'renewalInfo';
      // An alternate chain lies below its certificate's URL at every CA that offers one.
      const base = url.replace(/\/alternate\/\d+$/, '');
      return endpoints.get(url) ?? endpoints.get(base) ?? 'unknown';
    },
    orders: () => [...orders.values()],
    orderAt(url) {
      const way = challenges.get(url) ?? url.replace(/\/alternate\/\d+$/, '');
      return orders.get(way) ?? orders.get(ways.get(way) ?? '') ?? null;
    },
    authorization: (url) => authorizations.get(url) ?? null,
    challenged: (url) => authorizations.get(challenges.get(url) ?? '') ?? null,
    identifiersAt(url) {
      const one = (records.authorization(url) ?? records.challenged(url))?.identifier;
      return one ? [one] : (records.orderAt(url)?.identifiers ?? []);
    },
    learn(request, reply, now) {
      if (!succeeded(reply)) return;
      const { kind, url } = request;
      const body = objectOf(reply.body);
      const { location } = reply.headers;
      if (kind === 'unknown' && typeof body.newNonce === 'string') learnDirectory(url, body);
      if (kind === 'newAccount' && typeof location === 'string') endpoints.set(location, 'account');
      if (kind === 'newOrder' && typeof location === 'string') learnOrder(location, request, body);
      if (kind === 'order') learnOrder(url, request, body);
      const order = kind === 'finalize' ? records.orderAt(url) : null;
      if (order) learnOrder(order.url, request, body);
      const authorization = kind === 'authorization' ? authorizations.get(url) : undefined;
      if (authorization) learnAuthorization(authorization, body, now);
    },
  };
  return records;
}
