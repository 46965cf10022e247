import type { Executions } from '../../lambdas/domain/ports/executions.ts';

type Status = 'live' | 'ended' | 'unknown';

/** Executions by ARN. A test sets the status of each one, `unknown` too, because an ARN without a status is a mistake in the test. */
export class FakeExecutions implements Executions {
  readonly #statuses = new Map<string, Status>();

  setStatus(arn: string, status: Status): void {
    this.#statuses.set(arn, status);
  }

  async status(arn: string): Promise<Status> {
    const status = this.#statuses.get(arn);
    if (!status) throw new Error(`No status is set for execution ${arn}.`);
    return status;
  }
}
