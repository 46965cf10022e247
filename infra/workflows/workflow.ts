import { ArnFormat, type Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, type IChainable, LogLevel, QueryLanguage, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { logRetention, type WorkflowFunction } from './workflow-function.ts';

export interface WorkflowProps {
  /** Fixed, so that a function may be granted its executions without a circle of references. At most 80 characters. */
  readonly name: string;
  readonly comment: string;
  readonly start: IChainable;
  readonly timeout: Duration;
  /** Those that its states call. */
  readonly functions: readonly WorkflowFunction[];
}

/** The house state machine: Standard, JSONata, every transition logged and traced, and no data of an execution in the log. */
export class Workflow extends Construct {
  readonly stateMachine: StateMachine;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { name, comment, start, timeout, functions }: WorkflowProps) {
    super(scope, id);
    // This prefix keeps CloudWatch's resource policy short, which has room for 5,120 characters in a whole account and region.
    this.logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/vendedlogs/states/${name}`,
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: name,
      comment,
      definitionBody: DefinitionBody.fromChainable(start),
      queryLanguage: QueryLanguage.JSONATA,
      timeout,
      tracingEnabled: true,
      logs: { destination: this.logGroup, level: LogLevel.ALL, includeExecutionData: false },
    });
    const { role } = this.stateMachine;
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray segments and the delivery of vended logs know no resources.',
    });
    for (const { function: called } of functions) {
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::<${called.stack.getLogicalId(called.node.defaultChild as never)}.Arn>:*]`,
        reason: 'Versions and aliases of the one function that the state calls.',
      });
    }
  }
}

/** Of executions of the workflow with this name, by their own names. */
export function executionArn(scope: Construct, workflow: string, execution: string): string {
  return Stack.of(scope).formatArn({
    service: 'states',
    resource: 'execution',
    resourceName: `${workflow}:${execution}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
