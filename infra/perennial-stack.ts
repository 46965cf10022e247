import { type App, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { CertificateRenewal } from './certificate-renewal.ts';
import { ConfigError, checkConfig, type PerennialConfig } from './config/check-config.ts';

/** Adds the stack of one config file to the app. @throws ConfigError with every mistake of the config */
export function perennialStack(
  app: App,
  { encryptionKey, ...config }: PerennialConfig,
  props: Pick<StackProps, 'synthesizer'> = {},
): Stack {
  if (encryptionKey !== undefined && !/^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/.test(String(encryptionKey)))
    throw new ConfigError([`encryptionKey: found ${JSON.stringify(encryptionKey)}, allowed: the ARN of a KMS key`]);
  const { checkInterval } = checkConfig(config, ['encryptionKey']).deployed;
  const stack = new Stack(app, 'Perennial', {
    description: 'Perennial: certificates that renew themselves',
    ...props,
  });
  new CertificateRenewal(stack, 'Certificates', {
    ...config,
    schedule: Duration.seconds(checkInterval),
    ...(encryptionKey !== undefined && { encryptionKey: Key.fromKeyArn(stack, 'EncryptionKey', encryptionKey) }),
  });
  return stack;
}
