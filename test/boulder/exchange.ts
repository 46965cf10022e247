/** A request with its decoded JWS. The proxy does not verify the JWS, because Pebble does. */
export interface AcmeRequest {
  readonly at: Date;
  readonly method: string;
  /** Absolute URL, as in the `url` header of the JWS. */
  readonly url: string;
  readonly kind: RequestKind;
  /** Account URL (`kid`). It is `null` if the request contains its key, or has no JWS. */
  readonly account: string | null;
  /** Payload of the JWS. It is `null` for POST-as-GET and for a request without a JWS. */
  readonly payload: JsonObject | null;
  /** Identifiers of the order or authorization, sorted, with `*.` for wildcards. Empty if they are not known. */
  readonly identifiers: readonly string[];
}

export type RequestKind =
  | 'directory'
  | 'newNonce'
  | 'newAccount'
  | 'newOrder'
  | 'revokeCert'
  | 'keyChange'
  | 'renewalInfo'
  | 'account'
  | 'order'
  | 'authorization'
  | 'challenge'
  | 'finalize'
  | 'certificate'
  | 'unknown';

export type JsonObject = Readonly<Record<string, unknown>>;

export interface Reply {
  readonly status: number;
  /** Headers by their names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

/** A reply, or `cut` if the connection is closed without one. */
export type Outcome = Reply | 'cut';

/** A problem document (RFC 7807) as RFC 8555 §6.7 uses it. */
export interface Problem {
  /** Error type without the prefix `urn:ietf:params:acme:error:`. */
  readonly type: string;
  readonly status: number;
  readonly detail: string;
  readonly subproblems?: readonly object[];
}

export const problemBody = ({ type, ...rest }: Problem): JsonObject => ({
  type: `urn:ietf:params:acme:error:${type}`,
  ...rest,
});

export function problemReply(problem: Problem, headers: Reply['headers'] = {}): Reply {
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify(problemBody(problem)),
  };
}

export function jsonReply(status: number, body: JsonObject, headers: Reply['headers'] = {}): Reply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

export const succeeded = ({ status }: Reply): boolean => status >= 200 && status < 300;

/** Parses a body. Returns an empty object if the body is not a JSON object. */
export function objectOf(body: string): JsonObject {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

/** Returns the names in an order, sorted and without duplicates. */
export function identifiersOf({ identifiers }: JsonObject): string[] {
  const values = Array.isArray(identifiers) ? identifiers.map((each) => (isObject(each) ? each.value : null)) : [];
  return [...new Set(texts(values).map((each) => each.toLowerCase()))].sort();
}

/** Returns the account and the payload of a JWS in flattened JSON (RFC 8555 §6.2). */
export function decodeJws(body: string): Pick<AcmeRequest, 'account' | 'payload'> {
  const { protected: header, payload } = objectOf(body);
  const decoded = (part: unknown) =>
    objectOf(typeof part === 'string' ? Buffer.from(part, 'base64url').toString() : '');
  const { kid } = decoded(header);
  return {
    account: typeof kid === 'string' ? kid : null,
    payload: payload === undefined || payload === '' ? null : decoded(payload),
  };
}
