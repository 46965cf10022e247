/** The state of executions that hold leases, and the input of interrupted executions. */
export interface Executions {
  /** Returns `live` for RUNNING and PENDING_REDRIVE, and `unknown` if the execution does not exist. */
  status(arn: string): Promise<'live' | 'ended' | 'unknown'>;
  /** Returns the input as text. `null` if the execution does not exist. */
  input(arn: string): Promise<string | null>;
}
