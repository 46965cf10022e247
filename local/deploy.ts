import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import type { LocalEnvironment } from './environment.ts';
import { run } from './processes.ts';
import { applyStack } from './stacks.ts';

const ROOT = join(import.meta.dirname, '..');
const TOOLS = join(ROOT, 'node_modules', '.bin');

/** Returns the local AWS with the root credentials of another account. MiniStack takes an access key of twelve digits as the account id. */
export function inAccount(local: LocalEnvironment, accountId: string): LocalEnvironment {
  const credentials = { ...local.clientConfig.credentials, accessKeyId: accountId };
  return {
    ...local,
    aws: { ...local.aws, accountId },
    clientConfig: { ...local.clientConfig, credentials },
    variables: { ...local.variables, AWS_ACCESS_KEY_ID: accountId },
  };
}

/** Creates a public hosted zone. Its name server is the authoritative view of the local DNS server. @returns its id, `Z…` */
export async function createHostedZone(local: LocalEnvironment, name: string): Promise<string> {
  const client = new Route53Client(local.clientConfig);
  const created = await client.send(new CreateHostedZoneCommand({ Name: name, CallerReference: `local-${name}` }));
  return (created.HostedZone?.Id ?? '').replace('/hostedzone/', '');
}

/** Returns every TXT value of a zone without quotes, by record name without the trailing dot. */
export async function txtValues(local: LocalEnvironment, zoneName: string): Promise<Record<string, string[]>> {
  const zones = (await local.aws.hostedZones()).filter((zone) => zone.name === `${zoneName}.`);
  const sets = zones.flatMap((zone) => zone.records.filter((record) => record.type === 'TXT'));
  return Object.fromEntries(
    sets.map((set) => [set.name.replace(/\.$/, ''), set.values.map((value) => value.replace(/^"|"$/g, ''))]),
  );
}

/**
 * Creates the bucket for assets, under the name that the CDK expects. No other part of `cdk bootstrap` is needed here. The command would
 * take 3.5 s. Its roles for publishing are not used, because an app that is deployed here has a `CliCredentialsStackSynthesizer`.
 */
export async function bootstrap(local: LocalEnvironment): Promise<void> {
  const bucket = `cdk-hnb659fds-assets-${local.aws.accountId}-${local.aws.region}`;
  const template = { Resources: { Assets: { Type: 'AWS::S3::Bucket', Properties: { BucketName: bucket } } } };
  await applyStack(local, 'CDKToolkit', { TemplateBody: JSON.stringify(template) });
}

export interface DeployOptions {
  /** Value of `cdk --app`, a command or the output folder of `cdk synth`. */
  app?: string;
  /** Context values, as for `cdk -c`. */
  context?: Record<string, string>;
  /** Folder in which the app runs. @default the repository */
  cwd?: string;
}

/** Deploys every stack of an app with `cdk deploy`. @returns the outputs by stack name @throws Error with the output of the CDK */
export async function deploy(
  local: LocalEnvironment,
  options: DeployOptions = {},
): Promise<Record<string, Record<string, string>>> {
  const folder = mkdtempSync(join(local.folder, 'deploy-'));
  const outputs = join(folder, 'outputs.json');
  await run(
    join(TOOLS, 'cdk'),
    [
      'deploy',
      '--all',
      '--require-approval=never',
      // No change set, because it would not be reviewed and takes seconds to create.
      '--method=direct',
      '--no-notices',
      '--no-version-reporting',
      `--outputs-file=${outputs}`,
      `--output=${join(folder, 'cdk.out')}`,
      ...(options.app ? [`--app=${options.app}`] : []),
      ...Object.entries(options.context ?? {}).map(([key, value]) => `--context=${key}=${value}`),
    ],
    {
      cwd: options.cwd ?? ROOT,
      env: {
        ...process.env,
        ...local.variables,
        CI: 'true',
        PATH: `${TOOLS}:${process.env.PATH ?? ''}`,
        // The apps of this repository import the package by its name, which this condition resolves to the sources.
        NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --conditions=perennial-source`,
      },
    },
  );
  return JSON.parse(readFileSync(outputs, 'utf8'));
}
