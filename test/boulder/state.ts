import type { Buckets } from './limits.ts';
import type { AuthorizationRecord, Records } from './records.ts';

/** What Boulder keeps and Pebble does not. */
export interface State {
  readonly records: Records;
  readonly buckets: Buckets;
  now(): Date;
  /** Pebble's window for a certificate; `null`: it knows no such certificate. */
  renewalWindow(certificateId: string): Promise<{ readonly start: Date; readonly end: Date } | null>;
  /** Pairs of account and identifier; `''` for all accounts. */
  readonly paused: Set<string>;
  /** Identifiers whose CAA records forbid this CA at the moment. */
  readonly forbiddenByCaa: Set<string>;
  /** Order URL by the id of the certificate that it replaces. */
  readonly replacements: Map<string, string>;
  /** Times (ms) of issuance by set of names. */
  readonly issued: Map<string, number[]>;
  /** Seconds that an order stays `processing`. */
  readonly processing: number;
  /** Seconds that an authorization may be old before CAA is looked at again. */
  readonly caaRecheckAfter: number;
}

export const pair = (account: string, identifier: string): string => `${account} ${identifier}`;
export const setKey = (identifiers: readonly string[]): string => identifiers.join(',');

/** A failed validation: five an hour, and after very many in a row the pair is paused. */
export function chargeFailure(state: State, authorization: AuthorizationRecord): void {
  if (authorization.charged || authorization.identifier === null) return;
  authorization.charged = true;
  const key = pair(authorization.account, authorization.identifier);
  state.buckets.spend('failedAuthorizations', key);
  state.buckets.spend('consecutiveFailures', key);
  if (state.buckets.left('consecutiveFailures', key) < 1) state.paused.add(key);
}
