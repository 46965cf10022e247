import type { Issuer } from '../domain/contract/config.ts';
import { AccountDoesNotExistError } from '../domain/contract/errors.ts';
import type { AccountSecrets } from '../domain/ports/account-secrets.ts';
import type { Acme, CertificateAuthority, ExternalAccountKey } from '../domain/ports/acme.ts';
import type { NewPrivateKey } from '../domain/ports/private-keys.ts';
import { accountKeyInUse } from './account-key-in-use.ts';
import { newAccount, type Registered } from './new-account.ts';

export interface AccountPorts {
  readonly accounts: AccountSecrets;
  readonly acme: Acme;
  /** Reads the external account binding from this secret. Throws `ExternalAccountBindingError`. RFC 8555 §7.3.4 */
  readonly externalAccountKey: (secretArn: string) => Promise<ExternalAccountKey>;
  readonly newPrivateKey: NewPrivateKey;
}

/**
 * Returns the CA as the stored account sees it. On first use it registers the account. RFC 8555 §7.3. It creates a key, stores the key in the secret,
 * calls newAccount, and stores the URL of the account. If two executions store a key at the same time, both use the first one. An interruption leaves
 * a key that the next call registers, and never an account without its key.
 *
 * If the CA no longer knows the account, `newOrder` registers it again with the same key and repeats the order once.
 */
export async function ensureAccount(issuer: Issuer, ports: AccountPorts): Promise<CertificateAuthority> {
  const { accounts, acme, newPrivateKey } = ports;
  const { directoryUrl } = issuer;
  const stored = await accounts.read(directoryUrl);
  const account = stored
    ? await accountKeyInUse(issuer, stored, ports)
    : await accounts.create(directoryUrl, await newPrivateKey('P-256'));
  if (!account.url) return connectionTo(issuer, await newAccount(issuer, account, ports), acme);

  let ca = connectionTo(issuer, { ...account, url: account.url }, acme);
  return {
    account: () => ca.account(),
    profiles: () => ca.profiles(),
    async newOrder(request) {
      try {
        return await ca.newOrder(request);
      } catch (error) {
        if (!(error instanceof AccountDoesNotExistError)) throw error;
        ca = connectionTo(issuer, await newAccount(issuer, account, ports), acme);
        return ca.newOrder(request);
      }
    },
    accountLink: (request) => ca.accountLink(request),
    order: (url) => ca.order(url),
    authorization: (url) => ca.authorization(url),
    challengeValue: (challenge) => ca.challengeValue(challenge),
    respond: (url) => ca.respond(url),
    finalize: (...request) => ca.finalize(...request),
    certificate: (url) => ca.certificate(url),
  };
}

const connectionTo = (issuer: Issuer, { url, privateKey }: Registered, acme: Acme): CertificateAuthority =>
  acme.connect(issuer, { url, privateKey });
