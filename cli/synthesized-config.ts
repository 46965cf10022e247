import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DeployedConfig } from '../lambdas/domain/contract/config.ts';
import { CommandError, exitCodes } from './exit-codes.ts';

interface AssetManifest {
  readonly files?: Readonly<Record<string, { readonly source?: { readonly path?: string } }>>;
}

/**
 * Reads the configuration that `cdk synth` wrote into a cloud assembly. Only the assets that a manifest names are read, because the folder keeps those
 * of earlier runs.
 *
 * @throws CommandError if there is none, or more than one
 */
export function readSynthesizedConfig(folder: string, stack: string | undefined): DeployedConfig {
  const manifests = globSync('**/*.assets.json', { cwd: folder }).filter(
    (file) => stack === undefined || basename(file) === `${stack}.assets.json`,
  );
  const texts = manifests.flatMap((file) => {
    const { files = {} } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as AssetManifest;
    return Object.values(files).flatMap(({ source }) => {
      const config = join(folder, dirname(file), source?.path ?? '', 'config.json');
      return source?.path && existsSync(config) ? [readFileSync(config, 'utf8')] : [];
    });
  });
  // Several functions have the same configuration.
  const [text, ...others] = [...new Set(texts)];
  if (text === undefined)
    throw new CommandError(
      `${folder} has no configuration of Perennial${stack ? ` in the stack ${stack}` : ''}. Run "cdk synth" first, or give the folder with --cdk-out.`,
      exitCodes.usage,
    );
  if (others.length > 0)
    throw new CommandError(
      `${folder} has ${others.length + 1} different configurations of Perennial. Choose a stack with --stack.`,
      exitCodes.usage,
    );
  return JSON.parse(text) as DeployedConfig;
}
