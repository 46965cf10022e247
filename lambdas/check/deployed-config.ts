import { readFileSync } from 'node:fs';
import type { DeployedConfig } from '../domain/contract/config.ts';
import { resolveTokens } from '../domain/rules/certificate/certificate-spec.ts';

/** The configuration that was deployed with this function, from the file beside its bundle. */
export function readConfig(tokens: string | undefined): DeployedConfig {
  const file = JSON.parse(readFileSync(new URL('./config.json', import.meta.url), 'utf8')) as DeployedConfig;
  return resolveTokens(file, JSON.parse(tokens ?? '[]') as string[]);
}
