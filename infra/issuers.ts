import type { Issuer } from '../lambdas/rules/contract.ts';

/** An ACME server as the config gives it: made by `letsEncrypt`, `letsEncryptStaging` or `acmeDirectory`. */
export interface AcmeIssuer extends Issuer {
  /** Where the terms are that have to be agreed to; `null`: unknown here, so the server's own answer decides. */
  readonly termsOfService: string | null;
  /** PEM certificates that the functions trust besides the public ones when they talk to the server. */
  readonly trustedRoots: readonly string[];
}

export interface LetsEncryptOptions {
  /**
   * That you have read and agree to the Subscriber Agreement at https://letsencrypt.org/repository/. No default: nobody can
   * agree for you. RFC 8555 §7.3
   */
  readonly termsOfServiceAgreed: true;
  /**
   * E-mail addresses, with or without `mailto:`. Let's Encrypt keeps none since June 2025
   * (https://letsencrypt.org/2025/06/26/expiration-notification-service-has-ended).
   *
   * @default none
   */
  readonly contact?: readonly string[];
}

const letsEncryptBase = {
  termsOfService: 'https://letsencrypt.org/repository/',
  challenges: 'dns-01',
  trustedRoots: [],
} as const;

/**
 * Let's Encrypt, trusted everywhere. Its account limit is 300 new orders in 3 hours, renewals announced by ARI exempt
 * (https://letsencrypt.org/docs/rate-limits): a fleet run starts 250 first issuances at most, which leaves 50 for retries and
 * for orders started by hand.
 */
export function letsEncrypt(options: LetsEncryptOptions): AcmeIssuer {
  return {
    contact: [],
    ...options,
    ...letsEncryptBase,
    name: 'letsencrypt',
    directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory',
    staging: false,
    firstIssuancesPerRun: 250,
  };
}

/**
 * Let's Encrypt's staging: the same protocol with generous limits; its certificates are trusted nowhere. Begin here
 * (https://letsencrypt.org/docs/staging-environment).
 */
export function letsEncryptStaging(options: LetsEncryptOptions): AcmeIssuer {
  return {
    contact: [],
    ...options,
    ...letsEncryptBase,
    name: 'letsencrypt-staging',
    directoryUrl: 'https://acme-staging-v02.api.letsencrypt.org/directory',
    staging: true,
    firstIssuancesPerRun: null,
  };
}

export interface AcmeDirectoryOptions {
  /** URL of the directory (RFC 8555 §7.1.1), `https:` only. */
  readonly directoryUrl: string;
  /**
   * That you agree to the terms that the directory names. Without it a server that has terms refuses the account, and the
   * execution ends with `TermsNotAgreedError`.
   *
   * @default false
   */
  readonly termsOfServiceAgreed?: boolean;
  /**
   * Short name for messages and metrics.
   *
   * @default the directory's host
   */
  readonly name?: string;
  /**
   * E-mail addresses, with or without `mailto:`.
   *
   * @default none
   */
  readonly contact?: readonly string[];
  /**
   * Roots of a private CA's own HTTPS, as PEM text; one text may hold several certificates.
   *
   * @default the public roots of Node.js only
   */
  readonly trustedRoots?: readonly string[];
  /**
   * `none`: the server hands out authorizations that are valid already, as ACM's endpoint does, so no hosted zone is needed.
   *
   * @default 'dns-01'
   */
  readonly challenges?: 'dns-01' | 'none';
  /**
   * Its certificates are for tests: no cap on issues, never given to CloudFront.
   *
   * @default false
   */
  readonly staging?: boolean;
  /**
   * First issuances that one fleet run may start; `null` for a server without such a limit.
   *
   * @default null
   */
  readonly firstIssuancesPerRun?: number | null;
}

/** Any other ACME server (RFC 8555): a private CA, Pebble, ACM's ACME endpoint. */
export function acmeDirectory(options: AcmeDirectoryOptions): AcmeIssuer {
  return {
    name: URL.canParse(options.directoryUrl) ? new URL(options.directoryUrl).host : 'acme',
    termsOfServiceAgreed: false,
    contact: [],
    trustedRoots: [],
    challenges: 'dns-01',
    staging: false,
    firstIssuancesPerRun: null,
    ...options,
    termsOfService: null,
  };
}
