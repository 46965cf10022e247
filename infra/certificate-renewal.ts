import { Annotations, Aspects, Duration, Names, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { AlarmBase } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Rule } from 'aws-cdk-lib/aws-events';
import type { Grant, IGrantable, IRole } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { environment, tags } from '../lambdas/domain/contract/environment.ts';
import type { Deployment } from '../lambdas/domain/contract/report.ts';
import { type CheckedConfig, checkConfig, defaultSecretPrefix } from './config/check-config.ts';
import type { CertificateRenewalProps } from './config/construct-props.ts';
import { encryptionKey as keySchema } from './config/encryption-key.ts';
import { runtimeTagMistakes } from './config/runtime-tags.ts';
import { serializeConfig } from './config/serialize-config.ts';
import {
  CertificateReader,
  type CertificateReaderProps,
  type ICertificateReader,
  type RenewedRuleProps,
} from './consumers/certificate-reader.ts';
import { CertificateRequests, type CertificateRequestsProps } from './consumers/certificate-requests.ts';
import { grantExecutions, grantResources } from './function-grants.ts';
import type { AlarmId } from './monitoring/alarm-list.ts';
import { Alarms, type AlarmsProps } from './monitoring/alarms.ts';
import { type NotificationParts, Notifications } from './monitoring/notifications.ts';
import { RenewalMetrics } from './monitoring/renewal-metrics.ts';
import { SavedQueries } from './monitoring/saved-queries.ts';
import { makeFunctions, type RenewalFunctions } from './renewal-functions.ts';
import { encryptLogs, letReadersDecrypt } from './resources/encryption.ts';
import type { Ledger, LedgerProps } from './resources/ledger.ts';
import { RuntimeTags } from './resources/runtime-tags.ts';
import { secretArn } from './resources/secret-arn.ts';
import { outermostStack } from './resources/stack-tag.ts';
import { AccountWorkflow } from './workflows/accounts/account-workflow.ts';
import { ExecutionsStop } from './workflows/executions-stop.ts';
import { FleetStart } from './workflows/fleet-start.ts';
import { FleetWorkflow } from './workflows/fleet-workflow.ts';
import { ReadableAssets } from './workflows/readable-assets.ts';
import { RenewalWorkflow } from './workflows/renewal/renewal-workflow.ts';
import { RestartRule } from './workflows/restart-rule.ts';

/** What the alarms watch. The parts of the notifications are added to it. */
interface AlarmParts extends Pick<AlarmsProps, 'workflows' | 'functions' | 'scheduleGroups' | 'rules'> {
  readonly notifications: Notifications | undefined;
}

/** A workflow or a function of the workflows. */
export type WorkflowPart =
  | 'fleet'
  | 'renewal'
  | 'accounts'
  | 'fleetFunction'
  | 'check'
  | 'order'
  | 'challenge'
  | 'certificate'
  | 'delivery'
  | 'report'
  | 'notification';

/**
 * Keeps TLS certificates valid. It orders them from an ACME CA by DNS-01 through Route 53, stores them in Secrets Manager, imports them into
 * ACM, and renews them. Two of these constructs in one account and region need different values of `secretPrefix`.
 *
 * The construct adds no outputs to the stack. Its attributes name the workflows, their logs, the ledger table and the prefix of the secrets.
 *
 * @throws ConfigError with every mistake in the props at once
 *
 * @example
 * const certificates = new CertificateRenewal(this, 'Certificates', {
 *   issuer: letsEncrypt({ termsOfServiceAgreed: true }),
 *   hostedZones: [zone],
 *   certificates: [{ name: 'www', identifiers: ['example.com', '*.example.com'], acm: ['us-east-1'] }],
 * });
 */
export class CertificateRenewal extends RenewalMetrics implements ICertificateReader {
  /**
   * Returns the certificates that a `CertificateRenewal` of another stack or app renews, in the same account and region. Their names are
   * not known here, so any valid name is accepted.
   *
   * @throws ConfigError if a prop is invalid or unknown
   *
   * @example
   * const certificates = CertificateRenewal.fromPrefix(this, 'Certificates', { secretPrefix: 'certificates/' });
   * certificates.grantRead('www', webServer.role);
   */
  static fromPrefix(scope: Construct, id: string, props: CertificateReaderProps = {}): ICertificateReader {
    return new CertificateReader(scope, id, props);
  }

