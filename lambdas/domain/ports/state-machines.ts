/** The end of an execution. It has `error` and `cause` after a failure and `output` after a success. */
export interface ExecutionEnd {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly error?: string;
  readonly cause?: string;
  /** Output as parsed JSON. */
  readonly output?: unknown;
}

/** Starts and stops executions of workflows, and reads how they ended. */
export interface StateMachines {
  /** Starts an execution with this name. An existing execution with this name is a success. The default input is `{}`. */
  start(stateMachineArn: string, name: string, input?: object): Promise<void>;
  /** Returns the ARNs of the executions that run. A workflow that does not exist has none. */
  running(stateMachineArn: string): Promise<readonly string[]>;
  /** Stops an execution. One that has ended is a success. */
  stop(executionArn: string, cause: string): Promise<void>;
  /** Returns `null` while the execution runs, and if Step Functions does not know it yet because it was just started. */
  end(executionArn: string): Promise<ExecutionEnd | null>;
}
