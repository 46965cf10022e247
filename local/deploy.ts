import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import type { LocalEnvironment } from './environment.ts';
import { run } from './processes.ts';
import { applyStack } from './stacks.ts';

const ROOT = join(import.meta.dirname, '..');
const TOOLS = join(ROOT, 'node_modules', '.bin');

/** The local AWS for root of another account: MiniStack takes an access key of twelve digits for the account. */
export function inAccount(local: LocalEnvironment, accountId: string): LocalEnvironment {
  const credentials = { ...local.clientConfig.credentials, accessKeyId: accountId };
  return {
    ...local,
    aws: { ...local.aws, accountId },
    clientConfig: { ...local.clientConfig, credentials },
    variables: { ...local.variables, AWS_ACCESS_KEY_ID: accountId },
  };
}

/** A public hosted zone whose name server is the local DNS server's authoritative view. Returns its id, `Z…`. */
export async function createHostedZone(local: LocalEnvironment, name: string): Promise<string> {
  const client = new Route53Client(local.clientConfig);
  const created = await client.send(new CreateHostedZoneCommand({ Name: name, CallerReference: `local-${name}` }));
  return (created.HostedZone?.Id ?? '').replace('/hostedzone/', '');
}

/** Every TXT value of a zone without its quotes, by record name without the trailing dot. */
export async function txtValues(local: LocalEnvironment, zoneName: string): Promise<Record<string, string[]>> {
  const zones = (await local.aws.hostedZones()).filter((zone) => zone.name === `${zoneName}.`);
  const sets = zones.flatMap((zone) => zone.records.filter((record) => record.type === 'TXT'));
  return Object.fromEntries(
    sets.map((set) => [set.name.replace(/\.$/, ''), set.values.map((value) => value.replace(/^"|"$/g, ''))]),
  );
}

/**
 * What `cdk bootstrap` is needed for here: the bucket that assets are published to, under the name that the CDK expects.
 * The whole command would take 3.5 s, and under enforced IAM its publishing roles are of no use: an app that is deployed
 * here has a `CliCredentialsStackSynthesizer`.
 */
export async function bootstrap(local: LocalEnvironment): Promise<void> {
  const bucket = `cdk-hnb659fds-assets-${local.aws.accountId}-${local.aws.region}`;
  const template = { Resources: { Assets: { Type: 'AWS::S3::Bucket', Properties: { BucketName: bucket } } } };
  await applyStack(local, 'CDKToolkit', { TemplateBody: JSON.stringify(template) });
}

export interface DeployOptions {
  /** What `cdk --app` takes: a command, or a folder that `cdk synth` filled. */
  app?: string;
  /** `-c` flags. */
  context?: Record<string, string>;
  /** Where the app runs; the repository unless given. */
  cwd?: string;
}

/** `cdk deploy` of every stack of the app. @returns the outputs by stack name. @throws Error with what the CDK printed. */
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
      // Without a change set: nobody would read it, and waiting for it costs seconds.
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
        // An app of ours imports this package by its name and means the sources.
        NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --conditions=perennial-source`,
      },
    },
  );
  return JSON.parse(readFileSync(outputs, 'utf8'));
}
