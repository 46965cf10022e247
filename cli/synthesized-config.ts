import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DeployedConfig } from '../lambdas/domain/contract/config.ts';
import { environment } from '../lambdas/domain/contract/environment.ts';
import { CommandError, exitCodes } from './exit-codes.ts';

/** A stack of a cloud assembly that has Perennial. */
export interface SynthesizedConfig {
  readonly config: DeployedConfig;
  /** Name of the stack, which is the value of its tag `perennial:stack`. */
  readonly stack: string;
  /** Region of the stack. `null` if the app leaves it to the credentials. */
  readonly region: string | null;
  /** Root name servers as `address:port`. Empty for those of the Internet. */
  readonly rootServers: readonly string[];
  /** Time of the synthesis. */
  readonly at: Date;
}

interface Manifest {
  readonly artifacts?: Readonly<Record<string, Artifact>>;
}

interface Artifact {
  readonly type?: string;
  /** Such as `aws://111122223333/eu-west-1`. */
  readonly environment?: string;
  readonly dependencies?: readonly string[];
  readonly properties?: { readonly stackName?: string; readonly templateFile?: string; readonly file?: string };
}

interface AssetManifest {
  readonly files?: Readonly<Record<string, { readonly source?: { readonly path?: string } }>>;
}

/**
 * Reads the configuration that `cdk synth` wrote into a cloud assembly. Only the assets that a manifest names are read, because the folder keeps those
 * of earlier runs.
 *
 * @param stack name of the stack, if the app has several with Perennial
 * @throws CommandError if there is none, or more than one
 */
export function readSynthesizedConfig(folder: string, stack: string | undefined): SynthesizedConfig {
  const found = assembliesIn(folder)
    .flatMap(stacksIn)
    .filter((each) => stack === undefined || each.stack === stack);
  const [first, ...others] = found;
  if (!first)
    throw new CommandError(
      `${folder} has no configuration of Perennial${stack ? ` in the stack ${stack}` : ''}. Run "npx cdk synth", or leave out --cdk-out in the folder of the app.`,
      exitCodes.usage,
    );
  if (others.length > 0)
    throw new CommandError(
      stack === undefined
        ? `The app has ${found.length} configurations of Perennial, in the stacks ${found.map((each) => each.stack).join(', ')}. Choose one with --stack.`
        : `The stack ${stack} has ${found.length} constructs of Perennial. The command line supports one in a stack.`,
      exitCodes.usage,
    );
  return first;
}

/** Returns the configuration with the region of the stack, if it is known, in place of a token of the CDK. */
export function withStackRegion(config: DeployedConfig, region: string | undefined): DeployedConfig {
  const resolved = (each: string) => (each.startsWith('@') ? (region ?? each) : each);
  return {
    ...config,
    certificates: config.certificates.map((each) => ({ ...each, regions: [...new Set(each.regions.map(resolved))] })),
  };
}

/** Returns the folders of the assembly and of the assemblies of stages in it. */
function assembliesIn(folder: string): readonly string[] {
  if (!existsSync(join(folder, 'manifest.json'))) return [];
  const nested = readdirSync(folder, { withFileTypes: true }).filter(
    (each) => each.isDirectory() && each.name.startsWith('assembly-'),
  );
  return [folder, ...nested.flatMap(({ name }) => assembliesIn(join(folder, name)))];
}

function stacksIn(folder: string): readonly SynthesizedConfig[] {
  const manifest = join(folder, 'manifest.json');
  const { artifacts = {} } = read<Manifest>(manifest);
  return Object.entries(artifacts).flatMap(([id, { type, environment: target, dependencies = [], properties }]) => {
    if (type !== 'aws:cloudformation:stack') return [];
    const assets = dependencies.flatMap((each) => sourcesIn(folder, artifacts[each]?.properties?.file));
    const region = target?.split('/').at(-1) ?? 'unknown-region';
    const rootServers = rootServersIn([properties?.templateFile ?? '', ...assets].map((each) => join(folder, each)));
    return configsIn(folder, assets).map((config) => ({
      config,
      stack: properties?.stackName ?? id,
      region: region === 'unknown-region' ? null : region,
      rootServers,
      at: statSync(manifest).mtime,
    }));
  });
}

/** Returns the paths of the assets that a manifest names: folders of functions, and templates of nested stacks. */
function sourcesIn(folder: string, file: string | undefined): readonly string[] {
  if (!file?.endsWith('.assets.json')) return [];
  const { files = {} } = read<AssetManifest>(join(folder, file));
  return Object.values(files).flatMap(({ source }) => source?.path ?? []);
}

function configsIn(folder: string, assets: readonly string[]): readonly DeployedConfig[] {
  const files = assets.map((path) => join(folder, path, 'config.json')).filter((file) => existsSync(file));
  // Several functions have the same configuration.
  return [...new Set(files.map((file) => readFileSync(file, 'utf8')))].map(
    (text) => JSON.parse(text) as DeployedConfig,
  );
}

interface Template {
  readonly Resources?: Readonly<
    Record<
      string,
      { readonly Properties?: { readonly Environment?: { readonly Variables?: Record<string, unknown> } } }
    >
  >;
}

/** Reads the root servers of the function `challenge`, which are not in the configuration. */
function rootServersIn(files: readonly string[]): readonly string[] {
  const templates = files.filter((file) => file.endsWith('.template.json') && existsSync(file));
  const found = templates
    .flatMap((file) => Object.values(read<Template>(file).Resources ?? {}))
    .flatMap(({ Properties }) => Properties?.Environment?.Variables?.[environment.rootServers] ?? []);
  return typeof found[0] === 'string' ? found[0].split(',') : [];
}

const read = <Content>(file: string): Content => JSON.parse(readFileSync(file, 'utf8')) as Content;
