import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AcmeRequest,
  isObject,
  type JsonObject,
  jsonReply,
  type Outcome,
  objectOf,
  type Problem,
  problemBody,
  problemReply,
  type Reply,
  type RequestKind,
  succeeded,
} from './exchange.ts';
import { limitTexts, stamp } from './limits.ts';
import type { OrderRecord } from './records.ts';

/** Selects requests by kind, by kind and identifier, or by any other condition. */
export type Matcher =
  | RequestKind
  | { readonly kind: RequestKind; readonly identifier: string }
  | ((request: AcmeRequest) => boolean);

export function matches(matcher: Matcher, request: AcmeRequest): boolean {
  if (typeof matcher === 'function') return matcher(request);
  if (typeof matcher === 'string') return request.kind === matcher;
  return request.kind === matcher.kind && request.identifiers.includes(matcher.identifier);
}

export interface Situation {
  readonly request: AcmeRequest;
  /** Handles the request as the proxy does without a behaviour. */
  readonly proceed: () => Promise<Reply>;
  /** The order to which the request belongs. */
  readonly order: OrderRecord | null;
  readonly now: () => Date;
  readonly newNonce: () => Promise<string>;
}

/** Handles a request in place of the proxy. */
export type Behaviour = (situation: Situation) => Promise<Outcome>;

/** Replies without Pebble. The reply has a nonce (RFC 8555 §6.5.1). */
const replying =
  (make: (situation: Situation) => Reply): Behaviour =>
  async (situation) => {
    const { headers, ...reply } = make(situation);
    return { ...reply, headers: { 'replay-nonce': await situation.newNonce(), ...headers } };
  };

/** Changes a successful reply of Pebble. */
const changing =
  (change: (reply: Reply) => Reply): Behaviour =>
  async ({ proceed }) => {
    const reply = await proceed();
    return succeeded(reply) ? change(reply) : reply;
  };

const changingBody = (change: (body: JsonObject) => JsonObject): Behaviour =>
  changing((reply) => ({ ...reply, body: JSON.stringify(change(objectOf(reply.body))) }));

/** Replies with a problem document. */
export const refuse = (problem: Problem, headers: Reply['headers'] = {}): Behaviour =>
  replying(() => problemReply(problem, headers));

/** Replies with 429. The text has the time of the next attempt. `Retry-After` has it as seconds or as a date, or is missing for `text`. */
export function rateLimit(seconds: number, retryAfter: 'seconds' | 'date' | 'text'): Behaviour {
  return replying(({ now }) => {
    const until = new Date(now().getTime() + seconds * 1000);
    const detail = `${limitTexts.newOrders('')}, retry after ${stamp(until)}: see https://letsencrypt.org/docs/rate-limits/#new-orders-per-account`;
    const header = { seconds: String(seconds), date: until.toUTCString() };
    return problemReply(
      { type: 'rateLimited', status: 429, detail },
      retryAfter === 'text' ? {} : { 'retry-after': header[retryAfter] },
    );
  });
}

/** Replies with 503 as a load balancer does, with HTML and without a nonce. */
export const overloaded =
  (retryAfter?: number): Behaviour =>
  async () => ({
    status: 503,
    headers: {
      'content-type': 'text/html',
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    },
    body: '<html><head><title>503 Service Temporarily Unavailable</title></head><body><h1>503</h1></body></html>',
  });

/** Closes the connection without a reply, before the CA gets the request or after it has handled the request. */
export const cut =
  (when: 'before' | 'after'): Behaviour =>
  async ({ proceed }) => {
    if (when === 'after') await proceed();
    return 'cut';
  };

/** Delays the reply. `wait` takes milliseconds. */
export const slow =
  (seconds: number, wait: (milliseconds: number) => Promise<unknown> = sleep): Behaviour =>
  async ({ proceed }) => {
    await wait(seconds * 1000);
    return proceed();
  };

