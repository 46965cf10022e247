/** The end of an execution. It has `error` and `cause` after a failure and `output` after a success. */
export interface ExecutionEnd {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly error?: string;
  readonly cause?: string;
  /** Output as parsed JSON. */
  readonly output?: unknown;
}

/** Starts workflows and reads how their executions ended. */
export interface StateMachines {
  /** Starts an execution with this name. An existing execution with this name is a success. The default input is `{}`. */
  start(stateMachineArn: string, name: string, input?: object): Promise<void>;
  /** Returns `null` while the execution runs, and if Step Functions does not know it yet because it was just started. */
  end(executionArn: string): Promise<ExecutionEnd | null>;
}
