import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/**
 * Returns the ARN of the secret with this name in the account of the stack. AWS appends a hyphen and six characters that it chooses.
 *
 * @param region region of the secret, by default that of the stack
 */
export function secretArn(scope: Construct, name: string, region?: string): string {
  return Stack.of(scope).formatArn({
    ...(region !== undefined && { region }),
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: name,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
