import type { OutsideChange } from '../certificate-facts.ts';
import type { Issuer } from '../config.ts';
import type { RenewalAction } from './check-steps.ts';

/**
 * Inputs and outputs of the steps of the fleet workflow. Every output has at most 64 KB for a fleet of any size, so that no state reaches the
 * limit of Step Functions, which is 256 KB.
 */

/** The fleet execution that calls a step. */
export interface FleetRun {
  /** ARN of the execution, which is also the value of the lease. */
  readonly execution: string;
}

export interface TakeFleetLeaseOutput {
  /** ARN of the execution that runs already. `null` if this execution has the lease. */
  readonly holder: string | null;
  /** Where *Refresh renewal information* begins. An earlier run had no time left there. `null` means at the beginning. */
  readonly after: string | null;
}

export interface RefreshRenewalInformationInput extends FleetRun {
  /** Where the previous call stopped. `null` means at the beginning. */
  readonly after: string | null;
  /** Time of the first call of this run, in RFC 3339. */
  readonly since: string;
  /** Failures in a row, by index of the issuer in the configuration. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface RefreshRenewalInformationOutput {
  /** Where the next call begins. `null` if there is none. */
  readonly after: string | null;
  readonly failures: Readonly<Record<string, number>>;
  /** Certificates for which a CA was asked. */
  readonly asked: number;
  /** Answers that were written to the ledger. */
  readonly saved: number;
}

export interface SelectDueCertificatesInput extends FleetRun {
  /** ARN of the first execution of this run, or that and the time at which another run asked for a selection. It makes the names of the renewals. */
  readonly continues: string;
  /** Certificates that this execution has started already. */
  readonly started: readonly string[];
}

/** A renewal to start. */
export interface RenewalStart {
  readonly certificate: string;
  readonly action: RenewalAction;
  readonly executionName: string;
  /** Number of paced starts before this one in the selection. Divided by the pace, it is the time of the start in seconds after the selection. */
  readonly slot: number;
}

/** A certificate for which the event `Certificate Expiring` is published. */
export interface ExpiringCertificate {
  readonly kind: 'expiring';
  readonly certificate: string;
  /** ARN of the secret or of the import that expires first. `null` if no certificate was issued. */
  readonly resource: string | null;
  /** Time at which it expires, in RFC 3339. `null` if no certificate was issued. */
  readonly notAfter: string | null;
  /** Percentage of the lifetime that is left. */
  readonly lifetimeLeft: number;
  /** Name of the error of the last attempt, or `null` if it did not fail. */
  readonly error: string | null;
}

/** A certificate for which the event `Certificate Renewal Postponed` is published. */
export interface PostponedCertificate {
  readonly kind: 'postponed';
  readonly certificate: string;
  /** Time of the first run that postponed the renewal, in RFC 3339. */
  readonly since: string;
  /** Directory whose limit on new orders postpones it. */
  readonly directoryUrl: string;
  /** Time at which the certificate expires, in RFC 3339. `null` if none was issued. */
  readonly notAfter: string | null;
}

export type LateCertificate = ExpiringCertificate | PostponedCertificate;

export interface SelectDueCertificatesOutput {
  /** At most 100, most urgent first. Empty if nothing is due. */
  readonly due: readonly RenewalStart[];
  /** Number of certificates in the configuration. */
  readonly checked: number;
  /** Number of due certificates that are not in `due` and that no execution works on. */
  readonly postponed: number;
  /** At most 100 certificates for which an event is due. Empty if `due` is not. */
  readonly late: readonly LateCertificate[];
}

export interface CompareWithWhatIsThereInput extends FleetRun {
  /** Time of the first call of this comparison, in RFC 3339. */
  readonly since: string;
}

/** A certificate that another writer changed, for the event. */
export interface ChangedCertificate {
  readonly certificate: string;
  readonly changes: readonly OutsideChange[];
}

export interface CompareWithWhatIsThereOutput {
  readonly changed: readonly ChangedCertificate[];
  /** Number of certificates that the next selection starts because of a change. */
  readonly due: number;
  /** Whether there is nothing left to compare, or no time. */
  readonly done: boolean;
}

export interface HandOverFleetLeaseOutput {
  /** Name of the execution that has the lease now and has to be started. */
  readonly executionName: string;
}

export interface HoldFleetLeaseInput extends FleetRun {
  /** The issuer whose account key is changed. */
  readonly issuer: Issuer;
}

export interface FreeFleetLeaseOutput {
  /** Whether a fleet run began while the lease was held, and ended without a selection. */
  readonly selectionRequested: boolean;
}

export interface ReleaseFleetLeaseOutput {
  /** Whether the lease was released. It is kept if another run began in the meantime, because that run may have had a newer configuration. */
  readonly released: boolean;
}
