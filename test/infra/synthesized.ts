import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { acmeDirectory, CertificateRenewal, type CertificateRenewalProps } from '../../infra/index.ts';

const root = join(import.meta.dirname, '..', '..');

export const smallConfig: Omit<CertificateRenewalProps, 'encryptionKey'> = {
  issuer: acmeDirectory({ directoryUrl: 'https://acme.test/directory' }),
  hostedZones: [{ id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' }],
  certificates: [{ name: 'www', identifiers: ['example.com', '*.example.com'], acm: ['us-east-1'] }],
};

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
}

export interface Synthesized {
  readonly resources: Readonly<Record<string, Resource>>;
  readonly outputs: readonly string[];
  /** Text of the template. */
  readonly text: string;
  /** Names of the files in the asset of each function of Perennial, by its logical id. */
  readonly files: Readonly<Record<string, readonly string[]>>;
}

/** The parts of a stack: a configuration, further constructs, and the key that encrypts it. */
export type Build = readonly [
  config?: typeof smallConfig,
  alsoIn?: (stack: Stack) => void,
  encryptionKey?: (stack: Stack) => IKey | undefined,
];

let ofSmallConfig: Synthesized | undefined;

/** Returns the stack as `cdk synth` makes it, with the same feature flags. Test files share the stack of `smallConfig` alone. */
export function synthesize(...build: Build): Synthesized {
  if (build.length > 0) return withApp(build, synthesized);
  ofSmallConfig ??= withApp([smallConfig], synthesized);
  return ofSmallConfig;
}

/** Passes an app with the stack, not yet synthesized, and removes its cloud assembly afterwards. */
export function withApp<T>([config = smallConfig, alsoIn, encryptionKey]: Build, use: (app: App) => T): T {
  const outdir = mkdtempSync(join(tmpdir(), 'perennial-synth-'));
  try {
    const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as {
      context: Record<string, unknown>;
    };
    // staged-files.test.ts has the staging of assets, which copies every function a second time.
    const unstaged = { ...context, 'aws:cdk:disable-asset-staging': true };
    const app = new App({ outdir, context: unstaged, treeMetadata: false });
    const stack = new Stack(app, 'Perennial');
    const key = encryptionKey?.(stack);
    new CertificateRenewal(stack, 'Certificates', { ...config, ...(key && { encryptionKey: key }) });
    alsoIn?.(stack);
    return use(app);
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

function synthesized(app: App): Synthesized {
  const { directory } = app.synth();
  const text = readFileSync(join(directory, 'Perennial.template.json'), 'utf8');
  const template = JSON.parse(text) as { Resources: Record<string, Resource>; Outputs?: Record<string, unknown> };
  const { Resources: resources, Outputs: outputs = {} } = template;
  const { files: assets } = JSON.parse(readFileSync(join(directory, 'Perennial.assets.json'), 'utf8')) as {
    readonly files: Readonly<Record<string, { readonly source: { readonly path: string } }>>;
  };
  const files = ofType(resources, 'AWS::Lambda::Function').flatMap(([id, { Properties }]) => {
    const { S3Key } = Properties.Code as { readonly S3Key: string };
    const { path = '' } = assets[S3Key.replace('.zip', '')]?.source ?? {};
    return path.startsWith(directory) ? [[id, readdirSync(path)]] : [];
  });
  return { text, resources, outputs: Object.keys(outputs), files: Object.fromEntries(files) };
}

export function ofType(resources: Synthesized['resources'], type: string): [string, Resource][] {
  return Object.entries(resources).filter(([, resource]) => resource.Type === type);
}

const account = '123456789012';
const pseudo: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-central-1',
  'AWS::AccountId': account,
  'AWS::StackName': 'Perennial',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** Returns ARNs as CloudFormation creates them, by resource type. */
const arns: Readonly<Record<string, (id: string, resource: Resource) => string>> = {
  'AWS::DynamoDB::Table': (id) => `arn:aws:dynamodb:eu-central-1:${account}:table/${id}`,
  'AWS::KMS::Key': (id) => `arn:aws:kms:eu-central-1:${account}:key/${id}`,
  'AWS::Lambda::Function': (id) => `arn:aws:lambda:eu-central-1:${account}:function:${id}`,
  'AWS::Logs::LogGroup': (id) => `arn:aws:logs:eu-central-1:${account}:log-group:${id}:*`,
  'AWS::Scheduler::ScheduleGroup': (id) => `arn:aws:scheduler:eu-central-1:${account}:schedule-group/${id}`,
  'AWS::SNS::Topic': (id) => `arn:aws:sns:eu-central-1:${account}:${id}`,
  'AWS::SQS::Queue': (id) => `arn:aws:sqs:eu-central-1:${account}:${id}`,
  'AWS::StepFunctions::StateMachine': (_, { Properties }) =>
    `arn:aws:states:eu-central-1:${account}:stateMachine:${Properties.StateMachineName}`,
};

/** Returns a value of the template with its intrinsic functions resolved. */
export function resolve(value: unknown, resources: Synthesized['resources']): unknown {
  if (Array.isArray(value)) return value.map((each) => resolve(each, resources));
  if (typeof value !== 'object' || value === null) return value;
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Record<string, unknown>;
  if (typeof ref === 'string') return pseudo[ref] ?? reference(ref, resources);
  if (Array.isArray(attribute)) return reference(String(attribute[0]), resources);
  if (Array.isArray(join)) return (resolve(join[1], resources) as string[]).join(String(join[0]));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolve(each, resources)]));
}

function reference(id: string, resources: Synthesized['resources']): string {
  const resource = resources[id];
  return (resource && arns[resource.Type]?.(id, resource)) ?? id;
}

/** The condition keys of a Route 53 change, but for the one that ends like this. */
export function changeKeys(
  values: Readonly<Record<string, readonly string[]>>,
  without = '',
): Record<string, string[]> {
  const given = Object.entries(values).filter(([name]) => name !== without);
  return Object.fromEntries(given.map(([name, each]) => [`route53:ChangeResourceRecordSets${name}`, [...each]]));
}

export interface PolicyDocument {
  readonly Version: string;
  readonly Statement: readonly Readonly<Record<string, unknown>>[];
}

/** Returns the inline and managed policies of the only role whose logical id begins like this. */
export function policiesOf(
  rolePrefix: string,
  { resources }: Pick<Synthesized, 'resources'>,
): { readonly inline: readonly PolicyDocument[]; readonly managed: readonly PolicyDocument[] } {
  const roles = ofType(resources, 'AWS::IAM::Role').filter(([id]) => id.startsWith(rolePrefix));
  if (roles.length !== 1) throw new Error(`${roles.length} roles begin with ${rolePrefix}`);
  const attached = (type: string) =>
    ofType(resources, type)
      .filter(([, { Properties }]) => (Properties.Roles as { Ref: string }[]).some(({ Ref }) => Ref === roles[0]?.[0]))
      .map(([, { Properties }]) => resolve(Properties.PolicyDocument, resources) as PolicyDocument);
  return { inline: attached('AWS::IAM::Policy'), managed: attached('AWS::IAM::ManagedPolicy') };
}
