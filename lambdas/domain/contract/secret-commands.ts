// Commands of the AWS CLI that messages give to the operator. `rules/failure/delete-secret.ts` has the commands for a deletion.

/** Returns the option for the region of an ARN. The AWS CLI takes the region from its own settings, and not from an ARN. A name has no region. */
export function regionOption(arn: string): string {
  const region = arn.split(':')[3];
  return region ? ` --region ${region}` : '';
}

/** Returns the options that name a secret. */
export const secretOptions = (secret: string): string => `--secret-id ${secret}${regionOption(secret)}`;

export const restoreCommand = (secret: string): string => `aws secretsmanager restore-secret ${secretOptions(secret)}`;

export const stopReplicationCommand = (secret: string, region: string): string =>
  `aws secretsmanager stop-replication-to-replica --secret-id ${secret} --region ${region}`;
