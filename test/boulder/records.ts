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

/** Facts of an order from the recorded replies. */
export interface OrderRecord {
  readonly url: string;
  readonly account: string;
  readonly identifiers: readonly string[];
  readonly profile: string | null;
  readonly authorizations: readonly string[];
  /** The order object in the latest reply. */
  body: JsonObject;
  /** Status in the latest reply of Pebble. */
  status: string;
  /** Whether a CSR was sent. */
  finalized: boolean;
  /** Time in milliseconds until which a finalized order is shown as `processing`. */
  processingUntil: number;
  /** Problem with which the proxy made the order invalid. It overrides the status in Pebble. */
  refused: Problem | null;
  /** Whether the issuance is counted. */
  issued: boolean;
}

export interface AuthorizationRecord {
  readonly url: string;
  readonly account: string;
  /** Identifier, with `*.` for a wildcard. It is `null` until the authorization is read. */
  identifier: string | null;
  status: string;
  /** Time in milliseconds at which it was first read as valid. */
  validAt: number | null;
  /** Whether its failure is counted. */
  counted: boolean;
  /** Problem with which the proxy made the authorization invalid. It overrides the status in Pebble. */
  refused: Problem | null;
}

export interface Records {
  kindOf(url: string): RequestKind;
  orders(): readonly OrderRecord[];
  /** Returns the order to which a URL belongs. It may be the URL of the order, finalize, certificate, an authorization or a challenge. */
  orderAt(url: string): OrderRecord | null;
  authorization(url: string): AuthorizationRecord | null;
  /** Returns the authorization of a challenge. */
  challenged(url: string): AuthorizationRecord | null;
  identifiersAt(url: string): readonly string[];
  learn(request: AcmeRequest, reply: Reply, now: Date): void;
}

/** Creates empty records. They learn the purpose of each URL from the directory and the recorded objects, so no path is hard-coded. */
export function createRecords(): Records {
  const endpoints = new Map<string, RequestKind>();
  let renewalInfo: string | null = null;
  const orders = new Map<string, OrderRecord>();
  const authorizations = new Map<string, AuthorizationRecord>();
  /** Authorization URL by challenge URL. */
  const challenges = new Map<string, string>();
  /** Order URL by authorization, finalize or certificate URL. */
  const orderUrls = new Map<string, string>();

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
      // A valid authorization belongs to every order that reuses it. The latest order is recorded.
      orderUrls.set(each, url);
      if (!authorizations.has(each)) {
        const { account: owner } = order;
        const fresh = { identifier: null, status: 'pending', validAt: null, counted: false, refused: null };
        authorizations.set(each, { url: each, account: owner, ...fresh });
      }
    }
    for (const [related, kind] of [
      [body.finalize, 'finalize'],
      [body.certificate, 'certificate'],
    ] as const) {
      if (typeof related !== 'string') continue;
      endpoints.set(related, kind);
      orderUrls.set(related, url);
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
      // Every CA that offers alternate chains has their URLs below the certificate's URL.
      const base = url.replace(/\/alternate\/\d+$/, '');
      return endpoints.get(url) ?? endpoints.get(base) ?? 'unknown';
    },
    orders: () => [...orders.values()],
    orderAt(url) {
      const base = challenges.get(url) ?? url.replace(/\/alternate\/\d+$/, '');
      return orders.get(base) ?? orders.get(orderUrls.get(base) ?? '') ?? null;
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
