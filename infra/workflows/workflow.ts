import { ArnFormat, type Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, type IChainable, LogLevel, QueryLanguage, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { logRetention } from './workflow-function.ts';

export interface WorkflowProps {
  /** Name of the state machine, at most 80 characters. It is given, so that a grant on its executions makes no circular reference. */
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
      reason: 'X-Ray segments and the delivery of vended logs support no resource other than *.',
    });
  }
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
