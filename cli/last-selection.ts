import type { Workflows } from '../lambdas/domain/ports/workflows.ts';
import { isSelectionLate } from '../lambdas/domain/rules/renewal/selection-age.ts';
import type { Report } from './deployment.ts';
import { consoleLink, failedExecution } from './executions.ts';
import { ToFix } from './finding.ts';
import { duration, minuteOf } from './sentences.ts';

/** Executions of the fleet that are read. A run that is stuck is among them, because later ones end as *Already running*. */
const fleetRuns = 50;

/**
 * Returns when a fleet run last selected due certificates. The alarm *Perennial fleet does not run* counts from the same time. A run that finds
 * another one in progress succeeds too, but selects nothing.
 *
 * @throws ToFix if the last run failed, or if no run has selected certificates in time
 */
export async function lastSelectionText(
  { deployment, at, lastSelection }: Report,
  workflows: Pick<Workflows, 'list' | 'describe'>,
): Promise<string> {
  const arns = (await workflows.list(deployment.stateMachines.fleet, '')).slice(0, fleetRuns);
  const [newest] = arns;
  if (newest === undefined)
    throw new ToFix('The fleet workflow has never run. See that the schedule is enabled, or deploy the stack again.');
  const last = await workflows.describe(newest);
  if (last.status !== 'RUNNING' && last.status !== 'SUCCEEDED')
    throw new ToFix(failedExecution('The last fleet run', last));
  const now = new Date(at);
  const isLate = (time: string) => isSelectionLate(time, deployment.checkInterval, now);
  if (lastSelection !== null && !isLate(lastSelection))
    return `a run checked the certificates ${duration(now.getTime() - Date.parse(lastSelection))} ago`;
  const running = await firstRunning(arns, workflows);
  if (running && !isLate(running.start)) return `runs since ${minuteOf(running.start)} UTC`;
  const since = lastSelection === null ? 'at all' : `for ${duration(now.getTime() - Date.parse(lastSelection))}`;
  throw new ToFix(
    `No fleet run has checked the certificates ${since}. ${running ? `The run that began at ${minuteOf(running.start)} UTC has not ended. See where it waits, and stop it: ${consoleLink(running.arn)}` : 'See that the schedule is enabled and its role may start the workflow.'}`,
  );
}

/** Returns the oldest execution that is running, or `undefined`. */
async function firstRunning(arns: readonly string[], workflows: Pick<Workflows, 'describe'>) {
  for (const arn of arns.toReversed()) {
    const execution = await workflows.describe(arn);
    if (execution.status === 'RUNNING') return execution;
  }
  return undefined;
}
