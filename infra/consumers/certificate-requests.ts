import { type CfnElement, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { ApplicationLogLevel } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct, type IConstruct } from 'constructs';
import type { CheckedConfig } from '../config/check-config.ts';
import { encryptLogGroups } from '../resources/encryption.ts';
import type { Ledger } from '../resources/ledger.ts';
import { executionArn } from '../workflows/workflow.ts';
import { logRetention, WorkflowFunction } from '../workflows/workflow-function.ts';
import { CertificateRequest, checkedRequest } from './delivered-certificate.ts';

export interface CertificateRequestsProps {
  readonly renewal: StateMachine;
  /** Its name as text. */
  readonly renewalName: string;
  readonly ledger: Ledger;
  /** Changes with the configuration of any certificate, and with our code. */
  readonly version: string;
  readonly config: CheckedConfig;
  readonly encryptionKey: IKey | undefined;
  /** What has to be deployed before a renewal can run. */
  readonly after: readonly IConstruct[];
}

/**
 * Certificates that other resources of the same deployment need: a custom resource for each and its region starts the renewal and waits
 * until ACM has it. What is asked for once stays: deleting the resource deletes neither secret nor certificate.
 */
export class CertificateRequests extends Construct {
  private readonly props: CertificateRequestsProps;
  private readonly provider: Provider;
  private readonly before: readonly IConstruct[];
  private readonly requests = new Map<string, CertificateRequest>();

  constructor(scope: Construct, id: string, props: CertificateRequestsProps) {
    super(scope, id);
    this.props = props;
    const functions = [this.starts(), this.waits()] as const;
    this.provider = this.makeProvider(...functions);
    this.before = [...props.after, ...functions, this.provider];
    if (props.encryptionKey) encryptLogGroups(this, props.encryptionKey);
  }

  /** @throws ConfigError when no such certificate is configured, or not for this region */
  request(certificate: string, region: string): CertificateRequest {
    const { config, renewal, version } = this.props;
    const asked = checkedRequest(certificate, region, config);
    const id = `${certificate}-${region}`;
    const made = this.requests.get(id);
    if (made) return made;
    const request = new CertificateRequest(this, id, { ...asked, version, renewal, provider: this.provider });
    request.resource.node.addDependency(...this.before);
    this.requests.set(id, request);
    return request;
  }

  private starts(): WorkflowFunction {
    const starts = new WorkflowFunction(this, 'OnEvent', {
      folder: 'deployment',
      handler: 'onEvent',
      description: 'Starts the renewal of a certificate that the deployment needs',
      // Three calls: four tries of 10 s each of one that hangs, 7 s between them, and for one that is throttled before 7 + 5 + 7 + 15 s:
      // 3 x 47 + 34 are 175.
      timeout: Duration.seconds(180),
    });
    this.props.renewal.grantStartExecution(starts);
    this.props.ledger.grantRead(starts);
    starts.allow({ actions: ['cloudformation:DescribeStacks'], resources: [Stack.of(this).stackId] });
    return starts;
  }

  private waits(): WorkflowFunction {
    const { renewalName, ledger } = this.props;
    const waits = new WorkflowFunction(this, 'IsComplete', {
      folder: 'deployment',
      handler: 'isComplete',
      description: 'Whether a certificate that the deployment needs is delivered',
      // Two calls: four tries of 10 s each of one that hangs, and 7 s between them.
      timeout: Duration.seconds(100),
    });
    waits.allow(
      { actions: ['states:DescribeExecution'], resources: [executionArn(this, renewalName, '*')] },
      "Executions of the one renewal workflow, whose names come with CloudFormation's requests.",
    );
    ledger.grantRead(waits);
    return waits;
  }

  private makeProvider(starts: WorkflowFunction, waits: WorkflowFunction): Provider {
    const logGroup = new LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    const provider = new Provider(this, 'Provider', {
      onEventHandler: starts.function,
      isCompleteHandler: waits.function,
      // A renewal takes a minute as a rule, most of it waiting for Route 53.
      queryInterval: Duration.seconds(5),
      // 25 minutes for one that is met at work, and five to spare.
      totalTimeout: Duration.minutes(30),
      logGroup,
      // It writes down every event and reply, in many lines each, and `cdk deploy` shows the last of them under a failure.
      frameworkLambdaLoggingLevel: ApplicationLogLevel.WARN,
    });
    acknowledge(provider, [starts, waits]);
    return provider;
  }
}

/** What cdk-nag finds in CDK's Provider framework: its functions and the state machine that asks again and again are as CDK makes them. */
function acknowledge(provider: Provider, called: readonly WorkflowFunction[]): void {
  const framework = ['framework-isComplete', 'framework-onTimeout'].map((id) => provider.node.findChild(id));
  const functions = [...called.map((each) => each.function), ...framework];
  const idle = 'It works while a deployment that needs a certificate is under way, and our own functions behind it';
  Validations.of(provider).acknowledge(
    {
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason: 'The role of a function of CDK, which may write logs by it.',
    },
    ...functions.map(({ node }) => ({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(provider).getLogicalId(node.defaultChild as CfnElement)}.Arn>:*]`,
      reason: 'Versions and aliases of the one function that is called.',
    })),
    ...['AwsSolutions-SF1', 'AwsSolutions-SF2', 'Serverless-StepFunctionStateMachineXray'].map((id) => ({
      id,
      reason: `${idle} log each look. Its history stands in Step Functions for 90 days.`,
    })),
    { id: 'Serverless-LambdaTracing', reason: `${idle} are traced.` },
    { id: 'Serverless-LambdaDefaultMemorySize', reason: `${idle} do what there is to do: it passes events on.` },
    { id: 'Serverless-LambdaDLQ', reason: 'CloudFormation waits for the reply, and fails the deployment without one.' },
  );
}
