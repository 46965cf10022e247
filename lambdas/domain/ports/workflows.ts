/** A state that an execution has entered. */
export interface EnteredState {
  readonly name: string;
  /** Time of entry, in RFC 3339. */
  readonly at: string;
  /** Name of the error with which its task has failed last. The workflow may have retried it since. */
  readonly failed?: string;
}

/** An execution as the command line shows it. */
export interface WorkflowExecution {
  readonly arn: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'PENDING_REDRIVE';
  /** Start and end, in RFC 3339. `end` is `null` while it runs. */
  readonly start: string;
  readonly end: string | null;
  readonly error: string | null;
  readonly cause: string | null;
  /** Input and output as text. `output` is `null` unless it has succeeded. */
  readonly input: string;
  readonly output: string | null;
}

/** The executions that an operator starts and watches, with the operator's own credentials. */
export interface Workflows {
  /** Starts an execution. Returns its ARN. */
  start(stateMachineArn: string, name: string, input: unknown): Promise<string>;
  describe(arn: string): Promise<WorkflowExecution>;
  /** Returns the ARNs of executions whose name begins with `prefix`, newest first. It reads the newest 5,000 executions of the workflow. */
  list(stateMachineArn: string, prefix: string): Promise<readonly string[]>;
  /** Returns the states that the execution has entered, in their order. */
  states(arn: string): Promise<readonly EnteredState[]>;
}
