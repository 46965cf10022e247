import { problemReply, type Reply } from './exchange.ts';

/**
 * A rate limit of Let's Encrypt as a token bucket. It holds `capacity` tokens and gets one more every `refill` seconds.
 * Source: https://letsencrypt.org/docs/rate-limits, version of 2026-08-05.
 */
export interface Limit {
  readonly capacity: number;
  readonly refill: number;
}

const minute = 60;
const hour = 3600;
const day = 24 * hour;

export const publishedLimits = {
  /** New accounts per IP address. All clients of the proxy have the same address. */
  newAccounts: { capacity: 10, refill: 18 * minute },
  /** New orders per account. */
  newOrders: { capacity: 300, refill: 36 },
  /** Certificates per registered domain of all accounts. One token returns every 7 days / 50. */
  certificatesPerDomain: { capacity: 50, refill: (7 * day) / 50 },
  /** Certificates per set of names of all accounts. One token returns every 7 days / 5. */
  certificatesPerSet: { capacity: 5, refill: (7 * day) / 5 },
  /** Failed validations per account and identifier. */
  failedAuthorizations: { capacity: 5, refill: 12 * minute },
  /** Failed validations in a row per account and identifier. A success refills the bucket. An empty bucket pauses the pair. */
  consecutiveFailures: { capacity: 1152, refill: day },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof publishedLimits;
export type Limits = Readonly<Record<LimitName, Limit>>;

export interface Buckets {
  /** Returns the time at which the bucket gets its next token, or `null` if it has one now. */
  fullUntil(limit: LimitName, key: string): Date | null;
  /** Takes a token. The number of tokens can become negative, as in Boulder. */
  spend(limit: LimitName, key: string): void;
  refill(limit: LimitName, key: string): void;
  left(limit: LimitName, key: string): number;
}

export function createBuckets(limits: Limits, now: () => Date): Buckets {
  /** Time in milliseconds at which each bucket is full, by limit and key. The number of tokens follows from it. */
  const fullAt = new Map<string, number>();
  const tokens = (limit: LimitName, key: string): number => {
    const { capacity, refill } = limits[limit];
    const missing = Math.max(0, (fullAt.get(`${limit} ${key}`) ?? 0) - now().getTime());
    return capacity - missing / (refill * 1000);
  };
  return {
    left: (limit, key) => Math.floor(tokens(limit, key) + 1e-9),
    fullUntil(limit, key) {
      const lacking = 1 - tokens(limit, key);
      return lacking < 1e-9 ? null : new Date(now().getTime() + Math.ceil(lacking * limits[limit].refill * 1000));
    },
    spend(limit, key) {
      const from = Math.max(fullAt.get(`${limit} ${key}`) ?? 0, now().getTime());
      fullAt.set(`${limit} ${key}`, from + limits[limit].refill * 1000);
    },
    refill: (limit, key) => void fullAt.delete(`${limit} ${key}`),
  };
}

/** Returns the last two labels of a name. The public suffix list is not needed for test names such as those below `example.com`. */
export const registeredDomain = (identifier: string): string => identifier.split('.').slice(-2).join('.');

/** Returns a time as Boulder writes it into messages, for example `2026-11-27 05:06:44 UTC`. */
export const stamp = (at: Date): string => `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

export const limitTexts: Readonly<Record<LimitName, (about: string) => string>> = {
  newAccounts: () => 'too many new registrations (10) from this IP address in the last 3h0m0s',
  newOrders: () => 'too many new orders (300) from this account in the last 3h0m0s',
  certificatesPerDomain: (about) => `too many certificates (50) already issued for "${about}" in the last 168h0m0s`,
  certificatesPerSet: () =>
    'too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s',
  failedAuthorizations: (about) => `too many failed authorizations (5) for "${about}" in the last 1h0m0s`,
  consecutiveFailures: (about) => `too many consecutive failures for "${about}"`,
};

export function rateLimited(text: string, until: Date, now: Date): Reply {
  return problemReply(
    {
      type: 'rateLimited',
      status: 429,
      detail: `${text}, retry after ${stamp(until)}: see https://letsencrypt.org/docs/rate-limits/`,
    },
    { 'retry-after': String(Math.ceil((until.getTime() - now.getTime()) / 1000)) },
  );
}
