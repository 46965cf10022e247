import { text } from './fields.ts';

/** Prefix of a secret's name, which has at most 512 characters. The slash separates `certificates/*` in a policy from other secrets. */
export const secretPrefixPattern = /^[A-Za-z0-9/_+=.@-]{0,399}[A-Za-z0-9_+=.@-]\/$/;

/** `secretPrefix` by default. */
export const defaultSecretPrefix = 'certificates/';

/** Reads `secretPrefix`. */
export const secretPrefix = text(
  secretPrefixPattern,
  'at most 401 characters of A to Z, a to z, 0 to 9 and /_+=.@- that end in one slash',
).default(defaultSecretPrefix);

/** The secrets of ACME accounts are beside those of the certificates: `certificates-accounts/`. */
export const accountSecretPrefix = (prefix: string): string => prefix.replace(/\/$/, '-accounts/');
