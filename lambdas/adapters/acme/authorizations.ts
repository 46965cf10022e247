import type { Authorization, Challenge } from '../../domain/ports/acme.ts';
import { problemDocument } from './problem-document.ts';
import { isRecord, notAcme, type Reply, type Request, unreadable } from './replies.ts';
import { identifierField, tokenField, urlField, wordField } from './reply-fields.ts';

/** Largest number of challenges that are read. CAs offer one to four. */
const mostChallenges = 20;

/** Reads an authorization. A CA that validates the identifier in another way may send no challenges. RFC 8555 §7.1.4 */
export function authorizationFrom(reply: Reply, url: string, request: Request): Authorization {
  const { identifier, wildcard, challenges, ...fields } = isRecord(reply.data) ? reply.data : {};
  const status = wordField(fields.status);
  const name = isRecord(identifier) ? identifierField(identifier.value) : null;
  if (status === null || name === null) {
    throw notAcme(request, unreadable({ status, identifier: name }), reply);
  }
  return {
    url,
    status,
    // Some CAs keep the star of a wildcard in the identifier, beside the flag.
    identifier: wildcard === true && !name.startsWith('*.') ? `*.${name}` : name,
    challenges: Array.isArray(challenges)
      ? challenges.slice(0, mostChallenges).flatMap((each) => challengeFrom(each, url))
      : [],
  };
}

/** Reads a challenge of any type, with or without a token. Returns nothing for a challenge without type or URL. RFC 8555 §8 */
function challengeFrom(value: unknown, base: string): Challenge[] {
  if (!isRecord(value)) return [];
  const { status, token, error } = value;
  const type = wordField(value.type);
  const url = urlField(value.url, base);
  if (type === null || url === null) return [];
  return [
    {
      type,
      url,
      status: wordField(status) ?? 'pending',
      token: tokenField(token),
      error: problemDocument(error),
    },
  ];
}
