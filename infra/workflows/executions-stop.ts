import { CustomResource, Duration } from 'aws-cdk-lib';
import type { CfnStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct, type IConstruct } from 'constructs';
import { executionArn } from './workflow.ts';
import { WorkflowFunction } from './workflow-function.ts';

export interface ExecutionsStopProps {
  /** The workflows, in the order in which their executions are stopped. The last one is the renewal workflow. */
  readonly workflows: readonly [...StateMachine[], StateMachine];
  /** Constructs that executions need until they have ended. They are deleted after this one. */
  readonly needed: readonly IConstruct[];
  /** Constructs that start executions. They are deleted before this one. */
  readonly starters: readonly IConstruct[];
}

/**
 * Stops all executions when the stack is deleted, and removes the TXT values that they have left. AWS deletes a state machine only when its
 * executions have ended, so `cdk destroy` would wait as long as a renewal waits, which can be days.
 */
export class ExecutionsStop extends Construct {
  readonly function: WorkflowFunction;

  constructor(scope: Construct, id: string, { workflows, needed, starters }: ExecutionsStopProps) {
    super(scope, id);
    this.function = new WorkflowFunction(this, 'Stop', {
      folder: 'deployment',
      handler: 'onDelete',
      description: 'Stops all executions before the stack is deleted',
      // The function stops after 10 minutes. Another 2 minutes allow for calls that hang.
      timeout: Duration.minutes(12),
    });
    for (const workflow of workflows) workflow.grant(this.function, 'states:ListExecutions');
    const executions = workflows.map((workflow) => executionArn(this, nameOf(workflow), '*'));
    this.function.allow(
      { actions: ['states:StopExecution'], resources: executions },
      'Executions of the three workflows of this stack only.',
    );
    workflows.at(-1)?.grantStartExecution(this.function);
    const stop = new CustomResource(this, 'Resource', {
      serviceToken: this.function.function.functionArn,
      // Without this limit CloudFormation waits an hour for a function that does not reply.
      serviceTimeout: Duration.minutes(15),
      resourceType: 'Custom::StopExecutions',
      properties: { StateMachineArns: workflows.map(({ stateMachineArn }) => stateMachineArn) },
    });
    stop.node.addDependency(...needed, this.function);
    for (const starter of starters) starter.node.addDependency(stop);
  }
}

const nameOf = (workflow: StateMachine): string =>
  String((workflow.node.defaultChild as CfnStateMachine).stateMachineName);
