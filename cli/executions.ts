import type { WorkflowExecution, Workflows } from '../lambdas/domain/ports/workflows.ts';

/** Returns the page of an execution in the console. */
export function consoleLink(arn: string): string {
  const [, partition, , region] = arn.split(':');
  const domain =
    partition === 'aws-cn' ? 'amazonaws.cn' : partition === 'aws-us-gov' ? 'amazonaws-us-gov.com' : 'aws.amazon.com';
  return `https://${region}.console.${domain}/states/home?region=${region}#/v2/executions/details/${arn}`;
}

/** Returns the newest executions for a certificate, newest first. The name of an execution begins with that of its certificate. */
export async function executionsOf(
  certificate: string,
  renewal: string,
  workflows: Pick<Workflows, 'list' | 'describe'>,
  most: number,
): Promise<readonly WorkflowExecution[]> {
  const found: WorkflowExecution[] = [];
  for (const arn of await workflows.list(renewal, `${certificate}-`)) {
    const execution = await workflows.describe(arn);
    // The executions of www-2 have names that begin with www- too.
    if (inputOf(execution).certificate === certificate) found.push(execution);
    if (found.length === most) break;
  }
  return found;
}

/** Returns the fields of the input of an execution. An input that is no JSON object has none. */
export function inputOf({ input }: WorkflowExecution): { readonly [field: string]: unknown } {
  try {
    return { ...(JSON.parse(input) as object | null) };
  } catch {
    return {};
  }
}

/** Returns the status of an execution as a verb, such as `timed out`. */
export const endingOf = (status: WorkflowExecution['status']): string =>
  status === 'ABORTED' ? 'was aborted' : status.toLowerCase().replace('_', ' ');

/** Returns the sentences about an execution that has not succeeded. */
export const failedExecution = (what: string, { status, error, cause, arn }: WorkflowExecution): string =>
  `${what} ${endingOf(status)}. ${error ? `${error}: ${cause ?? ''} ` : ''}See ${consoleLink(arn)}`;
