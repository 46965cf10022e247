import { type AcmeRequest, identifiersOf, jsonReply, problemReply, type Reply, succeeded, texts } from './exchange.ts';
import { type LimitName, limitTexts, rateLimited, registeredDomain } from './limits.ts';
import type { OrderRecord } from './records.ts';
import { pair, type State, setKey } from './state.ts';

/** Milliseconds in which Boulder takes an order for names of an earlier certificate as a renewal (120 days). */
const renewalWindow = 120 * 24 * 3_600_000;

interface Wanted {
  readonly account: string;
  readonly identifiers: readonly string[];
  readonly profile: string | null;
  readonly replaces: string | null;
}

/**
 * Handles newOrder (RFC 8555 §7.4). The checks are in Boulder's order: the payload, paused identifiers, the replaced certificate, rate
 * limits, and an existing open order.
 */
export async function newOrder(state: State, request: AcmeRequest, forward: () => Promise<Reply>): Promise<Reply> {
  const payload = request.payload ?? {};
  const wanted: Wanted = {
    account: request.account ?? '',
    identifiers: identifiersOf(payload),
    profile: typeof payload.profile === 'string' ? payload.profile : null,
    replaces: typeof payload.replaces === 'string' ? payload.replaces : null,
  };
  const rejected =
    unsupportedReply(payload, wanted.identifiers) ?? pausedReply(state, wanted) ?? (await replacedReply(state, wanted));
  if (rejected) return rejected;
  const exempt = await isAnnouncedRenewal(state, wanted);
  const renewal = isRenewal(state, wanted.identifiers);
  const limited = exempt ? null : limitReply(state, wanted, renewal);
  if (limited) return limited;

  const open = wanted.replaces === null ? openOrder(state, wanted) : null;
  const reply = open ? orderReply(state, open) : await forward();
  if (!succeeded(reply)) return reply;
  if (!exempt && !renewal) state.buckets.spend('newOrders', wanted.account);
  const { location } = reply.headers;
  if (wanted.replaces !== null && typeof location === 'string') state.replacements.set(wanted.replaces, location);
  return reply;
}

function unsupportedReply(payload: object, identifiers: readonly string[]): Reply | null {
  if ('notBefore' in payload || 'notAfter' in payload) {
    return problemReply({ type: 'malformed', status: 400, detail: 'NotBefore and NotAfter are not supported' });
  }
  const redundant = identifiers.find(
    (each) => identifiers.includes(`*.${each.split('.').slice(1).join('.')}`) && !each.startsWith('*.'),
  );
  if (redundant === undefined) return null;
  const detail = `Domain name "${redundant}" is redundant with a wildcard domain in the same request. Remove one or the other from the certificate request.`;
  return problemReply({ type: 'malformed', status: 400, detail });
}

/** Returns a 429 without a time if an identifier is paused (`probs.Paused`). The text has a link with a token, which ends the pause. */
function pausedReply(state: State, { account, identifiers }: Wanted): Reply | null {
  const names = identifiers.filter((each) => state.paused.has(pair(account, each)) || state.paused.has(pair('', each)));
  if (names.length === 0) return null;
  return problemReply({
    type: 'rateLimited',
    status: 429,
    detail: `Your account is temporarily prevented from requesting certificates for ${names.join(', ')} and possibly others. Please visit: https://boulder.example/sfe/v1/unpause?jwt=a.secret.token`,
  });
}

/** Checks `replaces` (RFC 9773 §5). Pebble checks that both orders have the same account and share a name. */
async function replacedReply(state: State, { replaces }: Wanted): Promise<Reply | null> {
  if (replaces === null) return null;
  if ((await state.renewalWindow(replaces)) === null) {
    return problemReply({
      type: 'malformed',
      status: 404,
      detail: `could not find the certificate to be replaced, ${replaces}`,
    });
  }
  const holder = state.records.orderAt(state.replacements.get(replaces) ?? '');
  // Pending, ready, processing and valid orders count. Only after an invalid order can the certificate be replaced again.
  if (holder === null || statusOf(state, holder) === 'invalid') return null;
  const serial = Buffer.from(replaces.split('.')[1] ?? '', 'base64url').toString('hex');
  return problemReply({
    type: 'alreadyReplaced',
    status: 409,
    detail: `cannot indicate an order replaces certificate with serial "${serial}", which already has a replacement order`,
  });
}

/** Returns whether an order is exempt from all limits. It is exempt only inside the suggested window of the replaced certificate. */
async function isAnnouncedRenewal(state: State, { replaces }: Wanted): Promise<boolean> {
  const window = replaces === null ? null : await state.renewalWindow(replaces);
  return window !== null && window.start <= state.now() && state.now() < window.end;
}

/** Returns whether any account had a certificate with these names. Such an order is exempt from the limits on new orders and on the domain. */
export function isRenewal(state: State, identifiers: readonly string[]): boolean {
  const times = state.issued.get(setKey(identifiers)) ?? [];
  return times.some((at) => state.now().getTime() - at < renewalWindow);
}

/** Returns a 429 if a limit is exceeded. Of several limits, the reply names the one that lasts longest. */
function limitReply(state: State, { account, identifiers }: Wanted, renewal: boolean): Reply | null {
  const domains = [...new Set(identifiers.map(registeredDomain))];
  const asked: [LimitName, string, string][] = [
    ['certificatesPerSet', setKey(identifiers), ''],
    ...identifiers.map((each): [LimitName, string, string] => ['failedAuthorizations', pair(account, each), each]),
    ...(renewal ? [] : domains.map((each): [LimitName, string, string] => ['certificatesPerDomain', each, each])),
    ...(renewal ? [] : ([['newOrders', account, '']] satisfies [LimitName, string, string][])),
  ];
  const [worst] = asked
    .flatMap(([limit, key, about]) => {
      const until = state.buckets.fullUntil(limit, key);
      return until ? [{ limit, about, until }] : [];
    })
    .sort((a, b) => b.until.getTime() - a.until.getTime());
  return worst ? rateLimited(limitTexts[worst.limit](worst.about), worst.until, state.now()) : null;
}

/** Returns the open order with the same account, names and profile, because newOrder is idempotent in Boulder. */
function openOrder(state: State, { account, identifiers, profile }: Wanted): OrderRecord | null {
  const open = state.records
    .orders()
    .find(
      (order) =>
        order.account === account &&
        setKey(order.identifiers) === setKey(identifiers) &&
        order.profile === profile &&
        ['pending', 'ready'].includes(statusOf(state, order)) &&
        Date.parse(String(order.body.expires)) > state.now().getTime(),
    );
  return open ?? null;
}

/** Returns the status of an order, as far as the recorded replies show it. */
export function statusOf({ records, now }: State, order: OrderRecord): string {
  const authorizations = order.authorizations.map((url) => records.authorization(url));
  if (order.refused || authorizations.some((each) => each?.refused)) return 'invalid';
  if (order.processingUntil > now().getTime()) return 'processing';
  const seen = authorizations.map((each) => each?.status);
  if (seen.some((status) => status === 'invalid' || status === 'deactivated')) return 'invalid';
  const proven = !order.finalized && order.status === 'pending' && seen.every((status) => status === 'valid');
  return proven ? 'ready' : order.status;
}

function orderReply(state: State, order: OrderRecord): Reply {
  const body = { ...order.body, status: statusOf(state, order), authorizations: texts(order.body.authorizations) };
  return jsonReply(201, body, { location: order.url });
}
