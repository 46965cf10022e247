import type { Order } from '../../domain/ports/acme.ts';
import { notAcme, problemDocument } from './problems.ts';
import { isRecord, type Reply, type Request, retryAfter } from './replies.ts';

/** Reads an order. An unknown status is passed to the caller. RFC 8555 §7.1.3 */
export function orderFrom(reply: Reply, url: string, request: Request, now: Date): Order {
  const { status, finalize, authorizations, expires, certificate, error } = isRecord(reply.data) ? reply.data : {};
  if (typeof status !== 'string' || typeof finalize !== 'string' || !isTexts(authorizations)) {
    throw notAcme(request, 'the status, finalize and authorizations of an order', reply);
  }
  const seconds = retryAfter(reply, now);
  return {
    url,
    finalize,
    status,
    authorizations,
    expires: typeof expires === 'string' ? expires : null,
    certificate: typeof certificate === 'string' ? certificate : null,
    error: problemDocument(error),
    // The value is limited to 1 s to one day, so that a Wait state can use it.
    retryAfter: seconds === null ? null : Math.min(Math.max(seconds, 1), 86_400),
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
