/** Commands of the AWS CLI that messages give to the operator. `rules/failure/delete-secret.ts` has the commands for a deletion. */

export const restoreCommand = (secret: string): string => `aws secretsmanager restore-secret --secret-id ${secret}`;

export const stopReplicationCommand = (secret: string, region: string): string =>
  `aws secretsmanager stop-replication-to-replica --secret-id ${secret} --region ${region}`;
