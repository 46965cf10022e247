import type { Buckets } from './limits.ts';
import type { AuthorizationRecord, Records } from './records.ts';

/** Data that Boulder stores and Pebble does not. */
export interface State {
  readonly records: Records;
  readonly buckets: Buckets;
  now(): Date;
  /** Returns Pebble's renewal window of a certificate, or `null` if Pebble has no such certificate. */
  renewalWindow(certificateId: string): Promise<{ readonly start: Date; readonly end: Date } | null>;
  /** Paused pairs of account and identifier. The account is `''` for all accounts. */
  readonly paused: Set<string>;
  /** Identifiers whose CAA records forbid this CA now. */
  readonly forbiddenByCaa: Set<string>;
  /** Order URLs by the id of the certificate that the order replaces. */
  readonly replacements: Map<string, string>;
  /** Times of issuance in milliseconds, by set of names. */
  readonly issued: Map<string, number[]>;
  /** Seconds that an order stays `processing`. */
  readonly processing: number;
  /** Age in seconds of an authorization after which CAA is checked again. */
  readonly caaRecheckAfter: number;
}

export const pair = (account: string, identifier: string): string => `${account} ${identifier}`;
export const setKey = (identifiers: readonly string[]): string => identifiers.join(',');

/** Counts a failed validation once. Five an hour are allowed. After 1,152 in a row the account is paused for the identifier. */
export function countFailure(state: State, authorization: AuthorizationRecord): void {
  if (authorization.counted || authorization.identifier === null) return;
  authorization.counted = true;
  const key = pair(authorization.account, authorization.identifier);
  state.buckets.spend('failedAuthorizations', key);
  state.buckets.spend('consecutiveFailures', key);
  if (state.buckets.left('consecutiveFailures', key) < 1) state.paused.add(key);
}
