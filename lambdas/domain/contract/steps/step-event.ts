/** The execution that calls a step. Every step receives it, and every log line has it. */
export interface Run {
  readonly certificate: string;
  /** ARN of the execution, which is also the value of its leases. */
  readonly execution: string;
  /** Number of the attempt in this execution, beginning with 1. */
  readonly attempt: number;
}

/**
 * Format of the events that workflows send to functions, and of the replies. An execution keeps the definition of its workflow while a deployment
 * replaces the functions. A function rejects an event of another format, and a new execution continues the renewal.
 *
 * It changes with a version whose executions cannot use the functions of the version before, or whose functions cannot serve the executions of the
 * version before. A new field that may be missing keeps the format.
 */
export const stepFormat = 'steps-1';

/** The event that a workflow sends to a function. `order` is the URL of the order once it exists, for the log. */
export interface StepEvent {
  readonly format: string;
  readonly step: string;
  readonly run: Run & { readonly order: string | null };
  readonly input: unknown;
}
