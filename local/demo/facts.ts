import type { EmptyZone, FleetRun, Handshake, IssuedCertificate } from './proofs.ts';
import type { Workflows } from './renewals.ts';

/** Results of the demo so far. */
export interface Facts {
  /** Path of the config. */
  readonly config: string;
  workflows?: Workflows;
  /** The fleet run that the deployment starts. */
  firstRun?: FleetRun;
  caRequests?: CaRequests;
  certificates?: readonly IssuedCertificate[];
  /** Renewals that failed, and checks that failed afterwards. */
  failures?: readonly Failure[];
  /** PEM of the root that the certificates chain to. */
  issuingRoot?: string;
  /** TLS handshakes by certificate. */
  handshakes?: Readonly<Record<string, readonly Handshake[]>>;
  hostedZones?: readonly EmptyZone[];
  secondRun?: FleetRun;
}

export interface Failure {
  /** Name of the certificate, or of the check. */
  readonly name: string;
  /** From the start of the execution, or of the check. */
  readonly seconds: number;
  readonly error: string;
  /** The sentences of the service: what failed, why, and what to do. */
  readonly cause: string;
  /** `null` for a check. */
  readonly execution: string | null;
}

export interface CaRequests {
  readonly total: number;
  /** The average. The log of the CA does not say which order a request belongs to. */
  readonly perCertificate: number;
}
