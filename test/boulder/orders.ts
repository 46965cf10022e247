import {
  type AcmeRequest,
  type JsonObject,
  objectOf,
  problemBody,
  problemReply,
  type Reply,
  succeeded,
} from './exchange.ts';
import { registeredDomain } from './limits.ts';
import { isRenewal, statusOf } from './new-order.ts';
import type { OrderRecord } from './records.ts';
import { type State, setKey } from './state.ts';

/** Retry-After of an order that is processing, in seconds. */
const retryAfter = '3';

/** Handles finalize (RFC 8555 §7.4). It is asynchronous, and CAA is checked again before it. */
export async function finalize(state: State, request: AcmeRequest, forward: () => Promise<Reply>): Promise<Reply> {
  const order = state.records.orderAt(request.url);
  if (!order) return forward();
  const status = statusOf(state, order);
  if (order.finalized || status === 'invalid') {
    const detail = `Order's status ("${status}") is not acceptable for finalization`;
    return problemReply({ type: 'orderNotReady', status: 403, detail });
  }
  const refused = forbidden(state, order);
  if (refused) return refused;
  const reply = await forward();
  if (!succeeded(reply)) return reply;
  order.finalized = true;
  order.processingUntil = state.now().getTime() + state.processing * 1000;
  countIssuance(state, order);
  return shown(order, reply, 'processing');
}

/** Returns a 403 if CAA forbids the order. The order stays ready, so that it can be finalized when CAA allows it. */
function forbidden(state: State, order: OrderRecord): Reply | null {
  const oldest = state.now().getTime() - state.caaRecheckAfter * 1000;
  const rechecked = order.authorizations.flatMap((url) => {
    const { identifier = null, validAt = null } = state.records.authorization(url) ?? {};
    return identifier !== null && (validAt === null || validAt <= oldest) ? [identifier] : [];
  });
  const names = rechecked.filter((each) => state.forbiddenByCaa.has(each));
  const [first] = names;
  if (first === undefined) return null;
  const detail = (name: string) => `CAA record for ${name.replace('*.', '')} prevents issuance`;
  const subproblems = names.map((value) => ({
    ...problemBody({ type: 'caa', status: 403, detail: detail(value) }),
    identifier: { type: 'dns', value },
  }));
  return problemReply({
    type: 'caa',
    status: 403,
    detail: `Error finalizing order :: While processing CAA for ${first}: ${detail(first)}`,
    ...(names.length > 1 ? { subproblems } : {}),
  });
}

function countIssuance(state: State, order: OrderRecord): void {
  if (order.issued) return;
  order.issued = true;
  const key = setKey(order.identifiers);
  if (!isRenewal(state, order.identifiers)) {
    const domains = new Set(order.identifiers.map(registeredDomain));
    for (const domain of domains) state.buckets.spend('certificatesPerDomain', domain);
  }
  state.buckets.spend('certificatesPerSet', key);
  state.issued.set(key, [...(state.issued.get(key) ?? []), state.now().getTime()]);
}

/** Returns an order as Boulder shows it. */
export function shownOrder(state: State, request: AcmeRequest, reply: Reply): Reply {
  const record = state.records.orderAt(request.url);
  return record && succeeded(reply) ? shown(record, reply, statusOf(state, record)) : reply;
}

function shown(record: OrderRecord, reply: Reply, status: string): Reply {
  // Boulder omits `replaces` (boulder#8272). It omits `error` unless finalizing failed.
  const { replaces: _, error: __, certificate, ...rest } = objectOf(reply.body);
  const body: JsonObject = {
    ...rest,
    status,
    ...(status === 'valid' ? { certificate } : {}),
    ...(status === 'invalid' && record.refused ? { error: problemBody(record.refused) } : {}),
  };
  const { 'retry-after': ___, 'content-length': ____, ...headers } = reply.headers;
  return {
    ...reply,
    headers: { ...headers, ...(status === 'processing' ? { 'retry-after': retryAfter } : {}) },
    body: JSON.stringify(body),
  };
}
