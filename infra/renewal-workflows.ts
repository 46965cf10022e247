import type { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { RenewalFunctions } from './renewal-functions.ts';
import { AccountWorkflow } from './workflows/accounts/account-workflow.ts';
import { FleetWorkflow } from './workflows/fleet-workflow.ts';
import { RenewalWorkflow } from './workflows/renewal/renewal-workflow.ts';
import { RestartRule } from './workflows/restart-rule.ts';

interface WorkflowsProps {
  /** Names of the state machines. */
  readonly names: { readonly renewal: string; readonly accounts: string; readonly fleet: string };
  /** Time between two fleet runs. */
  readonly interval: Duration;
  /** Renewals that a fleet run starts in a second. */
  readonly pace: number;
}

/** Creates the three workflows, the schedule of the fleet and the rule that restarts renewals, in the scope of the construct. */
export function makeWorkflows(
  scope: Construct,
  functions: RenewalFunctions,
  { names, interval, pace }: WorkflowsProps,
) {
  const renewal = new RenewalWorkflow(scope, 'RenewalWorkflow', { name: names.renewal, interval, ...functions })
    .workflow;
  const restartRule = new RestartRule(scope, 'RestartRule', { renewal: renewal.stateMachine });
  const {
    workflow: fleet,
    schedule,
    scheduleGroup,
  } = new FleetWorkflow(scope, 'FleetWorkflow', {
    name: names.fleet,
    fleet: functions.fleet,
    renewal: renewal.stateMachine,
    pace,
    interval,
  });
  const accounts = new AccountWorkflow(scope, 'AccountWorkflow', {
    name: names.accounts,
    ...functions,
    renewal: renewal.stateMachine,
    fleetWorkflow: fleet.stateMachine,
  }).workflow;
  return { renewal, fleet, accounts, restartRule, schedule, scheduleGroup };
}
