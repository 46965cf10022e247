import { ArnFormat, type Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, type IChainable, LogLevel, QueryLanguage, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { logRetention } from './workflow-function.ts';

export interface WorkflowProps {
  /** Name of the state machine as literal text, at most 80 characters. So its role and grants on its executions make no circular reference. */
  readonly name: string;
  readonly comment: string;
  readonly start: IChainable;
  readonly timeout: Duration;
}

/** A Standard workflow with JSONata. Every transition is logged and traced. The log has no data of the execution. */
export class Workflow extends Construct {
  readonly stateMachine: StateMachine;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { name, comment, start, timeout }: WorkflowProps) {
    super(scope, id);
    // This prefix keeps the resource policy of CloudWatch Logs short. It may have 5,120 characters in an AWS account and region.
    this.logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/vendedlogs/states/${name}`,
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'StateMachineRole', { assumedBy: stepFunctionsFor(this, name) });
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      role,
      stateMachineName: name,
      comment,
      definitionBody: DefinitionBody.fromChainable(start),
      queryLanguage: QueryLanguage.JSONATA,
      timeout,
      tracingEnabled: true,
      logs: { destination: this.logGroup, level: LogLevel.ALL, includeExecutionData: false },
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray segments and the delivery of vended logs support no resource other than *.',
    });
  }
}

/** Returns Step Functions as the principal that assumes the role of one state machine. The CDK would let every state machine of the account use it. */
export function stepFunctionsFor(scope: Construct, stateMachineName: string): ServicePrincipal {
  const stack = Stack.of(scope);
  const stateMachine = stack.formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: stateMachineName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return new ServicePrincipal('states.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': stateMachine } },
  });
}

/** Returns the ARN of executions. `workflow` and `execution` are names, and may have wildcards. */
export function executionArn(scope: Construct, workflow: string, execution: string): string {
  return Stack.of(scope).formatArn({
    service: 'states',
    resource: 'execution',
    resourceName: `${workflow}:${execution}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
