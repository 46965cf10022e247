import type { Issuer } from '../contract/config.ts';

/** The renewal window of a certificate. `end` is after `start`. RFC 9773 §4.2 */
export interface RenewalInfo {
  readonly start: Date;
  readonly end: Date;
  readonly explanationUrl: string | null;
  /** Retry-After in seconds. `null` if it is missing or invalid. */
  readonly retryAfter: number | null;
}

/** A fetch without a valid window. */
export interface FailedFetch {
  /** What failed, as a phrase for the log. */
  readonly failed: string;
  /** `true` for 5xx and timeouts, and `false` for 4xx and an invalid object. */
  readonly temporary: boolean;
  /** Retry-After in seconds. `null` if it is missing or invalid. */
  readonly retryAfter: number | null;
}

/** Renewal information (ARI) of any CA. */
export interface RenewalInfos {
  /**
   * Fetches the window with one unauthenticated GET. Returns `'unsupported'` if the directory has no `renewalInfo`, and `failed` for any other
   * reply that is not a valid window.
   */
  fetch(
    issuer: Pick<Issuer, 'name' | 'directoryUrl' | 'replyTimeout'>,
    certificateId: string,
  ): Promise<RenewalInfo | 'unsupported' | FailedFetch>;
}
