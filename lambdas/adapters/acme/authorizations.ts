import type { Authorization, Challenge } from '../../domain/ports/acme.ts';
import { notAcme, problemDocument } from './problems.ts';
import { isRecord, type Reply, type Request } from './replies.ts';

/** Reads an authorization. A CA that validates the identifier in another way may send no challenges. RFC 8555 §7.1.4 */
export function authorizationFrom(reply: Reply, url: string, request: Request): Authorization {
  const { status, identifier, wildcard, challenges } = isRecord(reply.data) ? reply.data : {};
  if (typeof status !== 'string' || !isRecord(identifier) || typeof identifier.value !== 'string') {
    throw notAcme(request, 'the status and identifier of an authorization', reply);
  }
  return {
    url,
    status,
    identifier: wildcard === true ? `*.${identifier.value}` : identifier.value,
    challenges: Array.isArray(challenges) ? challenges.flatMap(challengeFrom) : [],
  };
}

/** Reads a challenge of any type, with or without a token. Returns nothing for a challenge without type or URL. RFC 8555 §8 */
function challengeFrom(value: unknown): Challenge[] {
  if (!isRecord(value) || typeof value.type !== 'string' || typeof value.url !== 'string') return [];
  const { type, url, status, token, error } = value;
  return [
    {
      type,
      url,
      status: typeof status === 'string' ? status : 'pending',
      token: typeof token === 'string' ? token : null,
      error: problemDocument(error),
    },
  ];
}
