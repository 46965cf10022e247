import type { ReportInput, ReportOutput } from '../contract/report.ts';

/** A deployment as the command line finds it, by the tags of its function `report`. */
export interface FoundDeployment {
  /** Name of the outermost stack. */
  readonly stack: string;
  /** ARN of the function `report`. */
  readonly report: string;
}

/** The deployments of an account in one region. */
export interface Deployments {
  list(): Promise<readonly FoundDeployment[]>;
  /** Calls the function `report` for one page. */
  report(arn: string, input: ReportInput): Promise<ReportOutput>;
}
