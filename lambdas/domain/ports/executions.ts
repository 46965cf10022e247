export interface Executions {
  /** DescribeExecution. `live`: RUNNING or PENDING_REDRIVE; `unknown`: no such execution. */
  status(arn: string): Promise<'live' | 'ended' | 'unknown'>;
}
