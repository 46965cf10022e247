import type { ExecutionDescription, Executions } from '../../lambdas/domain/ports/executions.ts';

type Status = 'live' | 'ended' | 'unknown';

/** Executions by ARN. A test sets the status of each one, `unknown` too, because an ARN without a status is a mistake in the test. */
export class FakeExecutions implements Executions {
  readonly #inputs = new Map<string, string>();
  readonly #statuses = new Map<string, Status>();
  readonly #ends = new Map<string, Pick<ExecutionDescription, 'status' | 'error'>>();

  setStatus(arn: string, status: Status): void {
    this.#statuses.set(arn, status);
  }

  setInput(arn: string, input: string): void {
    this.#inputs.set(arn, input);
  }

  /** Ends an execution. Without this call an ended execution is ABORTED. */
  end(arn: string, status: ExecutionDescription['status'], error: string | null = null): void {
    this.setStatus(arn, 'ended');
    this.#ends.set(arn, { status, error });
  }

  async describe(arn: string): Promise<ExecutionDescription | null> {
    const status = await this.status(arn);
    if (status === 'unknown') return null;
    const end = this.#ends.get(arn) ?? { status: 'ABORTED' as const, error: null };
    return {
      ...(status === 'live' ? { status: 'RUNNING' as const, error: null } : end),
      input: this.#inputs.get(arn) ?? '',
    };
  }

  async status(arn: string): Promise<Status> {
    const status = this.#statuses.get(arn);
    if (!status) throw new Error(`No status is set for execution ${arn}.`);
    return status;
  }
}
