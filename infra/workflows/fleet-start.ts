import { CustomResource, Duration } from 'aws-cdk-lib';
import type { CfnStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct, type IConstruct } from 'constructs';
import { executionArn } from './workflow.ts';
import { WorkflowFunction } from './workflow-function.ts';

export interface FleetStartProps {
  readonly fleet: StateMachine;
  /** Registers the accounts of every issuer, so that what is given for one use only is used. */
  readonly accounts: StateMachine;
  /** Changes with every deployment that changes what the fleet would do. */
  readonly version: string;
  /** What has to be deployed before. */
  readonly after: readonly IConstruct[];
}

/**
 * Starts the fleet when all else is deployed, so that new certificates are not left waiting for the schedule, and registers the
 * accounts of new issuers. A start that does not succeed is logged and never fails the deployment: the schedule starts the fleet
 * too, and the first order at an issuer registers there.
 */
export class FleetStart extends Construct {
  readonly function: WorkflowFunction;
  /** The CAA records that lock a domain to our accounts, a line each; or where to find them. */
  readonly caa: string;

  constructor(scope: Construct, id: string, { fleet, accounts, version, after }: FleetStartProps) {
    super(scope, id);
    this.function = new WorkflowFunction(this, 'Deployment', {
      folder: 'deployment',
      description: 'Starts the fleet and the registration of accounts after a deployment',
      // 20 s of waits, four tries of 10 s each of a call that hangs, 30 s until the accounts are registered, and 10 s for the reply, with
      // 40 s to spare: another call that hangs. Both are started at once.
      timeout: Duration.seconds(140),
    });
    fleet.grantStartExecution(this.function);
    accounts.grantStartExecution(this.function);
    const { stateMachineName } = accounts.node.defaultChild as CfnStateMachine;
    const executions = executionArn(this, String(stateMachineName), 'deployment-*');
    this.function.allow(
      { actions: ['states:DescribeExecution'], resources: [executions] },
      'Registrations of accounts that deployments started: they are named after the deployment.',
    );
    const start = new CustomResource(this, 'Start', {
      serviceToken: this.function.function.functionArn,
      // CloudFormation would wait an hour for a function that cannot answer.
      serviceTimeout: Duration.minutes(5),
      resourceType: 'Custom::FleetStart',
      properties: {
        StateMachineArn: fleet.stateMachineArn,
        AccountsStateMachineArn: accounts.stateMachineArn,
        Version: version,
      },
    });
    start.node.addDependency(...after, this.function);
    this.caa = start.getAttString('Caa');
  }
}
