import type { CertificateFacts, OrderReference } from '../certificate-facts.ts';
import type { CertificateSpec } from '../config.ts';
import type { RevocationReason } from '../revocation-reason.ts';
import type { PollOrderOutput } from './order-steps.ts';
import type { Run } from './step-event.ts';

export interface FinalizeOrderInput extends Run {
  readonly spec: CertificateSpec;
  readonly order: OrderReference;
  /** Whether the order was saved by an earlier run. It may be finalized already, so its status is read first. */
  readonly resumed: boolean;
}

export type FinalizeOrderOutput = Omit<PollOrderOutput, 'refused'>;

export interface StoreCertificateInput extends Run {
  readonly spec: CertificateSpec;
  readonly order: OrderReference;
  readonly certificateUrl: string;
  /** Longest time between two fleet runs, in seconds. */
  readonly checkInterval: number;
}

export interface StoreCertificateOutput {
  readonly current: CertificateFacts;
  readonly warnings: readonly string[];
}

export interface ReadCertificateInput extends Run {
  readonly spec: CertificateSpec;
}

export interface ReadCertificateOutput {
  readonly current: CertificateFacts;
}

export interface ShareSecretInput extends Run {
  readonly spec: CertificateSpec;
}

export interface MarkCompromisedKeyInput extends Run {
  readonly versionId: string;
}

export interface RevokeCertificateInput extends Run {
  readonly spec: CertificateSpec;
  readonly versionId: string;
  readonly reason: RevocationReason;
}

export interface RevokeCertificateOutput {
  /** Serial numbers of the revoked certificates. */
  readonly revoked: readonly string[];
  /** Whether the current certificate was revoked and has to be replaced. */
  readonly renew: boolean;
  /** An order with the compromised key is ready, so a function that still runs may send its CSR. */
  readonly mayFollow?: true;
}
