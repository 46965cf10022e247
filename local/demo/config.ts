import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PerennialConfig } from '../../infra/config/check-config.ts';
import { hostedZoneFor, withoutWildcard } from '../../lambdas/domain/rules/proof/names.ts';
import type { LocalConfig } from '../config-file.ts';

/** What is wrong with an operator's config, one line each. */
export class ConfigFileError extends Error {
  override name = 'ConfigFileError';

  constructor(file: string, mistakes: readonly string[]) {
    super([file, ...mistakes.map((mistake) => `  ${mistake}`)].join('\n'));
  }
}

/**
 * Checks an operator's config as `cdk synth` would, and returns it, normalised, for the local environment: there the local CA
 * issues, so the issuers are left out.
 *
 * @throws ConfigFileError
 */
export async function readConfig(path: string): Promise<LocalConfig> {
  const file = resolve(path);
  if (!existsSync(file)) throw new ConfigFileError(file, ['found no file here, allowed: --config path/to/file.ts']);
  // Loads the CDK, which takes half a second: not before somebody sees that something is going on.
  const { checkConfig, ConfigError } = await import('../../infra/config/check-config.ts');
  const { config, checked } = await import(pathToFileURL(file).href)
    .then(({ default: config }: { readonly default: PerennialConfig }) => ({ config, checked: checkConfig(config) }))
    .catch((error) => {
      throw new ConfigFileError(file, error instanceof ConfigError ? error.mistakes : [`cannot be loaded: ${error}`]);
    });

  const { hostedZones, certificates } = checked.deployed;
  // An operator's CA may want no proof and so no zone; the local one always does.
  const withoutZone = certificates.flatMap(({ identifiers }) =>
    identifiers.filter((i) => !hostedZoneFor(i, hostedZones)),
  );
  return {
    zones: [...new Set([...hostedZones.map(({ name }) => name), ...withoutZone.map(withoutWildcard)])],
    certificates: certificates.map(({ name, identifiers, keyType, profile, regions }) => ({
      name,
      identifiers,
      keyType,
      acm: regions,
      ...(profile !== null && { profile }),
    })),
    secretPrefix: checked.secretPrefix,
    ...(config.schedule !== undefined && { schedule: config.schedule }),
  };
}
