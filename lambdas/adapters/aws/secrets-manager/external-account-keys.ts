import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { sentences } from '../../../domain/contract/errors/perennial-error.ts';
import { AccessDeniedError, ExternalAccountBindingError, SecretDeletedError } from '../../../domain/contract/errors.ts';
import type { ExternalAccountKey } from '../../../domain/ports/acme.ts';
import { membersOf, readVersion, warmSecretsClient } from './secrets.ts';

/** Reads the binding that the operator put into a secret. It is read only when an account is registered. */
type ReadExternalAccountKey = (secretArn: string) => Promise<ExternalAccountKey>;

const wanted = 'a JSON object {"kid": "…", "hmacKey": "…"} with the values that the CA gave you';

/** Reads the key of an external account binding. RFC 8555 §7.3.4 */
export function createExternalAccountKeys(client: SecretsManagerClient = warmSecretsClient()): ReadExternalAccountKey {
  return async (secret) => {
    const asked = readVersion({ client, secret }, { VersionStage: 'AWSCURRENT' });
    const reply = await asked.catch((error: unknown) => {
      if (!(error instanceof AccessDeniedError || error instanceof SecretDeletedError)) throw error;
      const { what, why, remedy } = error.explanation;
      const ofKey = 'If a customer KMS key encrypts it, allow the order function to decrypt with that key.';
      throw new ExternalAccountBindingError({
        what: `The external account binding in ${secret} cannot be read.`,
        why: sentences({ what, why }),
        remedy: error instanceof AccessDeniedError ? [remedy, ofKey].join(' ') : remedy,
        secret,
        cause: error,
      });
    });
    if (reply === null) {
      throw new ExternalAccountBindingError({
        what: `The secret ${secret} of the external account binding does not exist or has no value.`,
        remedy: `Put ${wanted} into it.`,
        secret,
      });
    }
    const { kid, hmacKey } = membersOf(reply.SecretString);
    // base64, which some CAs show, is accepted too, because the signer reads both.
    if (typeof kid === 'string' && kid !== '' && typeof hmacKey === 'string' && /^[\w+/-]+={0,2}$/.test(hmacKey)) {
      return { kid, hmacKey };
    }
    throw new ExternalAccountBindingError({
      what: `The secret ${secret} does not hold an external account binding.`,
      remedy: `Put ${wanted} into it.`,
      secret,
    });
  };
}
