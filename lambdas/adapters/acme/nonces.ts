/**
 * Nonces that replies have brought, so that a POST needs no newNonce before it. RFC 8555 §6.5
 *
 * Two at most: requests go one after the other, so a second one is spare already. None older than a minute: CAs forget
 * theirs (Let's Encrypt keeps a few minutes' worth), and a function may have been frozen since. The newest is given first.
 */
export interface NoncePool {
  put(nonce: unknown, now: Date): void;
  take(now: Date): string | null;
}

const capacity = 2;
const maximumAge = 60_000;
/** base64url; a client must ignore any other. RFC 8555 §6.5.1 */
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