  /** The fleet workflow. It checks every certificate and starts the renewals that are due. A schedule and each deployment start it. */
  readonly fleet: StateMachine;
  /** The renewal workflow for one certificate. Its input is `{"certificate":"www"}`, and `"force":true` renews even if nothing is due. */
  readonly renewal: StateMachine;
  /**
   * The accounts workflow. Its input is `{"action":"register"}`, `{"action":"rollOverKey","issuer":"letsencrypt"}`,
   * `{"action":"deactivate","issuer":"letsencrypt"}`, `{"action":"accountLink","certificate":"www"}`,
   * `{"action":"pause","certificate":"www","until":"2027-01-31T00:00:00Z"}`, `{"action":"resume","certificate":"www"}`, or
   * `{"action":"revoke","certificate":"www","reason":"keyCompromise"}`.
   */
  readonly accounts: StateMachine;
  /** The role of the function that writes TXT records. A `ChallengeRole` in another account trusts it. */
  readonly challengeRole: IRole;
  /** Prefix of the names of the certificates' secrets. It ends in a slash. */
  readonly secretPrefix: string;
  /** The ledger table. Its items are `certificate#<name>` and others. Losing the table loses no certificate. */
  readonly ledgerTable: ITable;
  /** CAA records that allow only the accounts of this construct, set by each deployment. It is a token until then. */
  readonly caa: string;
  /** Names of the configured certificates, in the order of the props. */
  readonly certificateNames: readonly string[];
  /**
   * The function that the command line asks for the state of all certificates. Its role reads the ledger and no secret. Operators need
   * `lambda:InvokeFunction` of it.
   */
  readonly report: IFunction;
  /** The topic of `notifications` and what publishes to it. `undefined` without `notifications`. */
  readonly notifications: NotificationParts | undefined;
  /** Log groups of the workflows and of their functions. There is one for `notification` only with `notifications`. */
  readonly logGroups: Readonly<
    Record<Exclude<WorkflowPart, 'notification'>, ILogGroup> & Partial<Record<'notification', ILogGroup>>
  >;
  /**
   * The alarms by their keys in `monitoring.alarms`. An alarm that is switched off is `undefined`.
   *
   * @example
   * certificates.alarms.lifetimeRunsOut?.addAlarmAction(new SnsAction(pager));
   */
  readonly alarms: Readonly<Partial<Record<AlarmId, AlarmBase>>>;
  /**
   * Value of the tag `perennial:stack`, the name of the outermost stack. Only secrets and ACM imports with this value are used. What to do when
   * the stack is renamed is in docs/operations.md.
   */
  readonly ownershipTag: string;
  /** Value of the dimension `Deployment` of all metrics. The names of the workflows begin with it. */
  readonly deploymentName: string;
  protected readonly checkInterval: number;
  private readonly reader: CertificateReader;
  private readonly fleetStart: FleetStart;
  private readonly requestsProps: CertificateRequestsProps;
  private requests: CertificateRequests | undefined;

