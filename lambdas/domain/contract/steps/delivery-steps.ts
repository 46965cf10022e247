import type { CertificateFacts } from '../certificate-facts.ts';
import type { CertificateSpec } from '../config.ts';
import type { Run } from './step-event.ts';

export interface ImportCertificateInput extends Run {
  readonly spec: CertificateSpec;
  readonly region: string;
  readonly current: CertificateFacts;
}

/** One delivery into ACM. */
export interface ImportCertificateOutput {
  /** Region of the import. */
  readonly region: string;
  /** ARN of the certificate in ACM. */
  readonly arn: string;
  /** ARN that this one replaces, or `null`. The old import has another key type and is kept, or it was deleted by hand. */
  readonly replaces: string | null;
  /** What the operator has to do, as a sentence, or `null` if nothing. */
  readonly action: string | null;
  /** Whether this step made the import. It is `false` if ACM already had this version. */
  readonly imported: boolean;
  /** Whether this step set only the operator's tags. */
  readonly tagged: boolean;
}
