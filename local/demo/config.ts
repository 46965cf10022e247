import { resolve } from 'node:path';
import type { PerennialConfig } from '../../infra/config/perennial-config.ts';
import { hostedZoneFor, withoutWildcard } from '../../lambdas/domain/rules/proof/names.ts';
import type { LocalConfig } from '../config-file.ts';

/** The mistakes in an operator's config file, one line each. */
export class ConfigFileError extends Error {
  override name = 'ConfigFileError';

  constructor(file: string, mistakes: readonly string[]) {
    super([file, ...mistakes.map((mistake) => `  ${mistake}`)].join('\n'));
  }
}

/**
 * Checks an operator's config file as `cdk synth` does, and returns it for the local environment. The local CA takes the place of every
 * issuer before the check, so that the demo needs no agreement to terms.
 *
 * @throws ConfigFileError with every mistake at once
 */
export async function readConfig(path: string): Promise<LocalConfig> {
  const file = resolve(path);
  // These modules load the CDK, which takes half a second. The demo shows its first line before that.
  const { checkConfig } = await import('../../infra/config/check-config.ts');
  const { loadConfigFile } = await import('../../infra/config/config-file.ts');
  const { ConfigError } = await import('../../infra/config/mistakes.ts');
  const { withLocalIssuers } = await import('./local-issuers.ts');
  const { schedule, checked } = await loadConfigFile(file)
    .then((config) => {
      const checked = checkConfig(withLocalIssuers(config));
      return { schedule: (config as PerennialConfig).schedule, checked };
    })
    .catch((error) => {
      throw error instanceof ConfigError ? new ConfigFileError(file, error.mistakes) : error;
    });

  const { hostedZones, certificates } = checked.deployed;
  // An operator's CA may need no challenge and so no hosted zone. The local CA always needs one.
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
    ...(schedule !== undefined && { schedule }),
  };
}
