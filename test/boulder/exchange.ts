/** One request as the proxy understands it. The JWS is decoded, not verified: Pebble does that. */
export interface AcmeRequest {
  readonly at: Date;
  readonly method: string;
  /** Absolute, as in the JWS's `url` header. */
  readonly url: string;
  readonly kind: RequestKind;
  /** Account URL (`kid`); `null` where the request carries its key, or no JWS. */
  readonly account: string | null;
  /** `null`: POST-as-GET, or no JWS. */
  readonly payload: JsonObject | null;
  /** What the order or authorization is about, sorted, wildcards with their star; empty where that is not known. */
  readonly identifiers: readonly string[];
}

export const requestKinds = [
  'directory',
  'newNonce',
  'newAccount',
  'newOrder',
  'revokeCert',
  'keyChange',
  'renewalInfo',
  'account',
  'order',
  'authorization',
  'challenge',
  'finalize',
  'certificate',
  'unknown',
] as const;
export type RequestKind = (typeof requestKinds)[number];

export type JsonObject = Readonly<Record<string, unknown>>;

export interface Reply {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

/** `cut`: the connection ends without a reply. */
export type Outcome = Reply | 'cut';

/** RFC 7807 as RFC 8555 §6.7 uses it. */
export interface Problem {
  /** Without the `urn:ietf:params:acme:error:` before it. */
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

/** The body as an object; empty for anything else. */
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

/** The names in an order, sorted, without doubles. */
export function identifiersOf({ identifiers }: JsonObject): string[] {
  const values = Array.isArray(identifiers) ? identifiers.map((each) => (isObject(each) ? each.value : null)) : [];
  return [...new Set(texts(values).map((each) => each.toLowerCase()))].sort();
}

/** The account and the payload of a JWS in flattened JSON. RFC 8555 §6.2 */
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
