import { Annotations, Aspects, Duration, Names, RemovalPolicy, Tags } from 'aws-cdk-lib';
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
import { checkConfig } from './config/check-config.ts';
import type { CertificateRenewalProps } from './config/construct-props.ts';
import { encryptionKey as keySchema } from './config/encryption-key.ts';
import { runtimeTagMistakes } from './config/runtime-tags.ts';
import {
  CertificateReader,
  type CertificateReaderProps,
  type ICertificateReader,
  type RenewedRuleProps,
} from './consumers/certificate-reader.ts';
import { CertificateRequests, type CertificateRequestsProps } from './consumers/certificate-requests.ts';
import { describeDeployment } from './deployment-description.ts';
import { grantExecutions, grantResources } from './function-grants.ts';
import type { AlarmId } from './monitoring/alarm-list.ts';
import type { NotificationParts } from './monitoring/notifications.ts';
import { RenewalMetrics } from './monitoring/renewal-metrics.ts';
import { SavedQueries } from './monitoring/saved-queries.ts';
import { makeFunctions } from './renewal-functions.ts';
import { makeAlarms, makeNotifications } from './renewal-monitoring.ts';
import { makeWorkflows } from './renewal-workflows.ts';
import { encryptLogs, letReadersDecrypt } from './resources/encryption.ts';
import { RuntimeTags } from './resources/runtime-tags.ts';
import { secretArn } from './resources/secret-arn.ts';
import { outermostStack } from './resources/stack-tag.ts';
import { ExecutionsStop } from './workflows/executions-stop.ts';
import { FleetStart } from './workflows/fleet-start.ts';
import { ReadableAssets } from './workflows/readable-assets.ts';

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
    const workflowNames = { renewal: `${name}-renewal`, accounts: `${name}-accounts`, fleet: `${name}-fleet` };
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
    grantExecutions(this, functions.check, [workflowNames.renewal, workflowNames.accounts]);
    grantExecutions(this, functions.fleet, Object.values(workflowNames));
    const names = config.deployed.certificates.map((certificate) => certificate.name);
    this.reader = new CertificateReader(this, 'Reader', { secretPrefix: config.secretPrefix, encryptionKey }, names);

    const workflows = makeWorkflows(this, functions, {
      names: workflowNames,
      interval: Duration.seconds(config.deployed.checkInterval),
      pace: config.pace,
    });
    const { renewal, fleet, accounts, restartRule } = workflows;
    this.renewal = renewal.stateMachine;
    this.fleet = fleet.stateMachine;
    this.accounts = accounts.stateMachine;
    const notifications = makeNotifications(this, config, {
      ledger,
      encryptionKey,
      workflows: Object.values(workflowNames),
      stackTag: this.ownershipTag,
    });
    const stop = new ExecutionsStop(this, 'ExecutionsStop', {
      workflows: [this.fleet, this.accounts, this.renewal],
      needed: [fleet, accounts, renewal, ledger, ...Object.values(functions)],
      starters: [workflows.schedule, restartRule],
    });
    ledger.grantScan(stop.function);
    // Without the reader, because the targets of its rules may need a certificate of this deployment.
    const after = this.node.children.filter((each) => each !== this.reader);
    // The configuration is a file beside the code of this function.
    const version = functions.check.codeHash;
    this.requestsProps = {
      renewal: this.renewal,
      renewalName: workflowNames.renewal,
      ledger,
      version,
      config,
      encryptionKey,
      after,
    };
    this.fleetStart = new FleetStart(this, 'FleetStart', {
      fleet: this.fleet,
      accounts: this.accounts,
      version,
      tags: runtimeTags.json,
      after,
    });
    this.alarms = makeAlarms(this, config, {
      workflows: { fleet, renewal, accounts },
      functions: [...Object.values(functions), this.fleetStart.function],
      scheduleGroups: [workflows.scheduleGroup],
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
    describeDeployment(this, functions, config.rootServers);
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
}
