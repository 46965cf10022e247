import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { sentences } from '../../../domain/contract/errors/perennial-error.ts';
import { AccessDeniedError, ExternalAccountBindingError, SecretDeletedError } from '../../../domain/contract/errors.ts';
import { printable } from '../../../domain/contract/printable-text.ts';
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
    const members = membersOf(trimmed(reply.SecretString));
    const [kid, hmacKey] = [trimmed(members.kid), trimmed(members.hmacKey)];
    // base64, which some CAs show, is accepted too, because the signer reads both.
    if (kid && hmacKey && /^[\w+/-]+={0,2}$/.test(hmacKey)) return { kid, hmacKey };
    throw new ExternalAccountBindingError({
      what: `The secret ${secret} does not hold an external account binding.`,
      why: found(reply.SecretString, members),
      remedy: `Put ${wanted} into it.`,
      secret,
    });
  };
}

/** Removes the byte order mark and the white space around a text, which editors and shells add. Returns `undefined` for another value. */
const trimmed = (value: unknown): string | undefined => (typeof value === 'string' ? value.trim() : undefined);

/** Longest name of a member in a message, in characters. A longer one may be a MAC key in the wrong place. */
const longestName = 20;
const mostNames = 10;

/** Says what the secret has in place of a binding. It gives names of members only, because their values are secret. */
function found(value: string | undefined, members: Readonly<Record<string, unknown>>): string {
  if (value === undefined) return 'It has no text.';
  const names = Object.keys(members);
  if (Array.isArray(members) || names.length === 0) return 'Its text is not a JSON object with members.';
  const listed = names
    .slice(0, mostNames)
    .map((name) => (name.length > longestName ? `a name of ${name.length} characters` : printable(name, longestName)));
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  const complete = ['kid', 'hmacKey'].every((name) => names.includes(name));
  const wrong = complete ? ' Its kid is empty or no text, or its hmacKey is not base64url.' : '';
  return `Its members are ${listed.join(', ')}${more}.${wrong}`;
}
