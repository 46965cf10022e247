/** An ACME account as its secret holds it. */
export interface AcmeAccount {
  /** Private key in PKCS#8 PEM, P-256. */
  readonly privateKey: string;
  /** URL of the account. `null` until it is registered. RFC 8555 §7.3 */
  readonly url: string | null;
  /** The contact as the CA has it, as `mailto:` URLs. Absent if it is not known, because the account was found by its key. RFC 8555 §7.3 */
  readonly contact?: readonly string[];
  /** Version of the secret. */
  readonly version: string;
  /** The next key, stored before a key rollover whose result is not known. The CA tells which of the two keys is in use. RFC 8555 §7.3.5 */
  readonly nextPrivateKey?: string;
}

/** Secrets of ACME accounts, one for each directory. */
export interface AccountSecrets {
  /** Returns `null` if there is no secret. */
  read(directoryUrl: string): Promise<AcmeAccount | null>;
  /** Stores the key of a new account and returns what is stored. If another process was first, that is its key. */
  create(directoryUrl: string, privateKey: string): Promise<AcmeAccount>;
  /** Sets the operator's tags on the secret. Other tags stay. */
  tag(directoryUrl: string): Promise<void>;
  /** Stores the URL of the account and its contact, if it is known. */
  saveUrl(
    directoryUrl: string,
    account: AcmeAccount,
    registered: { readonly url: string } & Pick<AcmeAccount, 'contact'>,
  ): Promise<AcmeAccount>;
  /** Compare-and-swap: stores `after` if `before` is still current. Returns what is current then. */
  replace(directoryUrl: string, before: AcmeAccount, after: Omit<AcmeAccount, 'version'>): Promise<AcmeAccount>;
}
