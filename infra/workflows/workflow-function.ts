import { rmSync } from 'node:fs';
import { Duration, PhysicalName, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import {
  type IGrantable,
  type IPrincipal,
  type IRole,
  PolicyStatement,
  type PolicyStatementProps,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { type RetryProps, TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { stepFormat } from '../../lambdas/domain/contract/steps.ts';
import { assembleFunction } from './function-assembly.ts';
import { commonRetries } from './retry-policies.ts';

/** Retention of all logs. Step Functions keeps the history of an execution equally long. */
export const logRetention = RetentionDays.THREE_MONTHS;

export interface WorkflowFunctionProps {
  /** Folder of `lambdas/` whose `handler.ts` the function runs. */
  readonly folder: string;
  /**
   * Name of the export of `handler.ts` that Lambda calls.
   *
   * @default 'handler'
   */
  readonly handler?: string;
  /** Description that the console shows. */
  readonly description: string;
  readonly timeout: Duration;
  /**
   * Memory in MB. Lambda assigns CPU by it.
   *
   * @default 512, because a cold start parses the bundle and opens TLS connections, which are limited by the CPU
   */
  readonly memory?: number;
  /** Contents of the files beside the bundle, by file name. */
  readonly files?: Readonly<Record<string, string>>;
  /**
   * Characters of the longest ARN in the policies of the role. CDK estimates with it where to split policies that exceed the limits of IAM.
   *
   * @default 150, the estimate of CDK
   */
  readonly arnSize?: number;
}

export interface StepOptions {
  /** Input of the step (`domain/contract/steps.ts`), without the fields of `Run`, which every event has. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Name of the step in camel case. Two states that run the same step have different names. @default the name of the state */
  readonly step?: string;
  /** Certificate, attempt and order for which the step runs. @default the variables of these names of the renewal workflow */
  readonly run?: Readonly<Record<string, unknown>>;
  /** Retry policies besides those of every step. If two policies have the same error name, the one given here applies. */
  readonly retry?: readonly RetryProps[];
  /** Output of the state. @default the result of the step */
  readonly outputs?: string;
  /** Variables to set from the result. */
  readonly assign?: Readonly<Record<string, unknown>>;
}

/**
 * Returns Lambda as the principal that assumes roles of functions of this account, without aws:SourceArn, because a function needs the ARN of its
 * role.
 */
export const lambdaOfAccount = (scope: Construct): ServicePrincipal =>
  new ServicePrincipal('lambda.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
  });

/** A Lambda function without versions and aliases. A grant on it does not name any, as the grants of the CDK do by `<ARN>:*`. */
class UnqualifiedFunction extends LambdaFunction {
  override get resourceArnsForGrantInvoke(): string[] {
    return [this.functionArn];
  }
}

/** A Lambda function with a bundle and a role of its own. Besides logs and traces, the role allows only what resources grant to it. */
export class WorkflowFunction extends Construct implements IGrantable {
  readonly function: LambdaFunction;
  readonly role: IRole;
  readonly grantPrincipal: IPrincipal;
  readonly logGroup: LogGroup;
  /** Hash of the bundle and the files beside it. */
  readonly codeHash: string;
  readonly timeout: Duration;
  /** In MB. */
  readonly memory: number;

  constructor(
    scope: Construct,
    id: string,
    {
      folder,
      handler = 'handler',
      description,
      timeout,
      memory = 512,
      files = {},
      arnSize = 150,
    }: WorkflowFunctionProps,
  ) {
    super(scope, id);
    this.node.setContext('@aws-cdk/aws-iam.arnSizeEstimate', arnSize);
    this.timeout = timeout;
    this.memory = memory;
    this.logGroup = new LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    const role = new Role(this, 'Role', {
      assumedBy: lambdaOfAccount(this),
      roleName: PhysicalName.GENERATE_IF_NEEDED, // a stack of another account may trust the role
    });
    this.role = role;
    this.grantPrincipal = role.grantPrincipal;
    this.logGroup.grantWrite(role);
    const { path: code, hash } = assembleFunction(this, folder, files);
    this.codeHash = hash;
    this.function = new UnqualifiedFunction(this, 'Function', {
      description,
      role,
      timeout,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: memory,
      handler: `index.${handler}`,
      code: Code.fromAsset(code),
      logGroup: this.logGroup,
      // The line with the memory of a call is then JSON too, so that a metric filter can compare it.
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      environment: { POWERTOOLS_SERVICE_NAME: folder, POWERTOOLS_METRICS_NAMESPACE: 'Perennial' },
    });
    // CDK has copied the folder into an asset, unless staging is disabled (`cdk --no-staging`). The asset is then the folder itself.
    const { assetPath } = this.function.node.findChild('Code') as Asset;
    if (assetPath !== code) rmSync(code, { recursive: true });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'xray:PutTraceSegments and xray:PutTelemetryRecords support no resource other than *.',
    });
    Validations.of(this.function).acknowledge({
      id: 'Serverless-LambdaDLQ',
      reason:
        'Step Functions, CloudFormation, the command line or a queue calls the function and waits for the reply, so no event is lost.',
    });
  }

  /**
   * Allows actions on resources. `wildcards` is the reason why the resources have wildcards. It acknowledges the finding that cdk-nag has for
   * each of them.
   */
  allow({ resources = [], ...statement }: PolicyStatementProps, wildcards?: string): void {
    this.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ ...statement, resources }));
    if (wildcards === undefined) return;
    for (const resource of resources) {
      const id = `AwsSolutions-IAM5[Resource::${readable(Stack.of(this).resolve(resource))}]`;
      Validations.of(this).acknowledge({ id, reason: wildcards });
    }
  }

  /** Sets an environment variable of the function. */
  addEnvironment(name: string, value: string): void {
    this.function.addEnvironment(name, value);
  }

  /** Returns a state that runs a step of the function. For example, the state *Check zones* runs the step `checkZones`. */
  step(
    scope: Construct,
    name: string,
    {
      payload,
      step = camelCase(name),
      run = renewalRun,
      retry = [],
      outputs = '{% $states.result.Payload %}',
      assign,
    }: StepOptions,
  ): LambdaInvoke {
    const state = LambdaInvoke.jsonata(scope, name, {
      lambdaFunction: this.function,
      payload: TaskInput.fromObject({
        format: stepFormat,
        step,
        run: { ...run, execution: '{% $states.context.Execution.Id %}' },
        input: payload,
      }),
      outputs,
      ...(assign && { assign }),
      retryOnServiceExceptions: false,
      // The timeout of the function expires first, because its error names the function.
      taskTimeout: Timeout.duration(this.timeout.plus(Duration.seconds(5))),
    });
    for (const policy of [...retry, ...commonRetries]) state.addRetry(policy);
    return state;
  }
}

const renewalRun = {
  certificate: '{% $certificate %}',
  attempt: '{% $attempt %}',
  order: '{% $exists($order.url) ? $order.url : null %}',
};

function camelCase(words: string): string {
  return words.toLowerCase().replace(/ (.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Returns a resource as cdk-nag writes it, for example `arn:<AWS::Partition>:acm:...`. */
function readable(resource: string | { readonly 'Fn::Join': readonly [string, readonly (string | object)[]] }): string {
  if (typeof resource === 'string') return resource;
  const parts = resource['Fn::Join'][1];
  return parts.map((part) => (typeof part === 'string' ? part : `<${Object.values(part)}>`)).join('');
}
