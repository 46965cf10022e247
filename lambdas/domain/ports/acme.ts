import type { IssuerAccount, OrderReference } from '../contract/certificate-facts.ts';
import type { Issuer } from '../contract/config.ts';
import type { ProblemDocument } from '../contract/errors.ts';

/** RFC 8555 §7.1.3. Unknown statuses are possible. */
export interface Order extends OrderReference {
  readonly status: string;
  readonly authorizations: readonly string[];
  readonly certificate: string | null;
  readonly error: ProblemDocument | null;
  /** Seconds; `null` when the reply had none. */
  readonly retryAfter: number | null;
}

export interface Challenge {
  readonly type: string;
  readonly url: string;
  readonly status: string;
  /** Absent in some challenge types. */
  readonly token: string | null;
  readonly error: ProblemDocument | null;
}

export interface Authorization {
  readonly url: string;
  readonly status: string;
  /** As ordered: with its star. RFC 8555 §7.1.4 */
  readonly identifier: string;
  readonly challenges: readonly Challenge[];
}

/** One CA seen from one account. Each call is one request, but for badNonce (RFC 8555 §6.5). Throws the ACME errors of `errors.ts`. */
export interface CertificateAuthority {
  /** Our account here. No request when the directory is known already. */
  account(): Promise<IssuerAccount>;
  /** `replaces` is passed on where the directory offers renewalInfo. Throws `AlreadyReplacedError`. RFC 9773 §5 */
  newOrder(request: {
    readonly identifiers: readonly string[];
    readonly profile: string | null;
    readonly replaces?: string | null;
  }): Promise<Order>;
  order(url: string): Promise<Order>;
  authorization(url: string): Promise<Authorization>;
  /** The TXT value for a dns-01 challenge. RFC 8555 §8.4 */
  challengeValue(challenge: Challenge): string;
  /** RFC 8555 §7.5.1 */
  respond(challengeUrl: string): Promise<void>;
  /** RFC 8555 §7.4, with a CSR for these identifiers signed by this key. */
  finalize(order: OrderReference, identifiers: readonly string[], privateKey: string): Promise<Order>;
  /** The PEM chain, leaf first, and the URLs of alternates (`Link: rel="alternate"`). RFC 8555 §7.4.2 */
  certificate(url: string): Promise<{ readonly pem: string; readonly alternates: readonly string[] }>;
}

/** RFC 8555 §7.3.4 */
export interface ExternalAccountKey {
  readonly kid: string;
  /** base64url */
  readonly hmacKey: string;
}

export interface Acme {
  /** newAccount; an account of this key that exists already comes back. RFC 8555 §7.3 */
  newAccount(issuer: Issuer, privateKey: string, externalAccountKey?: ExternalAccountKey): Promise<string>;
  /** newAccount with onlyReturnExisting; `null`: the CA knows no account of this key. RFC 8555 §7.3.1 */
  findAccount(issuer: Issuer, privateKey: string): Promise<string | null>;
  /** RFC 8555 §7.3.5 */
  changeKey(
    issuer: Issuer,
    account: { readonly url: string; readonly privateKey: string },
    newPrivateKey: string,
  ): Promise<void>;
  /** RFC 8555 §7.3.6 */
  deactivate(issuer: Issuer, account: { readonly url: string; readonly privateKey: string }): Promise<void>;
  /** RFC 8555 §7.6; signed by the account, or by the certificate's own key. Revoked already is success. */
  revoke(
    issuer: Issuer,
    signer: { readonly url: string; readonly privateKey: string } | { readonly certificateKey: string },
    certificate: string,
    reason: number,
  ): Promise<void>;
  connect(issuer: Issuer, account: { readonly url: string; readonly privateKey: string }): CertificateAuthority;
}
