import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { AccessDeniedError, ExternalAccountBindingError, SecretDeletedError } from '../../../domain/contract/errors.ts';
import type { ExternalAccountKey } from '../../../domain/ports/acme.ts';
import { membersOf, secretReplyOf, warmSecretsClient } from './secrets.ts';

/** Reads the binding that an operator put into a secret: by its ARN, only when an account is registered. */
export type ReadExternalAccountKey = (secretArn: string) => Promise<ExternalAccountKey>;

const wanted = 'a JSON object {"kid": "…", "hmacKey": "…"} with the values that the CA gave you';

/** RFC 8555 §7.3.4 */
export function createExternalAccountKeys(client: SecretsManagerClient = warmSecretsClient()): ReadExternalAccountKey {
  return async (secret) => {
    const command = new GetSecretValueCommand({ SecretId: secret, VersionStage: 'AWSCURRENT' });
    const reply = await secretReplyOf(client, { action: 'GetSecretValue', secret }, client.send(command), {
      [ResourceNotFoundException.name]: () => null,
    }).catch((error: unknown) => {
      if (!(error instanceof AccessDeniedError || error instanceof SecretDeletedError)) throw error;
      const next = 'If a customer KMS key encrypts it, let the order function decrypt with that key.';
      throw new ExternalAccountBindingError(
        `The external account binding in ${secret} cannot be read: ${error.message}${error instanceof AccessDeniedError ? ` ${next}` : ''}`,
        { cause: error },
      );
    });
    if (reply === null) {
      throw new ExternalAccountBindingError(
        `There is no secret ${secret} (or it has no value yet), which the configuration names as external account binding: put ${wanted} into it.`,
      );
    }
    const { kid, hmacKey } = membersOf(reply.SecretString);
    // base64 as some CAs show it is taken too: the signer reads either.
    if (typeof kid === 'string' && kid !== '' && typeof hmacKey === 'string' && /^[\w+/-]+={0,2}$/.test(hmacKey)) {
      return { kid, hmacKey };
    }
    throw new ExternalAccountBindingError(
      `The secret ${secret} does not hold an external account binding: put ${wanted} into it.`,
    );
  };
}
