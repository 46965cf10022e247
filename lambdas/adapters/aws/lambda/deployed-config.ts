import { readFileSync } from 'node:fs';
import type { DeployedConfig } from '../../../domain/contract/config.ts';
import { environment, readTags } from '../../../domain/contract/environment.ts';
import { resolveTokens } from '../../../domain/rules/certificate/certificate-spec.ts';
import { keptWarm } from '../client.ts';

/**
 * Returns the configuration that was deployed with this function, from the file beside the bundle, with the values that CloudFormation resolved
 * during the deployment. It is parsed once while the function is warm. A deployment that changes it also replaces the function.
 */
export const readConfig: () => DeployedConfig = keptWarm(() => {
  const file = JSON.parse(readFileSync(new URL('./config.json', import.meta.url), 'utf8')) as DeployedConfig;
  const tokens = JSON.parse(process.env[environment.configTokens] ?? '[]') as string[];
  return { ...resolveTokens(file, tokens), tags: readTags(process.env) };
});
