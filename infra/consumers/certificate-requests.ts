import { type CfnElement, Duration, Names, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import { CfnRole, Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { ApplicationLogLevel } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnStateMachine, type StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct, type IConstruct } from 'constructs';
import type { CheckedConfig } from '../config/check-config.ts';
import { encryptLogGroups } from '../resources/encryption.ts';
import type { Ledger } from '../resources/ledger.ts';
import { executionArn, stepFunctionsFor } from '../workflows/workflow.ts';
import { lambdaOfAccount, logRetention, WorkflowFunction } from '../workflows/workflow-function.ts';
import { CertificateRequest, checkedRequest } from './delivered-certificate.ts';

export interface CertificateRequestsProps {
  readonly renewal: StateMachine;
  /** Name of the state machine as literal text. */
  readonly renewalName: string;
  readonly ledger: Ledger;
  /** Changes with the configuration of any certificate, and with the code of the functions. */
  readonly version: string;
  readonly config: CheckedConfig;
  readonly encryptionKey: IKey | undefined;
  /** Constructs that have to be deployed before a renewal can run. */
  readonly after: readonly IConstruct[];
}

/**
 * Certificates that other resources of the same deployment need. A custom resource for each certificate and region starts the renewal and
 * waits until the certificate is in ACM. Deleting the custom resource deletes neither the secret nor the certificate.
 */
export class CertificateRequests extends Construct {
  private readonly props: CertificateRequestsProps;
  private readonly provider: Provider;
  private readonly before: readonly IConstruct[];
  private readonly requests = new Map<string, CertificateRequest>();

  constructor(scope: Construct, id: string, props: CertificateRequestsProps) {
    super(scope, id);
    this.props = props;
    this.provider = this.makeProvider(this.makeOnEvent(), this.makeIsComplete());
    this.before = [...props.after, ...this.node.children];
    if (props.encryptionKey) encryptLogGroups(this, props.encryptionKey);
  }

  /** @throws ConfigError if no certificate of this name is configured, or if it is not delivered into this region */
  request(certificate: string, region: string): CertificateRequest {
    const { config, renewal, version } = this.props;
    const requested = checkedRequest(certificate, region, config);
    const id = `${certificate}-${Token.isUnresolved(region) ? 'region-of-stack' : region}`;
    const made = this.requests.get(id);
    if (made) return made;
    const request = new CertificateRequest(this, id, { ...requested, version, renewal, provider: this.provider });
    request.resource.node.addDependency(...this.before);
    this.requests.set(id, request);
    return request;
  }

  private makeOnEvent(): WorkflowFunction {
    const onEvent = new WorkflowFunction(this, 'OnEvent', {
      folder: 'deployment',
      handler: 'onEvent',
      description: 'Starts the renewal of a certificate that the deployment needs',
      // Three calls. A call that gets no reply takes four attempts of 10 s and 7 s between them, 47 s. A call that is throttled first takes
      // 7 + 5 + 7 + 15 s more, 34 s. Together 3 x 47 + 34 = 175 s.
      timeout: Duration.seconds(180),
    });
    this.props.renewal.grantStartExecution(onEvent);
    this.props.ledger.grantRead(onEvent);
    onEvent.allow({ actions: ['cloudformation:DescribeStacks'], resources: [Stack.of(this).stackId] });
    return onEvent;
  }

  private makeIsComplete(): WorkflowFunction {
    const { renewalName, ledger } = this.props;
    const isComplete = new WorkflowFunction(this, 'IsComplete', {
      folder: 'deployment',
      handler: 'isComplete',
      description: 'Checks whether a certificate that the deployment needs is delivered',
      // Two calls. A call that gets no reply takes four attempts of 10 s and 7 s between them.
      timeout: Duration.seconds(100),
    });
    isComplete.allow(
      { actions: ['states:DescribeExecution'], resources: [executionArn(this, renewalName, '*')] },
      'Executions of the renewal workflow only. Their names come with the requests of CloudFormation.',
    );
    ledger.grantRead(isComplete);
    return isComplete;
  }

  private makeProvider(onEvent: WorkflowFunction, isComplete: WorkflowFunction): Provider {
    const logGroup = new LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    const provider = new Provider(this, 'Provider', {
      onEventHandler: onEvent.function,
      isCompleteHandler: isComplete.function,
      // A renewal usually takes a minute, most of which is the wait for Route 53.
      queryInterval: Duration.seconds(5),
      // 25 minutes for a renewal that is already running, plus five.
      totalTimeout: Duration.minutes(30),
      logGroup,
      frameworkOnEventRole: this.makeProviderRole('ProviderOnEventRole', logGroup),
      frameworkCompleteAndTimeoutRole: this.makeProviderRole('ProviderIsCompleteRole', logGroup),
      // The default level logs every event and reply in many lines, and `cdk deploy` shows the last lines after a failure.
      frameworkLambdaLoggingLevel: ApplicationLogLevel.WARN,
    });
    trustOwnStateMachine(provider);
    acknowledge(provider);
    return provider;
  }

  /** Creates the role of functions of the Provider framework. The roles that the CDK makes may write to all log groups of the account. */
  private makeProviderRole(id: string, logGroup: LogGroup): Role {
    const role = new Role(this, id, { assumedBy: lambdaOfAccount(this) });
    logGroup.grantWrite(role);
    return role;
  }
}

/**
 * Lets Step Functions assume the role of the Provider framework's state machine for this state machine only. The CDK makes the role without a
 * condition, and the state machine without a name that the role could have.
 */
function trustOwnStateMachine(provider: Provider): void {
  const name = Names.uniqueResourceName(provider, { maxLength: 80, separator: '-', allowedSpecialCharacters: '-' });
  const { conditions } = stepFunctionsFor(provider, name).policyFragment;
  for (const each of provider.node.findAll()) {
    if (each instanceof CfnStateMachine) each.stateMachineName = name;
    if (each instanceof CfnRole) each.addPropertyOverride('AssumeRolePolicyDocument.Statement.0.Condition', conditions);
  }
}

/** Acknowledges the findings of cdk-nag in the Provider framework of the CDK, which creates these functions and their state machine. */
function acknowledge(provider: Provider): void {
  const framework = ['framework-isComplete', 'framework-onTimeout'].map((id) => provider.node.findChild(id));
  const provided = 'It runs only during a deployment that needs a certificate, and the functions that it calls';
  Validations.of(provider).acknowledge(
    ...framework.map(({ node }) => ({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(provider).getLogicalId(node.defaultChild as CfnElement)}.Arn>:*]`,
      reason: 'Versions and aliases of the function that is called.',
    })),
    ...['AwsSolutions-SF1', 'AwsSolutions-SF2', 'Serverless-StepFunctionStateMachineXray'].map((id) => ({
      id,
      reason: `${provided} log each check. Step Functions keeps its history for 90 days.`,
    })),
    { id: 'Serverless-LambdaTracing', reason: `${provided} are traced.` },
    { id: 'Serverless-LambdaDefaultMemorySize', reason: `${provided} do the work. It only passes events on.` },
    { id: 'Serverless-LambdaDLQ', reason: 'CloudFormation waits for the reply, and fails the deployment without one.' },
  );
}
