import { secretOptions } from '../../contract/secret-commands.ts';

/**
 * Returns the commands that delete a secret at once, for messages. Without `--force-delete-without-recovery` AWS keeps the name for 7 to 30 days,
 * and no secret with this name can be created. AWS rejects the deletion of a secret that has replicas.
 * https://docs.aws.amazon.com/cli/latest/reference/secretsmanager/delete-secret.html
 */
export const deleteSecretCommands = (secret: string): string =>
  `"aws secretsmanager delete-secret ${secretOptions(secret)} --force-delete-without-recovery", after ` +
  `"aws secretsmanager remove-regions-from-replication ${secretOptions(secret)} --remove-replica-regions REGION" if it has replicas`;
