import { resolve } from 'node:path';
import { App, CliCredentialsStackSynthesizer, type IStackSynthesizer, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { loadConfigFile } from './config/config-file.ts';
import { ConfigError } from './config/mistakes.ts';
import { perennialStack } from './perennial-stack.ts';

/**
 * The CDK app. It deploys one stack from one config file, which is `certificates.ts` or the path in `-c config=path/to/file.ts`. If the AWS endpoint is
 * on this machine, the stack does not use the bootstrap roles, because an emulator that enforces IAM does not allow them to publish assets.
 */
const app = new App();
const path = resolve(app.node.tryGetContext('config') ?? 'certificates.ts');
const local = /^https?:\/\/(localhost|127\.\d+\.\d+\.\d+)\b/.test(process.env.AWS_ENDPOINT_URL ?? '');

try {
  // The synthesizer's getters may return `undefined`, and the interface has optional properties instead.
  const props = local ? { synthesizer: new CliCredentialsStackSynthesizer() as IStackSynthesizer } : {};
  perennialStack(app, await loadConfigFile(path), props);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${path}\n${error.mistakes.map((each) => `  ${each}\n`).join('')}`);
  // Exits at once. The app would otherwise synthesize its incomplete stack when Node.js has nothing left to do.
  process.exit(1);
}
