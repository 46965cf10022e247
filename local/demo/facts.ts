import type { BundleSize } from '../../build/bundle.ts';
import type { EmptyZone, FleetRun, Handshake, IssuedCertificate } from './proofs.ts';
import type { Workflows } from './renewals.ts';

/** Results of the demo so far. */
export interface Facts {
  /** Path of the config. */
  readonly config: string;
  bundles?: readonly BundleSize[];
  workflows?: Workflows;
  /** The fleet run that the deployment starts. */
  firstRun?: FleetRun;
  caRequests?: CaRequests;
  certificates?: readonly IssuedCertificate[];
  /** The deployment, renewals and checks that failed. */
  failures?: readonly Failure[];
  /** PEM of the roots that the certificates chain to. */
  issuingRoots?: string;
  /** TLS handshakes by certificate. */
  handshakes?: Readonly<Record<string, readonly Handshake[]>>;
  hostedZones?: readonly EmptyZone[];
  secondRun?: FleetRun;
}

export interface Failure {
  /** Name of the certificate or of the check, or `Deployment`. */
  readonly name: string;
  /** From the start of the execution, the check or the deployment. */
  readonly seconds: number;
  readonly error: string;
  /** The sentences of the service: what failed, why, and what to do. */
  readonly cause: string;
  /** ARN, or `null` if no execution failed. */
  readonly execution: string | null;
}

export function addFailure(facts: Facts, failure: Failure): void {
  facts.failures = [...(facts.failures ?? []), failure];
}

export interface CaRequests {
  readonly total: number;
  /** The average. The log of the CA does not say which order a request belongs to. */
  readonly perCertificate: number;
}
