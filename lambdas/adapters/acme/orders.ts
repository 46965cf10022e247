import type { Order } from '../../domain/ports/acme.ts';
import { problemDocument } from './problem-document.ts';
import { isRecord, notAcme, type Reply, type Request, retryAfter, unreadable } from './replies.ts';
import { textField, timeField, urlField, wordField } from './reply-fields.ts';

/** Largest number of authorizations. A certificate has at most 100 identifiers, and each needs one. */
const mostAuthorizations = 100;

/**
 * Reads an order. An unknown status is passed to the caller. RFC 8555 §7.1.3. Only a pending order needs authorizations. The CA of Telia sends `null`
 * for those of an order that is ready (community.crypto#1075).
 */
export function orderFrom(reply: Reply, url: string, request: Request, now: Date): Order {
  const { expires, certificate, error, ...fields } = isRecord(reply.data) ? reply.data : {};
  const status = wordField(fields.status);
  const finalize = urlField(fields.finalize, url);
  const authorizations = urls(status === 'pending' ? fields.authorizations : (fields.authorizations ?? []), url);
  if (status === null || finalize === null || authorizations === null) {
    throw notAcme(request, unreadable({ status, finalize, authorizations }), reply);
  }
  const seconds = retryAfter(reply, now);
  return {
    url,
    finalize,
    status,
    authorizations,
    expires: timeField(expires),
    certificate: urlField(certificate, url),
    error: problemDocument(error),
    // The value is limited to 1 s to one day, so that a Wait state can use it.
    retryAfter: seconds === null ? null : Math.min(Math.max(seconds, 1), 86_400),
  };
}

/** Longest name of a profile, in characters. */
const longestProfile = 100;

/** The profile of an order, or `null` if the CA names none. draft-ietf-acme-profiles §4 */
export const profileOf = ({ data }: Pick<Reply, 'data'>): string | null =>
  isRecord(data) ? textField(data.profile, longestProfile) : null;

function urls(value: unknown, base: string): readonly string[] | null {
  if (!Array.isArray(value) || value.length > mostAuthorizations) return null;
  const read = value.flatMap((each) => urlField(each, base) ?? []);
  return read.length === value.length ? read : null;
}
