/** How an execution ended. `error` and `cause` where it failed, `output` where it succeeded. */
export interface ExecutionEnd {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly error?: string;
  readonly cause?: string;
  /** Parsed. */
  readonly output?: unknown;
}

export interface StateMachines {
  /** Starts an execution of this name. One that was started before counts as started. @default an empty input */
  start(stateMachineArn: string, name: string, input?: object): Promise<void>;
  /** `null`: it runs, or has begun so lately that Step Functions does not know it yet. */
  end(executionArn: string): Promise<ExecutionEnd | null>;
}
