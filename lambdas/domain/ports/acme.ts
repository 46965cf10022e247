import type { IssuerAccount, OrderReference } from '../contract/certificate-facts.ts';
import type { Issuer } from '../contract/config.ts';
import type { ProblemDocument } from '../contract/errors.ts';

/** An order. Its status may be one that RFC 8555 §7.1.3 does not list. */
export interface Order extends OrderReference {
  readonly status: string;
  readonly authorizations: readonly string[];
  readonly certificate: string | null;
  readonly error: ProblemDocument | null;
  /** Retry-After of the reply, in seconds. `null` if it had none. */
  readonly retryAfter: number | null;
}

/** A challenge of any type. RFC 8555 §8 */
export interface Challenge {
  readonly type: string;
  readonly url: string;
  readonly status: string;
  /** `null` for challenge types without a token. */
  readonly token: string | null;
  readonly error: ProblemDocument | null;
}

/** An authorization. RFC 8555 §7.1.4 */
export interface Authorization {
  readonly url: string;
  readonly status: string;
  /** The identifier as ordered, with its star for a wildcard. */
  readonly identifier: string;
  readonly challenges: readonly Challenge[];
}

/**
 * One CA with one account. Each call sends one request, and repeats it only after badNonce (RFC 8555 §6.5). Throws the errors of
 * `errors/acme-errors.ts`.
 */
export interface CertificateAuthority {
  /** The account. It sends no request if the directory is cached. */
  account(): Promise<IssuerAccount>;
  /** Returns the names of the profiles that the CA offers. It sends no request if the directory is cached. draft-ietf-acme-profiles */
  profiles(): Promise<readonly string[]>;
  /**
   * Creates an order. `replaces` is sent if the directory has `renewalInfo`. Throws `AlreadyReplacedError`. RFC 9773 §5
   *
   * Throws `InvalidProfileError` before the request if the directory does not offer the profile, and after it if the order does not have the profile.
   */
  newOrder(request: {
    readonly identifiers: readonly string[];
    readonly profile: string | null;
    readonly replaces?: string | null;
  }): Promise<Order>;
  /**
   * Places an order and returns the link with which the CA refuses it, if the operator has to follow one. `null` if the CA accepts the order. The link
   * is complete and may have a token. Other refusals are thrown.
   */
  accountLink(request: {
    readonly identifiers: readonly string[];
    readonly profile: string | null;
  }): Promise<string | null>;
  order(url: string): Promise<Order>;
  authorization(url: string): Promise<Authorization>;
  /** Returns the TXT value for a dns-01 challenge. RFC 8555 §8.4 */
  challengeValue(challenge: Challenge): string;
  /** Asks the CA to validate a challenge. RFC 8555 §7.5.1 */
  respond(challengeUrl: string): Promise<void>;
  /** Finalizes an order with a CSR for these identifiers that this key signs. RFC 8555 §7.4 */
  finalize(order: OrderReference, identifiers: readonly string[], privateKey: string): Promise<Order>;
  /** Downloads the PEM chain, leaf first, and the URLs of alternate chains (`Link: rel="alternate"`). RFC 8555 §7.4.2 */
  certificate(url: string): Promise<{ readonly pem: string; readonly alternates: readonly string[] }>;
}

/** The key of an external account binding. RFC 8555 §7.3.4 */
export interface ExternalAccountKey {
  readonly kid: string;
  /** MAC key in base64url. */
  readonly hmacKey: string;
}

/** The reply to newAccount. */
export interface NewAccount {
  readonly url: string;
  /** `false` for an account that existed. The CA then ignores the contact of the request. */
  readonly created: boolean;
}

/** ACME accounts and revocation at any CA. */
export interface Acme {
  /** Registers an account with the contact of the issuer, or finds the existing account of this key. RFC 8555 §7.3 */
  newAccount(issuer: Issuer, privateKey: string, externalAccountKey?: ExternalAccountKey): Promise<NewAccount>;
  /** Finds the account of this key with `onlyReturnExisting`. `null` if the CA has none. RFC 8555 §7.3.1 */
  findAccount(issuer: Issuer, privateKey: string): Promise<string | null>;
  /** Reads the account. Throws `AccountNotValidError` if it is deactivated or revoked. RFC 8555 §7.3.6 */
  checkAccount(issuer: Issuer, account: { readonly url: string; readonly privateKey: string }): Promise<void>;
  /** Replaces the contact of the account with that of the issuer. RFC 8555 §7.3.2 */
  updateContact(issuer: Issuer, account: { readonly url: string; readonly privateKey: string }): Promise<void>;
  /** Changes the key of an account. RFC 8555 §7.3.5 */
  changeKey(
    issuer: Issuer,
    account: { readonly url: string; readonly privateKey: string },
    newPrivateKey: string,
  ): Promise<void>;
  /** Deactivates an account for good. RFC 8555 §7.3.6 */
  deactivate(issuer: Issuer, account: { readonly url: string; readonly privateKey: string }): Promise<void>;
  /** Revokes a certificate, signed by the account or by the key of the certificate. Already revoked is a success. RFC 8555 §7.6 */
  revoke(
    issuer: Issuer,
    signer: { readonly url: string; readonly privateKey: string } | { readonly certificateKey: string },
    certificate: string,
    reason: number,
  ): Promise<void>;
  /** Returns the CA as this account sees it. It sends no request. */
  connect(issuer: Issuer, account: { readonly url: string; readonly privateKey: string }): CertificateAuthority;
}
