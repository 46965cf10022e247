/** An execution as DescribeExecution returns it. */
export interface ExecutionDescription {
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'PENDING_REDRIVE';
  /** Name of the error with which the execution failed. `null` if there is none. */
  readonly error: string | null;
  /** Input as text. */
  readonly input: string;
}

/** The executions that hold leases or were interrupted. */
export interface Executions {
  /** Returns `live` for RUNNING and PENDING_REDRIVE, and `unknown` if the execution does not exist. */
  status(arn: string): Promise<'live' | 'ended' | 'unknown'>;
  /** Returns `null` if the execution does not exist. The status is eventually consistent. */
  describe(arn: string): Promise<ExecutionDescription | null>;
}
