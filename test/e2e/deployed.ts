import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type ExecutionListItem, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { perennialStack } from '../../infra/perennial-stack.ts';
import { createLedger } from '../../lambdas/adapters/aws/dynamodb/ledger.ts';
import type { CertificateSecretValue } from '../../lambdas/domain/contract/certificate-secret.ts';
import { eventSource } from '../../lambdas/domain/contract/events.ts';
import { stepFormat } from '../../lambdas/domain/contract/steps.ts';
import type { LedgerCertificate } from '../../lambdas/domain/ports/ledger-certificate.ts';
import { type LocalConfig, localConfig } from '../../local/config-file.ts';
import { bootstrap, txtValues } from '../../local/deploy.ts';
import { type LocalEnvironment, type LocalEnvironmentOptions, startLocalEnvironment } from '../../local/environment.ts';
import { type EndedExecution, startExecution, waitForExecution } from '../../local/executions.ts';
import { schemaErrors } from '../event-schemas.ts';
import { changeStepFormat, deployAssembly, synthesize } from './assembly.ts';
import { eventually } from './observed.ts';

/** The service, deployed into the local environment, with the functions that end-to-end tests use. */
export interface Deployed {
  readonly local: LocalEnvironment;
  /** Outputs of the stack. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Updates the stack with another config, and with another version of the package if its format of steps is given. */
  update(config: LocalConfig, format?: string): Promise<void>;
  /** Updates the stack with another config, and waits until no execution runs. */
  redeploy(config: LocalConfig): Promise<void>;
  /** Starts a renewal and returns its ARN. */
  start(input: unknown): Promise<string>;
  ended(arn: string): Promise<EndedExecution>;
  /** Starts a renewal and waits for its end. */
  renew(input: unknown): Promise<EndedExecution>;
  fleet(): Promise<EndedExecution>;
  /** Waits until no execution runs, including those that a deployment starts. Returns the ARNs of all renewals. */
  idle(): Promise<readonly string[]>;
  /** Returns the ARNs of all renewals. */
  renewals(): Promise<readonly string[]>;
  /** Returns the current value of a certificate's secret. */
  secret(certificate: string): Promise<CertificateSecretValue>;
  /** Returns the labels of a certificate's secret by version id. */
  stages(certificate: string): Promise<Readonly<Record<string, readonly string[]>>>;
  ledger(certificate: string): Promise<LedgerCertificate>;
  /** Returns the ARN of the execution that holds a set lease, or `undefined`. */
  setLease(setHash: string): Promise<string | undefined>;
  /** Returns the TXT values in a zone by record name. */
  txt(zone: string): Promise<Record<string, string[]>>;
  /** Stops the local environment, and fails if an event that was published does not satisfy its schema. */
  stop(): Promise<void>;
}

/** Starts a local environment and deploys a config. A function can make the config, for example if it needs a proxy in front of the CA. */
export async function deployed(
  config: LocalConfig | ((local: LocalEnvironment) => Promise<LocalConfig>),
  options: LocalEnvironmentOptions = {},
): Promise<Deployed> {
  const local = await startLocalEnvironment(options);
  try {
    await bootstrap(local);
    return await onto(local, typeof config === 'function' ? await config(local) : config);
  } catch (error) {
    await local.stop();
    throw error;
  }
}

async function onto(local: LocalEnvironment, first: LocalConfig): Promise<Deployed> {
  const deploy = async (config: LocalConfig, format = stepFormat) => {
    const checked = await localConfig(local, config);
    const assembly = synthesize(local, (app, synthesizer) => perennialStack(app, checked, { synthesizer }));
    if (format !== stepFormat) changeStepFormat(assembly, format);
    return deployAssembly(local, assembly);
  };
  const outputs = await deploy(first);
  const output = (name: string): string => {
    const [found] = Object.entries(outputs).flatMap(([key, value]) => (key.endsWith(name) ? [value] : []));
    if (found === undefined)
      throw new Error(`The stack has no output ${name}. It has ${Object.keys(outputs).join(', ')}.`);
    return found;
  };
  const secrets = new SecretsManagerClient(local.clientConfig);
  const dynamodb = new DynamoDBClient(local.clientConfig);
  const table = output('LedgerTable');
  const ledger = createLedger({ table, client: dynamodb });
  const sfn = new SFNClient(local.clientConfig);
  const executions = async (stateMachineArn: string) =>
    (await sfn.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 1000 }))).executions ?? [];
  const isRunning = ({ status }: ExecutionListItem) => status === 'RUNNING';
  const idle = () =>
    eventually('The end of all executions', async () => {
      // Accounts can start the fleet, and both start renewals. So an execution that is started by one that has ended is in a list that follows.
      for (const workflow of ['AccountsArn', 'FleetArn']) {
        const found = await executions(output(workflow));
        if (found.length === 0 || found.some(isRunning)) return undefined;
      }
      const renewals = await executions(output('RenewalArn'));
      return renewals.some(isRunning) ? undefined : renewals.map(({ executionArn }) => executionArn ?? '');
    });
  const start = (input: unknown) => startExecution(local, output('RenewalArn'), input);
  const ended = (arn: string) => waitForExecution(local, arn);
  await idle();
  for (const { executionArn = '' } of await executions(output('FleetArn'))) {
    const { status, error, cause } = await ended(executionArn);
    if (status !== 'SUCCEEDED') throw new Error(`The first fleet run is ${status}: ${error} ${cause}`);
  }
  return {
    local,
    outputs,
    update: async (config, format) => {
      await deploy(config, format);
    },
    redeploy: async (config) => {
      await deploy(config);
      await idle();
    },
    start,
    ended,
    renew: async (input) => ended(await start(input)),
    fleet: async () => ended(await startExecution(local, output('FleetArn'), {})),
    idle,
    renewals: async () => (await executions(output('RenewalArn'))).map(({ executionArn }) => executionArn ?? ''),
    secret: async (certificate) => {
      const { SecretString } = await secrets.send(
        new GetSecretValueCommand({ SecretId: `certificates/${certificate}` }),
      );
      return JSON.parse(SecretString ?? '');
    },
    stages: async (certificate) =>
      (await secrets.send(new DescribeSecretCommand({ SecretId: `certificates/${certificate}` }))).VersionIdsToStages ??
      {},
    ledger: (certificate) => ledger.certificate(certificate),
    setLease: async (setHash) => {
      const command = new GetItemCommand({
        TableName: table,
        Key: { id: { S: `set#${setHash}` } },
        ConsistentRead: true,
      });
      return (await dynamodb.send(command)).Item?.lease?.S;
    },
    txt: (zone) => txtValues(local, zone),
    stop: async () => {
      const events = await local.aws.busEvents();
      await local.stop();
      const wrong = events.flatMap(({ source, detailType, detail }) =>
        source === eventSource ? schemaErrors(detailType, detail) : [],
      );
      if (wrong.length > 0) throw new Error(`Events do not satisfy their schemas.\n${wrong.join('\n')}`);
    },
  };
}
