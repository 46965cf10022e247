import type { Issuer } from '../contract/config.ts';

/** RFC 9773 §4.2. `end` is after `start`. */
export interface RenewalInfo {
  readonly start: Date;
  readonly end: Date;
  readonly explanationUrl: string | null;
  /** Seconds from the Retry-After header; `null`: missing or not understood. */
  readonly retryAfter: number | null;
}

export interface RenewalInfos {
  /**
   * One unauthenticated GET at the directory that issued it. `'unsupported'`: the directory names no renewalInfo. `'failed'`: anything
   * else that is not a valid window; `temporary` says whether it may be better soon (5xx, timeouts) or not (4xx, an invalid object).
   */
  fetch(
    issuer: Pick<Issuer, 'name' | 'directoryUrl' | 'replyTimeout'>,
    certificateId: string,
  ): Promise<RenewalInfo | 'unsupported' | { readonly failed: string; readonly temporary: boolean }>;
}
