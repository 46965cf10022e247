import type { Executions } from '../../lambdas/domain/ports/executions.ts';

type Status = 'live' | 'ended' | 'unknown';

/** Executions by ARN. A test sets the status of each one, `unknown` too, because an ARN without a status is a mistake in the test. */
export class FakeExecutions implements Executions {
  readonly #inputs = new Map<string, string>();
  readonly #statuses = new Map<string, Status>();

  setStatus(arn: string, status: Status): void {
    this.#statuses.set(arn, status);
  }

  setInput(arn: string, input: string): void {
    this.#inputs.set(arn, input);
  }

  async input(arn: string): Promise<string | null> {
    return this.#inputs.get(arn) ?? null;
  }

  async status(arn: string): Promise<Status> {
    const status = this.#statuses.get(arn);
    if (!status) throw new Error(`No status is set for execution ${arn}.`);
    return status;
  }
}
