import { readFileSync } from 'node:fs';
import type { DeployedConfig } from '../../../domain/contract/config.ts';
import type { Tags } from '../../../domain/contract/environment.ts';
import { resolveTokens } from '../../../domain/rules/certificate/certificate-spec.ts';

/**
 * Returns the configuration that was deployed with this function. It is read from the file beside the bundle. `tokens` is a JSON array of the values
 * that CloudFormation resolved during deployment. `tags` are the operator's tags.
 */
export function readConfig(tokens: string | undefined, tags: Tags): DeployedConfig {
  const file = JSON.parse(readFileSync(new URL('./config.json', import.meta.url), 'utf8')) as DeployedConfig;
  return { ...resolveTokens(file, JSON.parse(tokens ?? '[]') as string[]), tags };
}
