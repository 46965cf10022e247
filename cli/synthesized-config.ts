import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DeployedConfig } from '../lambdas/domain/contract/config.ts';
import { CommandError, exitCodes } from './exit-codes.ts';

/** A stack of a cloud assembly that has Perennial. */
export interface SynthesizedConfig {
  readonly config: DeployedConfig;
  /** Name of the stack, which is the value of its tag `perennial:stack`. */
  readonly stack: string;
  /** Region of the stack. `null` if the app leaves it to the credentials. */
  readonly region: string | null;
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
  readonly properties?: { readonly stackName?: string; readonly file?: string };
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
  return Object.entries(artifacts).flatMap(([id, { type, environment, dependencies = [], properties }]) => {
    if (type !== 'aws:cloudformation:stack') return [];
    const files = dependencies.flatMap((each) => artifacts[each]?.properties?.file ?? []);
    const region = environment?.split('/').at(-1) ?? 'unknown-region';
    return configsIn(folder, files).map((config) => ({
      config,
      stack: properties?.stackName ?? id,
      region: region === 'unknown-region' ? null : region,
      at: statSync(manifest).mtime,
    }));
  });
}

function configsIn(folder: string, files: readonly string[]): readonly DeployedConfig[] {
  const texts = files
    .filter((file) => file.endsWith('.assets.json'))
    .flatMap((file) =>
      Object.values(read<AssetManifest>(join(folder, file)).files ?? {}).flatMap(({ source }) => {
        const config = join(folder, dirname(file), source?.path ?? '', 'config.json');
        return source?.path && existsSync(config) ? [readFileSync(config, 'utf8')] : [];
      }),
    );
  // Several functions have the same configuration.
  return [...new Set(texts)].map((text) => JSON.parse(text) as DeployedConfig);
}

const read = <Content>(file: string): Content => JSON.parse(readFileSync(file, 'utf8')) as Content;
