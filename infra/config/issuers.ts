import type { Issuer } from '../../lambdas/domain/contract/config.ts';

/** An ACME server as the config gives it: made by `letsEncrypt`, `letsEncryptStaging`, ... or `acmeDirectory`. */
export interface AcmeIssuer extends Issuer {
  /** Where the terms are that have to be agreed to; `null`: unknown here, so the server's own answer decides. */
  readonly termsOfService: string | null;
  /** PEM certificates that the functions trust besides the public ones when they talk to the server. */
  readonly trustedRoots: readonly string[];
  /** Browsers trust its certificates, so CloudFront takes them. @default when it is no staging directory and has no roots of its own */
  readonly publiclyTrusted?: boolean;
}

/** Of every public CA. */
export interface IssuerOptions {
  /** That you have read and agree to the CA's subscriber agreement. No default: nobody can agree for you. RFC 8555 §7.3 */
  readonly termsOfServiceAgreed: true;
  /**
   * E-mail addresses, with or without `mailto:`.
   *
   * @default none
   */
  readonly contact?: readonly string[];
  /**
   * Common name of the root that the chain shall end in, where the CA offers several chains. Without such a chain the CA's default is
   * stored, with a warning.
   *
   * @default the CA's own choice
   */
  readonly preferredChain?: string;
}

/** Options of Let's Encrypt, whose agreement is at https://letsencrypt.org/repository/. */
export interface LetsEncryptOptions extends IssuerOptions {}

/** Of CAs that bind an ACME account to one that you have with them. RFC 8555 §7.3.4 */
export interface ExternalAccountOptions extends IssuerOptions {
  /**
   * The whole ARN (or a CDK token of it) of a secret in this account and region with the JSON value
   * `{"kid": "…", "hmacKey": "…"}`, as the CA gave them to you. It is read once, when the account is registered.
   */
  readonly externalAccountBinding: string;
}

/**
 * What most have in common. 45 seconds for an answer: some CAs sign within the request, in 30 s.
 *
 * A name is for messages, metrics and the account workflow's input.
 */
const publicCa = {
  termsOfService: null,
  contact: [],
  challenges: 'dns-01',
  staging: false,
  firstIssuancesPerRun: null,
  trustedRoots: [],
  externalAccountBinding: null,
  preferredChain: null,
  replyTimeout: 45,
  keyRollover: true,
} as const;

const letsEncryptTerms = 'https://letsencrypt.org/repository/';

/**
 * Let's Encrypt, trusted everywhere. Its account limit is 300 new orders in 3 hours, renewals announced by ARI exempt
 * (https://letsencrypt.org/docs/rate-limits): a fleet run starts 250 first issuances at most, which leaves 50 for retries and
 * for orders started by hand. It keeps no contacts since June 2025
 * (https://letsencrypt.org/2025/06/26/expiration-notification-service-has-ended).
 */
export function letsEncrypt(options: LetsEncryptOptions): AcmeIssuer {
  return {
    ...publicCa,
    ...options,
    name: 'letsencrypt',
    directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory',
    termsOfService: letsEncryptTerms,
    firstIssuancesPerRun: 250,
  };
}

/**
 * Let's Encrypt's staging: the same protocol with generous limits; its certificates are trusted nowhere. Begin here
 * (https://letsencrypt.org/docs/staging-environment).
 */
export function letsEncryptStaging(options: LetsEncryptOptions): AcmeIssuer {
  return {
    ...publicCa,
    ...options,
    name: 'letsencrypt-staging',
    directoryUrl: 'https://acme-staging-v02.api.letsencrypt.org/directory',
    termsOfService: letsEncryptTerms,
    staging: true,
  };
}

/**
 * Google Trust Services. Credentials come from `gcloud publicca external-account-keys create` and register one account within seven
 * days (https://cloud.google.com/certificate-manager/docs/public-ca-tutorial): put them into the secret, then deploy.
 */
export function googleTrustServices(options: ExternalAccountOptions): AcmeIssuer {
  return {
    ...publicCa,
    ...options,
    name: 'google-trust-services',
    directoryUrl: 'https://dv.acme-v02.api.pki.goog/directory',
  };
}

/** Google Trust Services' staging, with credentials of its own; its certificates are trusted nowhere. */
export function googleTrustServicesStaging(options: ExternalAccountOptions): AcmeIssuer {
  return {
    ...publicCa,
    ...options,
    name: 'google-trust-services-staging',
    directoryUrl: 'https://dv.acme-v02.test-api.pki.goog/directory',
    staging: true,
  };
}

