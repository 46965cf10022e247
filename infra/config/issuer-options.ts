import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ChallengeKind, Issuer, OrderLimit } from '../../lambdas/domain/contract/config.ts';

/**
 * An ACME server that issues certificates, as the configuration names it. Issuer functions such as `letsEncrypt`, `letsEncryptStaging` and
 * `acmeDirectory` make it.
 */
export interface AcmeIssuer extends Omit<Issuer, 'externalAccountBinding'> {
  /** ARN of a secret with the credentials of an external account binding, or the secret. `null` if the CA has none. */
  readonly externalAccountBinding: string | ISecret | null;
  /**
   * URL of the CA's terms, or URL of its directory, whose `meta.termsOfService` names them (RFC 8555 §7.1.1). The check then demands
   * `termsOfServiceAgreed: true`. With `null` the terms are not known at synth, and the server's reply decides.
   */
  readonly termsOfService: string | null;
  /** PEM texts of certificates that the functions trust in addition to the public roots when they connect to this server. */
  readonly trustedRoots: readonly string[];
  /**
   * Whether the CA refuses an account without a contact. The check then demands one.
   *
   * @default false
   */
  readonly contactRequired?: boolean;
  /**
   * Whether browsers trust the certificates of this issuer. CloudFront accepts only such certificates.
   *
   * @default true, unless `staging` is set or `trustedRoots` has entries
   */
  readonly publiclyTrusted?: boolean;
}

/** Options that every public CA takes. */
export interface IssuerOptions {
  /**
   * Whether you have read and agree to the CA's terms of service (RFC 8555 §7.3). There is no default, because only you can agree. The
   * check rejects `false` and names the terms.
   */
  readonly termsOfServiceAgreed: boolean;
  /**
   * E-mail addresses for the ACME account, with or without `mailto:`. The CA may use them for notices about the account. A change is sent to
   * the CA after the deployment.
   *
   * @default none
   */
  readonly contact?: readonly string[];
  /**
   * Common name of the root certificate that the chain should end in, for a CA that offers several chains. At Let's Encrypt that is
   * `ISRG Root X1` (the default), `ISRG Root X2` or `Root YE` for EC keys, and `ISRG Root X1` or `Root YR` for RSA keys. If no chain ends
   * in it, the CA's default chain is stored with a warning in the log and in the event.
   *
   * @default the CA's default chain
   */
  readonly preferredChain?: string;
}

/** Options of `letsEncrypt` and `letsEncryptStaging`. The subscriber agreement is at https://letsencrypt.org/repository/. */
export interface LetsEncryptOptions extends IssuerOptions {}

/** Options of CAs that bind an ACME account to an account that you have with them. RFC 8555 §7.3.4 */
export interface ExternalAccountOptions extends IssuerOptions {
  /**
   * A secret, or its complete ARN or a CDK token of it, in this account and region. The secret's value is the JSON text
   * `{"kid": "…", "hmacKey": "…"}` with the credentials from the CA. It is read once, when the ACME account is registered.
   */
  readonly externalAccountBinding: string | ISecret;
}

/** Options of `googleTrustServices` and `googleTrustServicesStaging`. */
export interface GoogleTrustServicesOptions extends ExternalAccountOptions {
  /** E-mail addresses for the ACME account, at least one, with or without `mailto:`. The CA refuses an account without a contact. */
  readonly contact: readonly string[];
}

/** Options of `sslCom`. */
export interface SslComOptions extends ExternalAccountOptions {
  /**
   * Algorithm of the CA's key. SSL.com has a directory for each. Choose the algorithm of your certificates' `keyType`.
   *
   * @default 'ECC', which fits the default key type P-256
   */
  readonly keys?: 'RSA' | 'ECC';
}

/** Options of `acmAcmeEndpoint`. */
export interface AcmAcmeEndpointOptions {
  /** URL of the endpoint's directory, `https://acm-acme-enroll.<region>.api.aws/<id>/directory`. */
  readonly directoryUrl: string;
  /**
   * A secret, or its complete ARN or a CDK token of it, with the key id and the MAC key of the endpoint's external account binding. The
   * format is the same as in `ExternalAccountOptions`.
   */
  readonly externalAccountBinding: string | ISecret;
  /**
   * Name for messages and metrics, 1 to 255 characters of ASCII without spaces. Several endpoints need different names.
   *
   * @default 'acm'
   */
  readonly name?: string;
}

