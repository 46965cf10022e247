import { createHash } from 'node:crypto';
import { crypto } from 'acme-client';
import { NoDnsChallengeError } from '../../domain/contract/errors.ts';
import type { Challenge } from '../../domain/ports/acme.ts';

/**
 * Returns the TXT value of a dns-01 challenge, which is base64url(SHA-256(token "." thumbprint of the account key)). RFC 8555 §8.1 and §8.4, RFC
 * 7638. acme-client computes the same value, but only asynchronously.
 */
export function dnsChallengeValue({ type, token, url }: Challenge, accountKey: string): string {
  if (type !== 'dns-01' || token === null) {
    throw new NoDnsChallengeError({
      what: `The challenge ${url} of type ${type} is not a dns-01 challenge with a token.`,
    });
  }
  const thumbprint = sha256(JSON.stringify(crypto.getJwk(accountKey)));
  return sha256(`${token}.${thumbprint}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