/**
 * ZeroSSL. Its credentials register one account only (mod_md's documentation of MDExternalAccountBinding), and it does not change the
 * key of an account.
 */
export function zeroSsl(options: ExternalAccountOptions): AcmeIssuer {
  return {
    ...publicCa,
    ...options,
    name: 'zerossl',
    directoryUrl: 'https://acme.zerossl.com/v2/DV90',
    keyRollover: false,
  };
}

export interface SslComOptions extends ExternalAccountOptions {
  /**
   * SSL.com has a directory for each: `RSA` or `ECC`. Choose the one of your certificates' key type.
   *
   * @default 'ECC', for the default key type P-256
   */
  readonly keys?: 'RSA' | 'ECC';
}

/** SSL.com. Changing the key of an account fails there (Posh-ACME#483). */
export function sslCom({ keys = 'ECC', ...options }: SslComOptions): AcmeIssuer {
  return {
    ...publicCa,
    ...options,
    name: `sslcom-${keys.toLowerCase()}`,
    directoryUrl: `https://acme.ssl.com/sslcom-dv-${keys.toLowerCase()}`,
    keyRollover: false,
  };
}

/**
 * Actalis. What an account may order (names, wildcards) depends on the contract with it
 * (https://guide.actalis.com/ssl-certificate/acme.aspx).
 */
export function actalis(options: ExternalAccountOptions): AcmeIssuer {
  return {
    ...publicCa,
    ...options,
    name: 'actalis',
    directoryUrl: 'https://acme-api.actalis.com/acme/directory',
  };
}

export interface AcmAcmeEndpointOptions {
  /** The endpoint's directory, `https://acm-acme-enroll.<region>.api.aws/<id>/directory`. */
  readonly directoryUrl: string;
  /** ARN of a secret with the key id and MAC key of an external account binding of the endpoint: `ExternalAccountOptions`. */
  readonly externalAccountBinding: string;
  /**
   * Where you use several endpoints, each needs a name of its own.
   *
   * @default 'acm'
   */
  readonly name?: string;
}

/**
 * The ACME endpoint of AWS Certificate Manager. It hands out authorizations that are valid already, for the domains that the endpoint
 * was set up with, so no hosted zone is needed. Issuance takes minutes, and AWS asks clients to wait ten
 * (https://docs.aws.amazon.com/acm/latest/userguide/acm-acme-issuance.html); an answer alone may take two.
 */
export function acmAcmeEndpoint({ name = 'acm', ...options }: AcmAcmeEndpointOptions): AcmeIssuer {
  return {
    ...publicCa,
    ...options,
    name,
    // The contract is the one with AWS.
    termsOfServiceAgreed: true,
    challenges: 'none',
    // A key change is not documented.
    keyRollover: false,
    replyTimeout: 130,
  };
}

export interface AcmeDirectoryOptions extends Omit<IssuerOptions, 'termsOfServiceAgreed'> {
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
   * Browsers trust its certificates, and so does CloudFront: `certificate()` gives it none of another issuer's.
   *
   * @default true, unless `trustedRoots` say that it is a private CA; never of a `staging` directory
   */
  readonly publiclyTrusted?: boolean;
  /**
   * First issuances that one fleet run may start; `null` for a server without such a limit.
   *
   * @default null
   */
  readonly firstIssuancesPerRun?: number | null;
  /**
   * As in `ExternalAccountOptions`, for a server that wants it.
   *
   * @default none
   */
  readonly externalAccountBinding?: string;
  /**
   * Seconds that one answer may take, 300 at most.
   *
   * @default 45
   */
  readonly replyTimeout?: number;
  /**
   * Whether the server can change the key of an account. RFC 8555 §7.3.5
   *
   * @default true
   */
  readonly keyRollover?: boolean;
}

/** Any other ACME server (RFC 8555): a CA with a directory of your own (Sectigo, DigiCert, GlobalSign), a private CA, Pebble. */
export function acmeDirectory(options: AcmeDirectoryOptions): AcmeIssuer {
  return {
    ...publicCa,
    name: URL.canParse(options.directoryUrl) ? new URL(options.directoryUrl).host : 'acme',
    termsOfServiceAgreed: false,
    ...options,
  };
}
