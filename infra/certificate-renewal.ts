import { Annotations, CfnOutput, Duration, Names, Stack } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { Rule } from 'aws-cdk-lib/aws-events';
import type { Grant, IGrantable, IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { environment } from '../lambdas/domain/contract/environment.ts';
import { batchCount } from '../lambdas/domain/rules/certificate/certificate-spec.ts';
import { type CheckedConfig, checkConfig } from './config/check-config.ts';
import { encryptionKey as keySchema } from './config/encryption-key.ts';
import type { PerennialConfig } from './config/perennial-config.ts';
import { serializeConfig } from './config/serialize-config.ts';
import {
  CertificateReader,
  type CertificateReaderProps,
  type ICertificateReader,
  type RenewedRuleProps,
} from './consumers/certificate-reader.ts';
import { CertificateRequests, type CertificateRequestsProps } from './consumers/certificate-requests.ts';
import { AcmDelivery } from './resources/acm-delivery.ts';
import { AcmeAccounts } from './resources/acme-accounts.ts';
import { CertificateSecrets } from './resources/certificate-secrets.ts';
import { ChallengeZones, challengeArnSize } from './resources/challenge-zones.ts';
import { encryptLogs, letReadersDecrypt } from './resources/encryption.ts';
import { Ledger } from './resources/ledger.ts';
import { secretArn } from './resources/secret-arn.ts';
import { AccountWorkflow } from './workflows/account-workflow.ts';
import { FleetStart } from './workflows/fleet-start.ts';
import { FleetWorkflow } from './workflows/fleet-workflow.ts';
import { RenewalWorkflow } from './workflows/renewal/renewal-workflow.ts';
import { RestartRule } from './workflows/restart-rule.ts';
import { executionArn } from './workflows/workflow.ts';
import { WorkflowFunction, type WorkflowFunctionProps } from './workflows/workflow-function.ts';

/** The same as the config file: one line a certificate, a default for everything else. */
export interface CertificateRenewalProps extends Omit<PerennialConfig, 'encryptionKey' | 'schedule'> {
  /**
   * How often the fleet workflow runs, in whole minutes. Eight runs must fit between the renewal time of a certificate and its expiry: at
   * least every 10 h with the profile `shortlived`, every 45 h with Let's Encrypt's other profiles. Where the lifetime is not known: at
   * least every 3 days.
   *
   * @default Duration.hours(6)
   */
  readonly schedule?: Duration;
  /**
   * KMS key for certificate and account secrets, the ledger and all logs. A key of the app gets what its policy needs; for one that is
   * only referred to see `encryptionKey` of the config file. Secrets that are there already keep the key that they have.
   *
   * @default keys of AWS's
   */
  readonly encryptionKey?: IKey;
}

/**
 * TLS certificates that renew themselves: ordered by DNS-01 through Route 53, stored in Secrets Manager, imported into ACM.
 * Where two of these stand in one account and region, each needs a `secretPrefix` of its own.
 *
 * @throws ConfigError with every mistake of the props at once
 */
export class CertificateRenewal extends Construct implements ICertificateReader {
  /** Certificates that a `CertificateRenewal` of another app or stack renews, in the same account and region. */
  static fromPrefix(scope: Construct, id: string, props: CertificateReaderProps = {}): ICertificateReader {
    return new CertificateReader(scope, id, props);
  }

  /** Looks at every certificate and starts the renewals that are due. */
  readonly fleet: StateMachine;
  /** Renews one certificate: `{"certificate": "www"}`, or with `"force": true` although nothing is due. */
  readonly renewal: StateMachine;
  /** Accounts and revocation: `{"action": "rollOverKey", "issuer": "letsencrypt"}`, and others of `AccountRequest`. */
  readonly accounts: StateMachine;
  /** Of the function that writes TXT records: what a `ChallengeRole` in another account trusts. */
  readonly challengeRole: IRole;
  /** What the names of the certificates' secrets begin with. */
  readonly secretPrefix: string;
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
    const { encryptionKey } = props;
    this.secretPrefix = config.secretPrefix;
    for (const [index, warning] of config.warnings.entries())
      Annotations.of(this).addWarningV2(`perennial:config-${index}`, warning);

    // With the longer ending 80 characters, as many as a state machine's name may have.
    const name = Names.uniqueResourceName(this, { maxLength: 71, separator: '-', allowedSpecialCharacters: '-' });
    const renewalName = `${name}-renewal`;
    const functions = this.makeFunctions(config);
    this.challengeRole = functions.challenge.role;
    const ledger = this.grantResources(functions, config, encryptionKey);
    this.grantExecutions(functions.check, renewalName);
    const names = config.deployed.certificates.map((certificate) => certificate.name);
    this.reader = new CertificateReader(this, 'Reader', { secretPrefix: config.secretPrefix, encryptionKey }, names);

    const renewal = new RenewalWorkflow(this, 'RenewalWorkflow', { name: renewalName, ...functions }).workflow;
    this.renewal = renewal.stateMachine;
    new RestartRule(this, 'RestartRule', { renewal: this.renewal });
    const fleet = new FleetWorkflow(this, 'FleetWorkflow', {
      name: `${name}-fleet`,
      check: functions.check,
      renewal: this.renewal,
      batches: batchCount(config.deployed),
      interval: Duration.seconds(config.deployed.checkInterval),
    }).workflow;
    this.fleet = fleet.stateMachine;
    const accounts = new AccountWorkflow(this, 'AccountWorkflow', {
      name: `${name}-accounts`,
      ...functions,
      renewal: this.renewal,
    }).workflow;
    this.accounts = accounts.stateMachine;
    // Not the reader: rules are made under it whose targets may need a certificate of this deployment.
    const after = this.node.children.filter((each) => each !== this.reader);
    // It has the configuration beside its code.
    const version = functions.check.codeHash;
    this.requestsProps = { renewal: this.renewal, renewalName, ledger, version, config, encryptionKey, after };
    this.fleetStart = new FleetStart(this, 'FleetStart', {
      fleet: this.fleet,
      accounts: this.accounts,
      version,
      after,
    });
    if (encryptionKey) {
      encryptLogs(this, encryptionKey);
      const readers = config.deployed.certificates.flatMap((certificate) => certificate.readers ?? []);
      letReadersDecrypt(this, encryptionKey, { readers, secrets: secretArn(this, `${config.secretPrefix}*`) });
    }

    const outputs = {
      FleetArn: this.fleet.stateMachineArn,
      RenewalArn: this.renewal.stateMachineArn,
      AccountsArn: this.accounts.stateMachineArn,
      StartRenewal: `aws stepfunctions start-execution --state-machine-arn ${this.renewal.stateMachineArn} --input '{"certificate":"${config.deployed.certificates[0]?.name}"}'`,
      ChallengeRoleArn: this.challengeRole.roleArn,
      Caa: this.fleetStart.caa,
      LedgerTable: ledger.table.tableName,
      SecretPrefix: config.secretPrefix,
      FleetLogs: fleet.logGroup.logGroupName,
      RenewalLogs: renewal.logGroup.logGroupName,
      AccountsLogs: accounts.logGroup.logGroupName,
      ...Object.fromEntries(
        Object.entries(functions).map(([name, { logGroup }]) => [`${upperFirst(name)}Logs`, logGroup.logGroupName]),
      ),
    };
    // The first of these in a stack has the plain names.
    const stack = Stack.of(this);
    const outputScope = stack.node.tryFindChild('FleetArn') ? this : stack;
    for (const [output, value] of Object.entries(outputs)) new CfnOutput(outputScope, output, { value });
  }

  /**
   * A certificate as ACM has it in this region, for a distribution, a load balancer or an API of the same app: the deployment starts its
   * renewal and waits until it is delivered, 30 minutes at most, before it makes what needs it. A change of names or key type reaches
   * CloudFormation; deleting what needs it deletes neither secret nor certificate. CloudFront takes certificates from `us-east-1`, of
   * issuers that browsers trust, and no P-384.
   *
   * @param region one that `acm` of the certificate lists
   * @throws ConfigError when the certificate is not configured, or not for this region
   */
  certificate(name: string, region: string): ICertificate {
    this.requests ??= new CertificateRequests(this, 'CertificateRequests', this.requestsProps);
    const request = this.requests.request(name, region);
    // The first renewal meets roles that have not settled everywhere: a deployment is patient with them, a run of the fleet is not.
    this.fleetStart.node.addDependency(request.resource);
    return request.certificate;
  }

  grantRead(certificate: string, grantee: IGrantable): Grant {
    return this.reader.grantRead(certificate, grantee);
  }

  onRenewed(id: string, props?: RenewedRuleProps): Rule {
    return this.reader.onRenewed(id, props);
  }

  /**
   * The functions of the workflows. *New order* has the longest that Lambda gives: of a CA that takes 30 s for an answer it asks 29 in 870 s, which
   * is an order of 25 names (directory, nonce, account, order, authorizations). *Finalize order* and *Store certificate* ask for 5 at most:
   * directory, nonce, and the order before and after its CSR, or a chain and two alternates.
   */
  private makeFunctions({ deployed, tokens, trustedRoots }: CheckedConfig) {
    const roots: Readonly<Record<string, string>> =
      trustedRoots.length > 0 ? { 'roots.pem': trustedRoots.join('\n') } : {};
    const make = (id: string, seconds: number, description: string, more: Partial<WorkflowFunctionProps> = {}) =>
      new WorkflowFunction(this, id, {
        folder: id.toLowerCase(),
        timeout: Duration.seconds(seconds),
        description,
        ...more,
      });
    const slowestReply = Math.max(...deployed.issuers.map(({ replyTimeout }) => replyTimeout));
    const configFile = { 'config.json': serializeConfig(deployed).json };
    const check = make('Check', 60, 'Is a certificate due, and how did its renewal end', {
      files: { ...configFile, ...roots },
    });
    check.addEnvironment(environment.configTokens, Stack.of(this).toJsonString(tokens));
    return {
      check,
      order: make('Order', 900, 'Talks to the CA about orders', { files: roots }),
      challenge: make('Challenge', 60, 'Writes TXT records and reads DNS', {
        arnSize: challengeArnSize(deployed.hostedZones),
      }),
      certificate: make('Certificate', Math.min(30 + 5 * slowestReply, 900), 'Key, CSR, chain and secret', {
        files: roots,
      }),
      delivery: make('Delivery', 60, 'Copies certificates into ACM'),
    };
  }

  /** Who may touch what. */
  private grantResources(
    { check, order, challenge, certificate, delivery }: ReturnType<CertificateRenewal['makeFunctions']>,
    { deployed, secretPrefix, accountSecretPrefix, rootServers }: CheckedConfig,
    encryptionKey: IKey | undefined,
  ): Ledger {
    const stackTag = Stack.of(this).stackName;

    const ledger = new Ledger(this, 'Ledger', { encryptionKey });
    ledger.grantUseInBatches(check);
    for (const user of [order, certificate, delivery]) ledger.grantUse(user);

    const zones = new ChallengeZones(this, 'ChallengeZones', deployed.hostedZones);
    zones.grantChallenges(challenge);
    if (rootServers.length > 0) challenge.addEnvironment(environment.rootServers, rootServers.join());

    const secrets = new CertificateSecrets(this, 'CertificateSecrets', {
      prefix: secretPrefix,
      stackTag,
      encryptionKey,
    });
    secrets.grantDescribe(check);
    secrets.grantWrite(certificate);
    secrets.grantShare(certificate, deployed.certificates);
    secrets.grantRead(delivery);

    const accounts = new AcmeAccounts(this, 'AcmeAccounts', { prefix: accountSecretPrefix, stackTag, encryptionKey });
    accounts.grantRegister(order);
    accounts.grantExternalAccountBindings(order, deployed.issuers);
    accounts.grantUse(certificate);

    const regions = [...new Set(deployed.certificates.flatMap((each) => each.regions))];
    const acm = new AcmDelivery(this, 'AcmDelivery', { regions, stackTag });
    acm.grantImport(delivery);
    return ledger;
  }

  /** Whether the execution that holds a lease is still at work. By name: the workflow itself comes after its functions. */
  private grantExecutions(check: WorkflowFunction, stateMachineName: string): void {
    check.allow(
      { actions: ['states:DescribeExecution'], resources: [executionArn(this, stateMachineName, '*')] },
      'Executions of the one renewal workflow, whose names come with the certificates.',
    );
  }
}

const upperFirst = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