/** Replies with 200 and an HTML page. */
export const notJson: Behaviour = replying(() => ({
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Welcome to nginx!</title>',
}));

export const badNonce: Behaviour = refuse({ type: 'badNonce', status: 400, detail: 'unable to find nonce' });

/** Removes the nonce from the reply, so that the next POST needs newNonce. */
export const withoutNonce: Behaviour = changing(({ headers: { 'replay-nonce': _, ...headers }, ...reply }) => ({
  ...reply,
  headers,
}));

export const alreadyReplaced: Behaviour = refuse({
  type: 'alreadyReplaced',
  status: 409,
  detail: 'cannot indicate an order replaces certificate with serial "00", which already has a replacement order',
});

/** Keeps an order `processing` for this number of seconds. For `finalize`. */
export const processing =
  (seconds: number): Behaviour =>
  async ({ proceed, order, now }) => {
    const reply = await proceed();
    if (order && succeeded(reply)) order.processingUntil = now().getTime() + seconds * 1000;
    return reply;
  };

/** Issues nothing and makes the order invalid at its next read. For `finalize`. */
export const invalidAfterReady = (problem: Problem): Behaviour =>
  replying(({ order }) => {
    if (!order) throw new Error('invalidAfterReady can be used only for finalize requests.');
    order.finalized = true;
    order.refused = problem;
    return jsonReply(200, { ...order.body, status: 'processing' }, { 'retry-after': '3' });
  });

/** Replaces the status by one that is not in RFC 8555. For `order`, `finalize` and `authorization`. */
export const unknownStatus = (status: string): Behaviour =>
  changingBody(({ certificate: _, ...body }) => ({ ...body, status }));

/** Removes the tokens of the challenges. For `authorization`. */
export const withoutToken: Behaviour = changingBody(({ challenges, ...body }) => ({
  ...body,
  challenges: (Array.isArray(challenges) ? challenges : []).map((each) => {
    const { token: _, ...challenge } = isObject(each) ? each : {};
    return challenge;
  }),
}));

/** Replies that the challenge is still pending with this problem, and does not validate it. For `challenge`. RFC 8555 §8.2 */
export const refusedAndPending = (problem: Problem): Behaviour =>
  replying(({ request }) =>
    jsonReply(200, {
      type: 'dns-01',
      url: request.url,
      status: 'pending',
      token: 'token',
      error: problemBody(problem),
    }),
  );

/** Adds this problem to each pending dns-01 challenge. For `authorization`. RFC 8555 §8.2 */
export const withRefusedChallenge = (problem: Problem): Behaviour =>
  changingBody(({ challenges, ...body }) => ({
    ...body,
    challenges: (Array.isArray(challenges) ? challenges : []).map((each) =>
      isObject(each) && each.type === 'dns-01' && each.status === 'pending'
        ? { ...each, error: problemBody(problem) }
        : each,
    ),
  }));

/** Removes ARI from the directory. For `directory`. */
export const withoutRenewalInfo: Behaviour = changingBody(({ renewalInfo: _, ...body }) => body);

/** Replies with this window, and with a Retry-After in seconds or none for `null`. For `renewalInfo`. @default 21,600 s */
export const suggest = (
  window: { readonly start: string; readonly end: string; readonly explanationURL?: string },
  retryAfter: number | null = 21_600,
): Behaviour => {
  const { explanationURL, ...suggestedWindow } = window;
  return async () =>
    jsonReply(
      200,
      { suggestedWindow, ...(explanationURL === undefined ? {} : { explanationURL }) },
      retryAfter === null ? {} : { 'retry-after': String(retryAfter) },
    );
};

/** Replaces the issued chain by a forged one. For `certificate`. */
export const chain =
  (forge: (issued: string) => Promise<string>): Behaviour =>
  async ({ proceed }) => {
    const reply = await proceed();
    return succeeded(reply) ? { ...reply, body: await forge(reply.body) } : reply;
  };
