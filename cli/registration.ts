import type { CheckZonesInput, RegistrationOutput } from '../lambdas/domain/contract/steps.ts';
import type { WorkflowExecution, Workflows } from '../lambdas/domain/ports/workflows.ts';
import type { Report } from './deployment.ts';
import { failedExecution, inputOf } from './executions.ts';
import { type Finding, findingOf, ToFix } from './finding.ts';
import { duration } from './sentences.ts';

/** Registrations that are searched for, among other requests. */
const searched = 20;

/** Accounts at the CAs by issuer, with which CAA records are checked. */
type Accounts = Map<string, NonNullable<CheckZonesInput['account']>>;

/**
 * Reads the newest registration, which a deployment starts. It asked each CA whether the account is valid. Accounts that were deactivated after it
 * are left out.
 */
export async function lastRegistration(
  { deployment, at }: Report,
  workflows: Pick<Workflows, 'list' | 'describe'>,
): Promise<{ readonly finding: Finding; readonly accounts: Accounts }> {
  const accounts: Accounts = new Map();
  const endOf = ({ start, end }: WorkflowExecution) => end ?? start;
  const ageOf = (execution: WorkflowExecution) => duration(Date.parse(at) - Date.parse(endOf(execution)));
  const finding = await findingOf('accounts', async () => {
    const deactivated = new Map<string, string>();
    for (const arn of (await workflows.list(deployment.stateMachines.accounts, '')).slice(0, searched)) {
      const execution = await workflows.describe(arn);
      const { action, issuer } = inputOf(execution);
      if (action === 'deactivate' && execution.status === 'SUCCEEDED')
        deactivated.set(String(issuer), ageOf(execution));
      if (action !== 'register') continue;
      if (execution.status === 'RUNNING') return 'a registration is in progress';
      if (execution.status !== 'SUCCEEDED') throw new ToFix(failedExecution('The last registration', execution));
      const output = JSON.parse(execution.output ?? 'null') as RegistrationOutput;
      for (const account of output.accounts)
        if (!deactivated.has(account.issuer)) accounts.set(account.issuer, { ...account, readAt: endOf(execution) });
      return [
        ...(accounts.size > 0 ? [`valid at ${[...accounts.keys()].join(', ')}, ${ageOf(execution)} ago`] : []),
        ...[...deactivated].map(
          ([name, age]) => `deactivated at ${name}, ${age} ago, and registered again by the first order after that`,
        ),
      ].join('; ');
    }
    throw new ToFix('No registration was found. Deploy the stack again.');
  });
  return { finding, accounts };
}
