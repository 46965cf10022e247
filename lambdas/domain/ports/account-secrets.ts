export interface AcmeAccount {
  /** PKCS#8 PEM, P-256. */
  readonly privateKey: string;
  /** `null` until the CA has it. RFC 8555 §7.3 */
  readonly url: string | null;
  /** The secret's version. */
  readonly version: string;
  /** Stored before a change of key whose end is not known: the CA says which of the two is live. RFC 8555 §7.3.5 */
  readonly nextPrivateKey?: string;
}

export interface AccountSecrets {
  read(directoryUrl: string): Promise<AcmeAccount | null>;
  /** Key first: whoever was first wins, and what is stored comes back. */
  create(directoryUrl: string, privateKey: string): Promise<AcmeAccount>;
  saveUrl(directoryUrl: string, account: AcmeAccount, url: string): Promise<AcmeAccount>;
  /** Compare and swap: takes the place of `before` while that is current. What is current then comes back, ours or another's. */
  replace(directoryUrl: string, before: AcmeAccount, after: Omit<AcmeAccount, 'version'>): Promise<AcmeAccount>;
}
