import { CustomResource, Duration } from 'aws-cdk-lib';
import type { CfnStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct, type IConstruct } from 'constructs';
import { executionArn } from './workflow.ts';
import { WorkflowFunction } from './workflow-function.ts';

export interface FleetStartProps {
  /** The fleet workflow. */
  readonly fleet: StateMachine;
  /** The accounts workflow. It registers with every issuer at once, so that external account bindings for a single use are used. */
  readonly accounts: StateMachine;
  /** A hash that changes if the deployment changes what the fleet does. Only a new value makes CloudFormation call the function. */
  readonly version: string;
  /** The operator's tags as JSON. Like a new version, other tags start the fleet. */
  readonly tags: string;
  /** Constructs that are deployed first. */
  readonly after: readonly IConstruct[];
}

/**
 * Registers the accounts and then starts the fleet at the end of a deployment, so that new certificates do not wait for the schedule. A
 * start that fails is logged and never fails the deployment, because the schedule also starts the fleet, and the first order at an issuer
 * registers an account.
 */
export class FleetStart extends Construct {
  readonly function: WorkflowFunction;
  /**
   * The CAA records that allow only the accounts of this stack to issue for a domain, one record on each line. If they are not known, a
   * sentence that says how to get them.
   */
  readonly caa: string;

  constructor(scope: Construct, id: string, { fleet, accounts, version, tags, after }: FleetStartProps) {
    super(scope, id);
    this.function = new WorkflowFunction(this, 'Deployment', {
      folder: 'deployment',
      description: 'Registers the accounts and then starts the fleet after a deployment',
      // Two starts, one after another, with 20 s of waits each + 30 s for the registration + 10 s for the reply = 80 s. Another 80 s allow for
      // two calls that hang (four attempts of 10 s each).
      timeout: Duration.seconds(160),
    });
    fleet.grantStartExecution(this.function);
    accounts.grantStartExecution(this.function);
    const { stateMachineName } = accounts.node.defaultChild as CfnStateMachine;
    const executions = executionArn(this, String(stateMachineName), 'deployment-*');
    this.function.allow(
      { actions: ['states:DescribeExecution'], resources: [executions] },
      'Executions of the accounts workflow that a deployment started. Their names begin with "deployment-".',
    );
    const start = new CustomResource(this, 'Start', {
      serviceToken: this.function.function.functionArn,
      // Without this limit CloudFormation waits an hour for a function that does not reply.
      serviceTimeout: Duration.minutes(5),
      resourceType: 'Custom::FleetStart',
      properties: {
        StateMachineArn: fleet.stateMachineArn,
        AccountsStateMachineArn: accounts.stateMachineArn,
        Version: version,
        Tags: tags,
      },
    });
    start.node.addDependency(...after, this.function);
    this.caa = start.getAttString('Caa');
  }
}
