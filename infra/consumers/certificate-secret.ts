import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { ConfigError, mistake } from '../config/mistakes.ts';

interface CertificateSecretProps {
  /** Name of the secret. */
  readonly name: string;
  /** The grant of the certificate. The CDK's own grant would also allow reading staged and compromised keys. */
  readonly grantRead: (grantee: IGrantable) => Grant;
}

/** Returns the secret of a certificate, which only Perennial writes. */
export function certificateSecret(scope: Construct, id: string, { name, grantRead }: CertificateSecretProps): ISecret {
  const refuse = (method: string) => () => {
    const path = `secret(${JSON.stringify(name)}).${method}`;
    throw new ConfigError([mistake(path, 'only Perennial changes the secret', 'use grantRead without stages')]);
  };
  return Object.assign(Secret.fromSecretNameV2(scope, id, name), {
    grantRead: (grantee: IGrantable, stages?: string[]) => (stages ? refuse('grantRead')() : grantRead(grantee)),
    grantWrite: refuse('grantWrite'),
    addRotationSchedule: refuse('addRotationSchedule'),
    addToResourcePolicy: refuse('addToResourcePolicy'),
    attach: refuse('attach'),
  });
}