  constructor(scope: Construct, id: string, props: CertificateRenewalProps) {
    super(scope, id);
    const others = this.node.root.node
      .findAll()
      .filter((each): each is CertificateRenewal => each instanceof CertificateRenewal && each !== this);
    const config = checkConfig(props, { encryptionKey: keySchema, stack: { scope: this, others } });
    Aspects.of(this).add(new ReadableAssets());
    const { encryptionKey, removalPolicy = RemovalPolicy.RETAIN } = props;
    this.secretPrefix = config.secretPrefix;
    for (const { id, text } of config.warnings) Annotations.of(this).addWarningV2(id, text);
    this.ownershipTag = outermostStack(this).stackName;
    for (const [key, value] of Object.entries(config.tags)) Tags.of(this).add(key, value);
    const runtimeTags = new RuntimeTags(this, 'RuntimeTags');
    this.node.addValidation({ validate: () => runtimeTagMistakes(runtimeTags.values, config) });

    // With the longest suffix the name has 80 characters, which is the limit for a state machine.
    const name = Names.uniqueResourceName(this, { maxLength: 71, separator: '-', allowedSpecialCharacters: '-' });
    const renewalName = `${name}-renewal`;
    const accountsName = `${name}-accounts`;
    const fleetName = `${name}-fleet`;
    this.deploymentName = name;
    this.checkInterval = config.deployed.checkInterval;
    const functions = makeFunctions(this, config, name);
    this.challengeRole = functions.challenge.role;
    const ledger = grantResources(this, functions, config, {
      stackTag: this.ownershipTag,
      runtimeTags,
      encryptionKey,
      removalPolicy,
    });
    grantExecutions(this, functions.check, [renewalName, accountsName]);
    grantExecutions(this, functions.fleet, [renewalName, accountsName, fleetName]);
    const names = config.deployed.certificates.map((certificate) => certificate.name);
    this.reader = new CertificateReader(this, 'Reader', { secretPrefix: config.secretPrefix, encryptionKey }, names);

    const interval = Duration.seconds(config.deployed.checkInterval);
    const renewal = new RenewalWorkflow(this, 'RenewalWorkflow', { name: renewalName, interval, ...functions })
      .workflow;
    this.renewal = renewal.stateMachine;
    const restartRule = new RestartRule(this, 'RestartRule', { renewal: this.renewal });
    const {
      workflow: fleet,
      schedule,
      scheduleGroup,
    } = new FleetWorkflow(this, 'FleetWorkflow', {
      name: fleetName,
      fleet: functions.fleet,
      renewal: this.renewal,
      pace: config.pace,
      interval,
    });
    this.fleet = fleet.stateMachine;
    const accounts = new AccountWorkflow(this, 'AccountWorkflow', {
      name: accountsName,
      ...functions,
      renewal: this.renewal,
      fleetWorkflow: this.fleet,
    }).workflow;
    this.accounts = accounts.stateMachine;
    const notifications = this.makeNotifications(config, ledger, encryptionKey, [renewalName, accountsName, fleetName]);
    const stop = new ExecutionsStop(this, 'ExecutionsStop', {
      workflows: [this.fleet, this.accounts, this.renewal],
      needed: [fleet, accounts, renewal, ledger, ...Object.values(functions)],
      starters: [schedule, restartRule],
    });
    ledger.grantScan(stop.function);
    // Without the reader, because the targets of its rules may need a certificate of this deployment.
    const after = this.node.children.filter((each) => each !== this.reader);
    // The configuration is a file beside the code of this function.
    const version = functions.check.codeHash;
    this.requestsProps = { renewal: this.renewal, renewalName, ledger, version, config, encryptionKey, after };
    this.fleetStart = new FleetStart(this, 'FleetStart', {
      fleet: this.fleet,
      accounts: this.accounts,
      version,
      tags: runtimeTags.json,
      after,
    });
    this.alarms = this.makeAlarms(config, {
      workflows: { fleet, renewal, accounts },
      functions: [...Object.values(functions), this.fleetStart.function],
      scheduleGroups: [scheduleGroup],
      rules: [restartRule.rule],
      notifications,
    });
    if (encryptionKey) {
      encryptLogs(this, encryptionKey);
      const readers = config.deployed.certificates.flatMap((certificate) => certificate.readers ?? []);
      letReadersDecrypt(this, encryptionKey, { readers, secrets: secretArn(this, `${config.secretPrefix}*`) });
    }

    this.ledgerTable = ledger.table;
    this.caa = this.fleetStart.caa;
    this.certificateNames = names;
    this.report = functions.report.function;
    this.logGroups = {
      fleet: fleet.logGroup,
      renewal: renewal.logGroup,
      accounts: accounts.logGroup,
      fleetFunction: functions.fleet.logGroup,
      check: functions.check.logGroup,
      order: functions.order.logGroup,
      challenge: functions.challenge.logGroup,
      certificate: functions.certificate.logGroup,
      delivery: functions.delivery.logGroup,
      report: functions.report.logGroup,
      ...(notifications && { notification: notifications.workflowFunction.logGroup }),
    };
    this.notifications = notifications;
    if (config.monitoring)
      new SavedQueries(this, 'SavedQueries', {
        deploymentName: name,
        logGroups: Object.values(this.logGroups),
        certificate: names[0] as string,
      });
    this.describeDeployment(functions, config);
    // Tools find the parts of a deployment by these tags.
    const tagged = { includeResourceTypes: ['AWS::Lambda::Function', 'AWS::StepFunctions::StateMachine'] };
    Tags.of(this).add(tags.stack, this.ownershipTag, tagged);
    // A tag has at most 256 characters, and a prefix may have 401.
    Tags.of(this).add(tags.secrets, this.secretPrefix.slice(0, 256), tagged);
  }

