import {
  type AcmeRequest,
  isObject,
  jsonReply,
  objectOf,
  problemBody,
  problemReply,
  type Reply,
  succeeded,
} from './exchange.ts';
import { countFailure, pair, type State } from './state.ts';

/** Handles reading and deactivating an authorization (RFC 8555 §7.5). */
export async function authorization(state: State, request: AcmeRequest, forward: () => Promise<Reply>): Promise<Reply> {
  const record = state.records.authorization(request.url);
  const wasPending = record?.status === 'pending';
  const reply = await forward();
  if (!record || !succeeded(reply)) return reply;
  // Boulder counts a pending authorization that is deactivated as a failed validation.
  if (request.payload?.status === 'deactivated' && wasPending) countFailure(state, record);
  if (record.status === 'invalid') countFailure(state, record);
  if (record.status === 'valid')
    state.buckets.refill('consecutiveFailures', pair(record.account, record.identifier ?? ''));
  if (!record.refused) return reply;
  const { challenges, ...body } = objectOf(reply.body);
  const failed = (Array.isArray(challenges) ? challenges : [])
    .filter((each) => isObject(each) && each.type === 'dns-01')
    .map((each) => ({
      ...each,
      status: 'invalid',
      error: problemBody(record.refused ?? { type: '', status: 0, detail: '' }),
    }));
  const { 'content-length': _, 'retry-after': __, ...headers } = reply.headers;
  return { ...reply, headers, body: JSON.stringify({ ...body, status: 'invalid', challenges: failed }) };
}

/** Handles the response to a challenge (RFC 8555 §7.5.1). */
export async function challenge(state: State, request: AcmeRequest, forward: () => Promise<Reply>): Promise<Reply> {
  const record = state.records.challenged(request.url);
  if (request.payload === null || !record) return forward();
  if (record.refused || record.status !== 'pending') {
    const detail = `Unable to update challenge :: authorization must be pending, it is ${record.refused ? 'invalid' : record.status}`;
    return problemReply({ type: 'malformed', status: 400, detail });
  }
  if (record.identifier === null || !state.forbiddenByCaa.has(record.identifier)) return forward();
  // Boulder checks CAA during validation. Pebble never does.
  const name = record.identifier.replace('*.', '');
  record.refused = { type: 'caa', status: 403, detail: `CAA record for ${name} prevents issuance` };
  countFailure(state, record);
  return jsonReply(200, { type: 'dns-01', url: request.url, status: 'processing' });
}
