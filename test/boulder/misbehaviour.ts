import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AcmeRequest,
  isObject,
  type JsonObject,
  jsonReply,
  type Outcome,
  objectOf,
  type Problem,
  problemReply,
  type Reply,
  type RequestKind,
  succeeded,
} from './exchange.ts';
import { limitTexts, stamp } from './limits.ts';
import type { OrderRecord } from './records.ts';

/** A kind of request, one that is about an identifier, or any other condition. */
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
  /** What the proxy would do of itself. */
  readonly proceed: () => Promise<Reply>;
  /** The order that the request is about. */
  readonly order: OrderRecord | null;
  readonly now: () => Date;
  readonly newNonce: () => Promise<string>;
}

/** What happens to a request instead. */
export type Behaviour = (situation: Situation) => Promise<Outcome>;

/** A reply of Boulder's own, which brings a nonce. RFC 8555 §6.5.1 */
const replying =
  (make: (situation: Situation) => Reply): Behaviour =>
  async (situation) => {
    const { headers, ...reply } = make(situation);
    return { ...reply, headers: { 'replay-nonce': await situation.newNonce(), ...headers } };
  };

/** Pebble's reply, changed. */
const changing =
  (change: (reply: Reply) => Reply): Behaviour =>
  async ({ proceed }) => {
    const reply = await proceed();
    return succeeded(reply) ? change(reply) : reply;
  };

const changingBody = (change: (body: JsonObject) => JsonObject): Behaviour =>
  changing((reply) => ({ ...reply, body: JSON.stringify(change(objectOf(reply.body))) }));

/** Any problem document. */
export const refuse = (problem: Problem, headers: Reply['headers'] = {}): Behaviour =>
  replying(() => problemReply(problem, headers));

/** 429: when to come back is in the header as seconds or as a date, and in the text, or in the text only. */
export function rateLimit(seconds: number, told: 'seconds' | 'date' | 'text'): Behaviour {
  return replying(({ now }) => {
    const until = new Date(now().getTime() + seconds * 1000);
    const detail = `${limitTexts.newOrders('')}, retry after ${stamp(until)}: see https://letsencrypt.org/docs/rate-limits/#new-orders-per-account`;
    const header = { seconds: String(seconds), date: until.toUTCString() };
    return problemReply(
      { type: 'rateLimited', status: 429, detail },
      told === 'text' ? {} : { 'retry-after': header[told] },
    );
  });
}

/** 503 of the load balancer before the CA: HTML, no nonce. */
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

/** The connection ends: before the CA has heard of the request, or after it has done what was asked. */
export const cut =
  (when: 'before' | 'after'): Behaviour =>
  async ({ proceed }) => {
    if (when === 'after') await proceed();
    return 'cut';
  };

/** Answers late. `wait` takes milliseconds. */
export const slow =
  (seconds: number, wait: (milliseconds: number) => Promise<unknown> = sleep): Behaviour =>
  async ({ proceed }) => {
    await wait(seconds * 1000);
    return proceed();
  };

/** 200 with a page. */
export const notJson: Behaviour = replying(() => ({
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Welcome to nginx!</title>',
}));

export const badNonce: Behaviour = refuse({ type: 'badNonce', status: 400, detail: 'unable to find nonce' });

/** The reply brings no nonce, so the next POST needs newNonce. */
export const withoutNonce: Behaviour = changing(({ headers: { 'replay-nonce': _, ...headers }, ...reply }) => ({
  ...reply,
  headers,
}));

export const alreadyReplaced: Behaviour = refuse({
  type: 'alreadyReplaced',
  status: 409,
  detail: 'cannot indicate an order replaces certificate with serial "00", which already has a replacement order',
});

/** For `finalize`: the order stays `processing` for so long. */
export const processing =
  (seconds: number): Behaviour =>
  async ({ proceed, order, now }) => {
    const reply = await proceed();
    if (order && succeeded(reply)) order.processingUntil = now().getTime() + seconds * 1000;
    return reply;
  };

/** For `finalize`: nothing is issued, and the order is invalid at the next look. */
export const invalidAfterReady = (problem: Problem): Behaviour =>
  replying(({ order }) => {
    if (!order) throw new Error('invalidAfterReady is for the finalization of an order');
    order.finalized = true;
    order.refused = problem;
    return jsonReply(200, { ...order.body, status: 'processing' }, { 'retry-after': '3' });
  });

/** For `order`, `finalize` and `authorization`: a status that nobody knows. */
export const unknownStatus = (status: string): Behaviour =>
  changingBody(({ certificate: _, ...body }) => ({ ...body, status }));

/** For `authorization`: its challenges carry no token. */
export const withoutToken: Behaviour = changingBody(({ challenges, ...body }) => ({
  ...body,
  challenges: (Array.isArray(challenges) ? challenges : []).map((each) => {
    const { token: _, ...challenge } = isObject(each) ? each : {};
    return challenge;
  }),
}));

/** For `directory`: a CA without ARI. */
export const withoutRenewalInfo: Behaviour = changingBody(({ renewalInfo: _, ...body }) => body);

/** For `renewalInfo`: this window. Seconds of Retry-After; `null`: none. */
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

/** For `certificate`: another chain than the one that was issued. */
export const chain =
  (forge: (issued: string) => Promise<string>): Behaviour =>
  async ({ proceed }) => {
    const reply = await proceed();
    return succeeded(reply) ? { ...reply, body: await forge(reply.body) } : reply;
  };
