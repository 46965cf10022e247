import { type App, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { CertificateRenewal } from './certificate-renewal.ts';
import { checkConfig } from './config/check-config.ts';
import type { PerennialConfig } from './config/perennial-config.ts';
import { addOutputs } from './outputs.ts';

/**
 * Adds the stack of one config file to the app.
 *
 * @param config default export of the file, which is checked here
 * @throws ConfigError with every mistake of the config
 */
export function perennialStack(app: App, config: unknown, props: Pick<StackProps, 'synthesizer'> = {}): Stack {
  const stack = new Stack(app, 'Perennial', { description: 'Perennial: renews TLS certificates', ...props });
  const { checkInterval } = checkConfig(config, { stack: { scope: stack, others: [] } }).deployed;
  const { encryptionKey, ...fields } = config as PerennialConfig;
  const renewal = new CertificateRenewal(stack, 'Certificates', {
    ...fields,
    schedule: Duration.seconds(checkInterval),
    ...(encryptionKey !== undefined && { encryptionKey: Key.fromKeyArn(stack, 'EncryptionKey', encryptionKey) }),
  });
  addOutputs(stack, renewal);
  return stack;
}
