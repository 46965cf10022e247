import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { App, CliCredentialsStackSynthesizer, type IStackSynthesizer, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { ConfigError, type PerennialConfig } from './config/check-config.ts';
import { perennialStack } from './perennial-stack.ts';

/**
 * The CDK app: one stack from one config file, `-c config=path/to/file.ts`, by default certificates.ts. `-c local=true` leaves
 * the bootstrap roles out, which an emulator with IAM does not let publish assets.
 */
const app = new App();
const path = resolve(app.node.tryGetContext('config') ?? 'certificates.ts');
const local = String(app.node.tryGetContext('local')) === 'true';

try {
  const config = await readConfig(path);
  // The cast: its getters say `undefined` where the interface says optional.
  perennialStack(app, config, local ? { synthesizer: new CliCredentialsStackSynthesizer() as IStackSynthesizer } : {});
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${path}\n${error.mistakes.map((mistake) => `  ${mistake}\n`).join('')}`);
  // At once: the app would synthesize what there is of it when Node.js runs out of work.
  process.exit(1);
}

async function readConfig(file: string): Promise<PerennialConfig> {
  if (!existsSync(file)) throw new ConfigError(['found no file here, allowed: -c config=path/to/file.ts']);
  const module: { readonly default?: PerennialConfig } = await import(pathToFileURL(file).href);
  if (module.default === undefined)
    throw new ConfigError(['found no default export, allowed: export default defineConfig({ ... })']);
  return module.default;
}
