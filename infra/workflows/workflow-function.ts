import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Duration, FileSystem, PhysicalName, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import {
  type IGrantable,
  type IPrincipal,
  type IRole,
  PolicyStatement,
  type PolicyStatementProps,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { type RetryProps, TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { always } from './retry-policies.ts';

/** As long as Step Functions keeps the history of an execution. */
export const logRetention = RetentionDays.THREE_MONTHS;

export interface WorkflowFunctionProps {
  /** Folder of `lambdas/` whose `handler.ts` this is. */
  readonly folder: string;
  /**
   * The export of that file which is called.
   *
   * @default 'handler'
   */
  readonly handler?: string;
  /** In words, for the console. */
  readonly description: string;
  readonly timeout: Duration;
  /** Files beside the bundle, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /**
   * Characters of the longest ARN in its policies. CDK splits a role's policies by it where they grow beyond IAM's limits.
   *
   * @default 150, CDK's own guess
   */
  readonly arnSize?: number;
}

export interface StepOptions {
  /** The step's input in `domain/contract/steps.ts`, without the fields of `Run`, which every event carries. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** camelCase. @default the state's name; given where a state's name has a word more than the step */
  readonly step?: string;
  /** Who is running. @default the variables `certificate`, `attempt` and `order` of the renewal workflow */
  readonly run?: Readonly<Record<string, unknown>>;
  /** Retried in place besides what always is. Of two policies with one name the one given here counts. */
  readonly retry?: readonly RetryProps[];
  /** Variables set from the result. */
  readonly assign?: Readonly<Record<string, unknown>>;
}

/** A Lambda function of the project: one bundle and one role, which can do nothing until a resource grants it something. */
export class WorkflowFunction extends Construct implements IGrantable {
  readonly function: LambdaFunction;
  readonly role: IRole;
  readonly grantPrincipal: IPrincipal;
  readonly logGroup: LogGroup;
  /** Of the bundle and the files beside it. */
  readonly codeHash: string;
  private readonly timeout: Duration;

  constructor(
    scope: Construct,
    id: string,
    { folder, handler = 'handler', description, timeout, files = {}, arnSize = 150 }: WorkflowFunctionProps,
  ) {
    super(scope, id);
    this.node.setContext('@aws-cdk/aws-iam.arnSizeEstimate', arnSize);
    this.timeout = timeout;
    this.logGroup = new LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      roleName: PhysicalName.GENERATE_IF_NEEDED, // where a stack of another account trusts it
    });
    this.role = role;
    this.grantPrincipal = role.grantPrincipal;
    this.logGroup.grantWrite(role);
    const code = assemble(folder, files);
    this.codeHash = FileSystem.fingerprint(code);
    this.function = new LambdaFunction(this, 'Function', {
      description,
      role,
      timeout,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      // A cold start is parsing a bundle and making TLS connections, both bound by the CPU share that comes with memory.
      memorySize: 512,
      handler: `index.${handler}`,
      code: Code.fromAsset(code),
      logGroup: this.logGroup,
      tracing: Tracing.ACTIVE,
      environment: { POWERTOOLS_SERVICE_NAME: folder, POWERTOOLS_METRICS_NAMESPACE: 'Perennial' },
    });
    // The function has copied it into the cloud assembly.
    rmSync(code, { recursive: true });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray takes segments without a resource: xray:PutTraceSegments and PutTelemetryRecords know only *.',
    });
    Validations.of(this.function).acknowledge({
      id: 'Serverless-LambdaDLQ',
      reason:
        'Step Functions or CloudFormation calls it and waits for the reply, so no event is ever left over to queue.',
    });
  }

  /**
   * A permission. `wildcards` says why its resources may be many; the finding that cdk-nag makes of each is acknowledged with it.
   */
  allow({ resources = [], ...statement }: PolicyStatementProps, wildcards?: string): void {
    this.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ ...statement, resources }));
    if (wildcards === undefined) return;
    for (const resource of resources) {
      const id = `AwsSolutions-IAM5[Resource::${readable(Stack.of(this).resolve(resource))}]`;
      Validations.of(this).acknowledge({ id, reason: wildcards });
    }
  }

  addEnvironment(name: string, value: string): void {
    this.function.addEnvironment(name, value);
  }

  /** The state that runs the step of its name: *Check zones* sends `checkZones`. */
  step(
    scope: Construct,
    name: string,
    { payload, step = camelCase(name), run = renewalRun, retry = [], assign }: StepOptions,
  ): LambdaInvoke {
    const state = LambdaInvoke.jsonata(scope, name, {
      lambdaFunction: this.function,
      payload: TaskInput.fromObject({
        step,
        run: { ...run, execution: '{% $states.context.Execution.Id %}' },
        input: payload,
      }),
      outputs: '{% $states.result.Payload %}',
      ...(assign && { assign }),
      retryOnServiceExceptions: false,
      // So that the function's own limit is met first: its error says which function it was.
      taskTimeout: Timeout.duration(this.timeout.plus(Duration.seconds(5))),
    });
    for (const policy of [...retry, ...always]) state.addRetry(policy);
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

/** As cdk-nag writes a resource: `arn:<AWS::Partition>:acm:...`. */
function readable(resource: string | { readonly 'Fn::Join': readonly [string, readonly (string | object)[]] }): string {
  if (typeof resource === 'string') return resource;
  const parts = resource['Fn::Join'][1];
  return parts.map((part) => (typeof part === 'string' ? part : `<${Object.values(part)}>`)).join('');
}

/** A folder with the bundle and the files beside it: one asset, so that they are deployed and rolled back together. */
function assemble(name: string, files: Readonly<Record<string, string>>): string {
  // `imports` of package.json: what `npm run build` makes of the folders of `lambdas/`, one bundle each, SDK included.
  const bundle = fileURLToPath(import.meta.resolve(`#functions/${name}`));
  if (!existsSync(join(bundle, 'index.mjs')))
    throw new Error(`The function ${name} is not built (no index.mjs in ${bundle}): run "npm run build".`);
  const folder = mkdtempSync(join(tmpdir(), `perennial-${name}-`));
  cpSync(bundle, folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}
