import { type AcmeRequest, objectOf, problemReply, type Reply, succeeded } from './exchange.ts';
import { limitTexts, rateLimited } from './limits.ts';
import { newOrder } from './new-order.ts';
import { finalize, shownOrder } from './orders.ts';
import type { State } from './state.ts';
import { authorization, challenge } from './validation.ts';

/** Retry-After of Boulder's renewalInfo in seconds, before a jitter of 20 % in both directions. */
const renewalInfoRetryAfter = 6 * 3600;
/** Reasons that Boulder accepts (RFC 5280 §5.3.1): unspecified, keyCompromise, superseded, cessationOfOperation. */
const revocationReasons = [0, 1, 4, 5];

/** Answers a request as Boulder does, where that differs from Pebble. `forward` sends the request to Pebble and records its reply. */
export async function answer(
  state: State,
  request: AcmeRequest,
  forward: () => Promise<Reply>,
  random: () => number,
): Promise<Reply> {
  switch (request.kind) {
    case 'newAccount': {
      const until = state.buckets.fullUntil('newAccounts', '');
      if (until) return rateLimited(limitTexts.newAccounts(''), until, state.now());
      const reply = await forward();
      if (reply.status === 201) state.buckets.spend('newAccounts', '');
      return withoutOrders(reply);
    }
    case 'account':
      return withoutOrders(await forward());
    case 'newOrder':
      return newOrder(state, request, forward);
    case 'order':
      return shownOrder(state, request, await forward());
    case 'finalize':
      return finalize(state, request, forward);
    case 'authorization':
      return authorization(state, request, forward);
    case 'challenge':
      return challenge(state, request, forward);
    case 'revokeCert': {
      const { reason = 0 } = request.payload ?? {};
      if (revocationReasons.includes(Number(reason))) return forward();
      const detail = `unsupported revocation reason code provided: ${reason}`;
      return problemReply({ type: 'badRevocationReason', status: 400, detail });
    }
    case 'renewalInfo': {
      const reply = await forward();
      const seconds = Math.round(renewalInfoRetryAfter * (0.8 + 0.4 * random()));
      return succeeded(reply) ? { ...reply, headers: { ...reply.headers, 'retry-after': String(seconds) } } : reply;
    }
    default:
      return forward();
  }
}

/** Removes the list of orders from an account. Boulder has no such list, so a client must remember its order URLs. */
function withoutOrders(reply: Reply): Reply {
  if (!succeeded(reply)) return reply;
  const { orders: _, ...body } = objectOf(reply.body);
  return { ...reply, body: JSON.stringify(body) };
}
