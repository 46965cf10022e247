/** The state of executions that hold leases. */
export interface Executions {
  /** Returns `live` for RUNNING and PENDING_REDRIVE, and `unknown` if the execution does not exist. */
  status(arn: string): Promise<'live' | 'ended' | 'unknown'>;
}