/** Options of `acmeDirectory`. */
export interface AcmeDirectoryOptions extends Omit<IssuerOptions, 'termsOfServiceAgreed'> {
  /** URL of the ACME directory (RFC 8555 §7.1.1). Only `https:` is allowed. */
  readonly directoryUrl: string;
  /**
   * Whether you agree to the terms that the directory names. Without agreement a server that has terms rejects the account, and the
   * execution fails with `TermsNotAgreedError`.
   *
   * @default false
   */
  readonly termsOfServiceAgreed?: boolean;
  /**
   * Name for messages and metrics, 1 to 255 characters of ASCII without spaces.
   *
   * @default the host of the directory URL
   */
  readonly name?: string;
  /**
   * Root certificates for the HTTPS connection to a private CA, as PEM text. One text may hold several certificates.
   *
   * @default only the public roots of Node.js
   */
  readonly trustedRoots?: readonly string[];
  /**
   * The kinds of challenges that prove control over names. With `[]` the server returns authorizations that are already valid, as ACM's
   * endpoint does, and no hosted zone is needed. Other kinds that the server offers are ignored.
   *
   * @default ['dns-01']
   */
  readonly challenges?: readonly ChallengeKind[];
  /**
   * Whether the certificates are for tests only. The issue cap does not apply to them, and CloudFront never gets them.
   *
   * @default false
   */
  readonly staging?: boolean;
  /**
   * Whether browsers and CloudFront trust the certificates. `CertificateRenewal.certificate()` gives CloudFront no others.
   *
   * @default true, unless `trustedRoots` has entries. Never true for a `staging` directory
   */
  readonly publiclyTrusted?: boolean;
  /**
   * The server's limit on new orders, as a token bucket: `burst` orders at once (1 to 5,000), and one more every `everySeconds` seconds (1 to
   * 86,400). Leave a reserve for retries and manual orders. Renewals that the CA asks for by ARI do not count. `null` means no limit.
   *
   * @default null
   */
  readonly newOrders?: OrderLimit | null;
  /**
   * ARN of a secret for a server with external account binding, as in `ExternalAccountOptions`.
   *
   * @default none
   */
  readonly externalAccountBinding?: string | ISecret;
  /**
   * Whole seconds that one reply may take, from 1 to 200.
   *
   * @default 45
   */
  readonly replyTimeout?: number;
  /**
   * Whether the server supports changing the key of an account. RFC 8555 §7.3.5
   *
   * @default true
   */
  readonly keyRollover?: boolean;
}

const common: Readonly<Record<keyof IssuerOptions, true>> = {
  termsOfServiceAgreed: true,
  contact: true,
  preferredChain: true,
};
const bound: Readonly<Record<keyof ExternalAccountOptions, true>> = { ...common, externalAccountBinding: true };
const sslCom: Readonly<Record<keyof SslComOptions, true>> = { ...bound, keys: true };
const endpoint: Readonly<Record<keyof AcmAcmeEndpointOptions, true>> = {
  directoryUrl: true,
  externalAccountBinding: true,
  name: true,
};
const directory: Readonly<Record<keyof AcmeDirectoryOptions, true>> = {
  ...endpoint,
  ...common,
  trustedRoots: true,
  challenges: true,
  staging: true,
  publiclyTrusted: true,
  newOrders: true,
  replyTimeout: true,
  keyRollover: true,
};

/** The options of each issuer function. */
export const optionsOf = {
  letsEncrypt: common,
  letsEncryptStaging: common,
  googleTrustServices: bound,
  googleTrustServicesStaging: bound,
  zeroSsl: bound,
  sslCom,
  actalis: bound,
  acmAcmeEndpoint: endpoint,
  acmeDirectory: directory,
} as const;

/** How an issuer was made, so that the check can name the options of this function. */
export interface MadeBy {
  readonly issuerFunction: keyof typeof optionsOf;
  /** The argument of the function, which is not checked by a compiler when the caller is JavaScript. */
  readonly options: unknown;
}

/** The property of an issuer that holds `MadeBy`. It is a symbol, so that it is not a field of the configuration. */
export const madeBy: unique symbol = Symbol.for('cdk-perennial.madeBy');
