/**
 * Nonces from earlier replies, so that a POST needs no newNonce before it. RFC 8555 §6.5
 *
 * The pool holds at most two, because requests are sent one after another. A nonce is used for one minute at most, because CAs forget old nonces
 * (Let's Encrypt keeps those of a few minutes) and the function may have been frozen. The newest nonce is used first.
 */
export interface NoncePool {
  put(nonce: unknown, now: Date): void;
  take(now: Date): string | null;
}

const capacity = 2;
const maximumAge = 60_000;
/** base64url. A client must ignore other nonces. RFC 8555 §6.5.1 */
const wellFormed = /^[A-Za-z0-9_-]+$/;

export function createNoncePool(): NoncePool {
  let pooled: { readonly nonce: string; readonly at: number }[] = [];
  return {
    put(nonce, now) {
      if (typeof nonce === 'string' && wellFormed.test(nonce)) {
        pooled = [...pooled, { nonce, at: now.getTime() }].slice(-capacity);
      }
    },
    take(now) {
      pooled = pooled.filter(({ at }) => now.getTime() - at <= maximumAge);
      return pooled.pop()?.nonce ?? null;
    },
  };
}
