import type { Executions } from '../../lambdas/domain/ports/executions.ts';

type Status = 'live' | 'ended' | 'unknown';

/** Also `unknown` has to be told: an ARN that a test did not think of is a mistake. */
export class FakeExecutions implements Executions {
  readonly #statuses = new Map<string, Status>();

  tell(arn: string, status: Status): void {
    this.#statuses.set(arn, status);
  }

  async status(arn: string): Promise<Status> {
    const status = this.#statuses.get(arn);
    if (!status) throw new Error(`The fake executions were not told about ${arn}.`);
    return status;
  }
}