  /**
   * Returns a certificate of ACM for a distribution, a load balancer or an API of the same app.
   *
   * The deployment starts the renewal and waits at most 30 minutes for the delivery, before it creates resources that use the certificate.
   * After a change of names or key type CloudFormation gets the new ARN. Deleting these resources deletes neither the secret nor the
   * certificate. CloudFront accepts only certificates in `us-east-1` from issuers that browsers trust, with a P-256 or RSA key. Synth fails
   * for other certificates.
   *
   * @param name name of a configured certificate
   * @param region a region in `acm` of the certificate
   * @throws ConfigError if the certificate is not configured, or is not delivered into this region
   *
   * @example
   * new Distribution(this, 'Site', {
   *   domainNames: ['example.com'],
   *   certificate: certificates.certificate('www', 'us-east-1'),
   *   defaultBehavior: { origin },
   * });
   */
  certificate(name: string, region: string): ICertificate {
    this.requests ??= new CertificateRequests(this, 'CertificateRequests', this.requestsProps);
    const request = this.requests.request(name, region);
    // The fleet starts later. IAM may not have propagated the new roles at the first renewal, and a deployment retries longer than the
    // fleet does.
    this.fleetStart.node.addDependency(request.resource);
    return request.certificate;
  }

  /** @see ICertificateReader.grantRead */
  grantRead(certificate: string, grantee: IGrantable): Grant {
    return this.reader.grantRead(certificate, grantee);
  }

  /** @see ICertificateReader.secret */
  secret(certificate: string): ISecret {
    return this.reader.secret(certificate);
  }

  /** @see ICertificateReader.onRenewed */
  onRenewed(id: string, props?: RenewedRuleProps): Rule {
    return this.reader.onRenewed(id, props);
  }

  /** Creates the notifications, if they are configured. Its function reads the configuration as the functions of the workflows do. */
  private makeNotifications(
    { deployed, tokens, notifications }: CheckedConfig,
    ledger: Ledger,
    encryptionKey: LedgerProps['encryptionKey'],
    workflows: readonly string[],
  ): Notifications | undefined {
    if (!notifications) return undefined;
    const made = new Notifications(this, 'Notifications', {
      ...notifications,
      ledger,
      encryptionKey,
      workflows,
      stackTag: this.ownershipTag,
      files: { 'config.json': serializeConfig(deployed).json },
    });
    made.workflowFunction.addEnvironment(environment.configTokens, Stack.of(this).toJsonString(tokens));
    return made;
  }

  /** Creates the alarms, unless monitoring is switched off. */
  private makeAlarms(
    { monitoring, deployed, secretPrefix }: CheckedConfig,
    { notifications, ...parts }: AlarmParts,
  ): CertificateRenewal['alarms'] {
    if (!monitoring) return {};
    const interval = Duration.seconds(deployed.checkInterval);
    // A name is unique in an account and region, and so is the prefix.
    const nameSuffix = secretPrefix === defaultSecretPrefix ? '' : ` (${this.deploymentName})`;
    const watched = notifications && {
      functions: [...parts.functions, notifications.workflowFunction],
      scheduleGroups: [...parts.scheduleGroups, notifications.scheduleGroup],
      rules: [...parts.rules, notifications.rule],
      deadLetters: [notifications.deadLetters],
      topic: notifications.topic,
    };
    const props = { ...monitoring, ...parts, metrics: this, interval, nameSuffix };
    return new Alarms(this, 'Alarms', { ...props, deadLetters: [], ...watched }).alarms;
  }

  /** Tells the function `report` what it answers to the command line about this deployment, and tags it, so that the command line finds it. */
  private describeDeployment(
    { report, challenge, certificate, delivery }: RenewalFunctions,
    { rootServers }: CheckedConfig,
  ): void {
    const { account, region } = Stack.of(this);
    // The function knows the rest from its bundle and its configuration.
    const deployment: Omit<Deployment, 'version' | 'checkInterval' | 'issuers' | 'hostedZones'> = {
      stack: this.ownershipTag,
      account,
      region,
      stateMachines: {
        fleet: this.fleet.stateMachineArn,
        renewal: this.renewal.stateMachineArn,
        accounts: this.accounts.stateMachineArn,
      },
      logGroups: Object.values(this.logGroups).map(({ logGroupName }) => logGroupName),
      secretPrefix: this.secretPrefix,
      rootServers,
      topic: this.notifications?.topic.topicArn ?? null,
      roles: {
        challenge: challenge.role.roleArn,
        certificate: certificate.role.roleArn,
        delivery: delivery.role.roleArn,
      },
    };
    report.addEnvironment(environment.deployment, Stack.of(this).toJsonString(deployment));
    Tags.of(report.function).add(tags.part, 'report');
  }
}
