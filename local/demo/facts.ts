import type { EmptyZone, FleetRun, Handshake, IssuedCertificate } from './proofs.ts';
import type { Workflows } from './renewals.ts';

/** What the demo has shown so far. */
export interface Facts {
  /** Path of the config. */
  readonly config: string;
  workflows?: Workflows;
  /** The one that the deployment starts. */
  firstRun?: FleetRun;
  caRequests?: CaRequests;
  certificates?: readonly IssuedCertificate[];
  /** PEM of the root that the certificates chain to. */
  issuingRoot?: string;
  /** By certificate. */
  handshakes?: Readonly<Record<string, readonly Handshake[]>>;
  hostedZones?: readonly EmptyZone[];
  secondRun?: FleetRun;
}

export interface CaRequests {
  readonly total: number;
  /** The average: the CA's log does not say which order a request belongs to. */
  readonly perCertificate: number;
}
