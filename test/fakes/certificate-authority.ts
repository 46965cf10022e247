import { createHash } from 'node:crypto';
import type { IssuerAccount, OrderReference } from '../../lambdas/domain/contract/certificate-facts.ts';
import type { CertificateSecretValue } from '../../lambdas/domain/contract/certificate-secret.ts';
import type { Issuer, KeyType } from '../../lambdas/domain/contract/config.ts';
import {
  AccountDoesNotExistError,
  AccountNotValidError,
  ExternalAccountBindingError,
  ExternalAccountRequiredError,
  KeyRolloverUnsupportedError,
  MalformedError,
  OrderNotReadyError,
  type ProblemDocument,
  TermsNotAgreedError,
  UnauthorizedError,
} from '../../lambdas/domain/contract/errors.ts';
import type {
  Acme,
  Authorization,
  CertificateAuthority,
  Challenge,
  ExternalAccountKey,
  NewAccount,
  Order,
} from '../../lambdas/domain/ports/acme.ts';
import type { Clock } from '../../lambdas/domain/ports/runtime.ts';
import { type Authority, makeAuthority, makeLeaf, makePrivateKey, pemOf } from './certificates.ts';
import type { CallRecorder } from './recorder.ts';

interface OrderState {
  status: string;
  certificate: string | null;
  error: ProblemDocument | null;
  readonly identifiers: readonly string[];
  readonly profile: string | null;
  /** RFC 3339. */
  readonly expires: string;
  readonly authorizations: readonly AuthorizationState[];
}

interface AuthorizationState {
  status: string;
  readonly url: string;
  readonly identifier: string;
  readonly challenges: { -readonly [Field in keyof Challenge]: Challenge[Field] }[];
}

/** A CA in memory. Orders, authorizations and challenges change their status as RFC 8555 §7.1.6 says. Certificates are really signed. */
export class FakeCa implements CertificateAuthority {
  /** Identifiers whose authorizations are valid from the start, as if they were reused from an earlier order. */
  readonly alreadyValid = new Set<string>();
  /** Problems of the identifiers whose validation fails. */
  readonly rejected = new Map<string, ProblemDocument>();
  /** Whether a failed challenge stays pending with its error, as RFC 8555 §8.2 allows. */
  failedStaysPending = false;
  /** Makes each new order invalid at once, with this problem. */
  invalidFromTheStart: ProblemDocument | null = null;
  /** The challenges that are offered for each identifier. The token of a type without one is `null`. */
  challengeTypes: readonly { readonly type: string; readonly token: boolean }[] = [
    { type: 'http-01', token: true },
    { type: 'dns-01', token: true },
  ];
  /** The link with which each new order is refused, as by a CA that has paused the account. */
  pausedWith: string | null = null;
  /** Names of the profiles in the directory. */
  offeredProfiles: readonly string[] = [];
  /** Names that CAA records use to allow this CA. */
  caaIdentities: readonly string[] = ['ca.test'];
  validation: 'at once' | 'later' = 'at once';
  /** Whether a certificate is issued at once, when the test calls `finish`, or two minutes after the CSR. */
  issuance: 'at once' | 'later' | 'after two minutes' = 'at once';
  retryAfter: number | null = null;
  /** Returns the token of an authorization. Some CAs use the same token for a domain and its wildcard. */
  tokenOf: (order: string, identifier: string) => string = (order, identifier) => `token of ${identifier} in ${order}`;
  /** Issues the certificate of an order. Returns the PEM chain. */
  issue: (identifiers: readonly string[], privateKey: string) => Promise<string>;

  /** Alternate chains by URL, offered with every certificate (RFC 8555 §7.4.2). An error is thrown when its URL is fetched. */
  readonly alternates = new Map<string, string | Error>();

  readonly #orders = new Map<string, OrderState>();
  readonly #certificates = new Map<string, string>();
  /** Private key that each order was finalized with, by order URL. */
  readonly finalizedWith = new Map<string, string>();
  /** Time of the CSR of each order, in ms, by order URL. */
  readonly #finalizedAt = new Map<string, number>();

  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.issue = async (identifiers, privateKey) => {
      const { intermediate } = await authorities();
      const start = clock.now().getTime() - 3_600_000;
      const leaf = await makeLeaf(intermediate, {
        identifiers,
        privateKey,
        notBefore: new Date(start).toISOString(),
        notAfter: new Date(start + 90 * 86_400_000 - 1000).toISOString(),
      });
      return leaf + pemOf(intermediate.certificate);
    };
  }

  // ---- for tests

  orderUrls(): string[] {
    return [...this.#orders.keys()];
  }

  /** Returns an order without a recorded request. */
  state(url: string): OrderState {
    const order = this.#orders.get(url);
    if (!order) throw new Error(`The fake CA has no order ${url}.`);
    const isOver = this.#clock.now().getTime() >= (this.#finalizedAt.get(url) ?? Infinity) + 120_000;
    if (this.issuance === 'after two minutes' && order.status === 'processing' && isOver) issue(url, order);
    return order;
  }

  /** Validates the challenges of an order that the client has responded to. */
  validate(url: string): void {
    const order = this.state(url);
    for (const authorization of order.authorizations) {
      if (authorization.challenges.some(({ status }) => status === 'processing')) this.#decide(authorization);
    }
    progress(order);
  }

  /** Issues the certificate of an order that is `processing`. */
  finish(url: string): void {
    const order = this.state(url);
    if (order.status !== 'processing') throw new Error(`Order ${url} cannot be issued, because it is ${order.status}.`);
    issue(url, order);
  }

  // ---- the port

  /** The account of any caller. `FakeAcme` sets the URL of each account. */
  async account(): Promise<IssuerAccount> {
    return { url: '', caaIdentities: this.caaIdentities };
  }

  async profiles(): Promise<readonly string[]> {
    return this.offeredProfiles;
  }

  async accountLink(request: {
    readonly identifiers: readonly string[];
    readonly profile: string | null;
  }): Promise<string | null> {
    if (this.pausedWith === null) await this.newOrder(request);
    return this.pausedWith;
  }

  async newOrder(request: {
    readonly identifiers: readonly string[];
    readonly profile: string | null;
    readonly replaces?: string | null;
  }): Promise<Order> {
    const url = `https://ca.test/order/${this.#orders.size + 1}`;
    const authorizations = request.identifiers.map((identifier, index) =>
      this.#newAuthorization(`${url}/authorization/${index + 1}`, identifier, url),
    );
    const error = this.invalidFromTheStart;
    const expires = new Date(this.#clock.now().getTime() + 7 * 86_400_000).toISOString().replace('.000Z', 'Z');
    const order: OrderState = { ...request, expires, status: 'pending', certificate: null, error, authorizations };
    progress(order);
    if (error) order.status = 'invalid';
    this.#orders.set(url, order);
    return this.#seen(url);
  }

  async order(url: string): Promise<Order> {
    return this.#seen(url);
  }

  async authorization(url: string): Promise<Authorization> {
    const found = this.#authorizations().find((authorization) => authorization.url === url);
    if (!found) throw new Error(`The fake CA has no authorization ${url}.`);
    return structuredClone(found);
  }

  challengeValue({ type, token }: Challenge): string {
    if (type !== 'dns-01' || token === null) throw new Error(`A ${type} challenge has no TXT value.`);
    return createHash('sha256').update(`${token}.thumbprint`).digest('base64url');
  }

  async respond(challengeUrl: string): Promise<void> {
    for (const [orderUrl, order] of this.#orders) {
      for (const authorization of order.authorizations) {
        const challenge = authorization.challenges.find(({ url }) => url === challengeUrl);
        if (!challenge) continue;
        if (challenge.status !== 'pending') throw new MalformedError({ what: `The challenge is ${challenge.status}.` });
        challenge.status = 'processing';
        if (this.validation === 'at once') this.validate(orderUrl);
        return;
      }
    }
    throw new Error(`The fake CA has no challenge ${challengeUrl}.`);
  }

  async finalize(reference: OrderReference, identifiers: readonly string[], privateKey: string): Promise<Order> {
    const { url } = reference;
    const order = this.state(url);
    if (order.status !== 'ready') throw new OrderNotReadyError({ what: `The order is ${order.status}.` });
    this.finalizedWith.set(url, privateKey);
    this.#finalizedAt.set(url, this.#clock.now().getTime());
    this.#certificates.set(`${url}/certificate`, await this.issue(identifiers, privateKey));
    order.status = 'processing';
    if (this.issuance === 'at once') this.finish(url);
    return this.#seen(url);
  }

  async certificate(url: string): Promise<{ readonly pem: string; readonly alternates: readonly string[] }> {
    const pem = this.#certificates.get(url) ?? this.alternates.get(url);
    if (pem instanceof Error) throw pem;
    if (!pem) throw new Error(`The fake CA has no certificate ${url}.`);
    return { pem, alternates: [...this.alternates.keys()].filter((alternate) => alternate !== url) };
  }

  #seen(url: string): Order {
    const { status, certificate, error, authorizations, expires } = this.state(url);
    return {
      url,
      finalize: `${url}/finalize`,
      expires,
      status,
      certificate,
      error,
      authorizations: authorizations.map((each) => each.url),
      retryAfter: this.retryAfter,
    };
  }

  #authorizations(): AuthorizationState[] {
    return [...this.#orders.values()].flatMap(({ authorizations }) => authorizations);
  }

  #newAuthorization(url: string, identifier: string, order: string): AuthorizationState {
    const status = this.alreadyValid.has(identifier) ? 'valid' : 'pending';
    const challenges = this.challengeTypes.map(({ type, token }) => ({
      type,
      url: `${url}/${type}`,
      status,
      token: token ? this.tokenOf(order, identifier) : null,
      error: null,
    }));
    return { url, identifier, status, challenges };
  }

  #decide(authorization: AuthorizationState): void {
    const problem = this.rejected.get(authorization.identifier) ?? null;
    authorization.status = problem ? (this.failedStaysPending ? 'pending' : 'invalid') : 'valid';
    for (const challenge of authorization.challenges) {
      if (challenge.status !== 'processing') continue;
      challenge.status = authorization.status;
      challenge.error = problem;
    }
  }
}

function issue(url: string, order: OrderState): void {
  order.status = 'valid';
  order.certificate = `${url}/certificate`;
}

function progress(order: OrderState): void {
  if (order.authorizations.some(({ status }) => status === 'invalid')) order.status = 'invalid';
  else if (order.authorizations.every(({ status }) => status === 'valid')) order.status = 'ready';
}

let made: Promise<{ readonly root: Authority; readonly intermediate: Authority }> | undefined;

/** Returns one root and one intermediate, which all certificates share that need no CA of their own. */
export function authorities(): Promise<{ readonly root: Authority; readonly intermediate: Authority }> {
  made ??= (async () => {
    const root = await makeAuthority({ name: 'Test Root' });
    return { root, intermediate: await makeAuthority({ name: 'Test Intermediate', issuer: root }) };
  })();
  return made;
}

/** Returns the value of a certificate secret after a renewal on 1 March 2026. The test CA really signs the certificate. */
export async function secretValue({
  identifiers,
  keyType = 'P-256',
  serialNumber = '0a01',
  notAfter = '2026-05-30T10:59:59Z',
}: {
  readonly identifiers: readonly string[];
  readonly keyType?: KeyType;
  readonly serialNumber?: string;
  readonly notAfter?: string;
}): Promise<CertificateSecretValue> {
  const { intermediate } = await authorities();
  const privateKey = makePrivateKey(keyType);
  const certificate = await makeLeaf(intermediate, { identifiers, privateKey, serialNumber, notAfter });
  const chain = pemOf(intermediate.certificate);
  return {
    format: 1,
    certificate,
    chain,
    fullChain: certificate + chain,
    privateKey,
    identifiers,
    serialNumber,
    notBefore: '2026-03-01T11:00:00Z',
    notAfter,
    issuer: 'CN=Test Intermediate',
    keyType,
    directoryUrl: 'https://ca.test/directory',
    profile: null,
  };
}

interface FakeAccount {
  readonly url: string;
  status: 'valid' | 'deactivated';
  contact: readonly string[];
}

type Signer = { readonly url: string; readonly privateKey: string };

/** ACME accounts in memory, by directory and key. All directories share one CA. */
export class FakeAcme implements Acme {
  /** HMAC keys by key identifier. If it is set, each new account needs one of them (RFC 8555 §7.3.4). */
  externalAccountKeys: ReadonlyMap<string, string> | null = null;
  /** Whether a binding is checked for each request and registers one account only. The other bindings then end too. */
  bindsOnce = false;
  /** The error for a request without a binding that asks whether an account exists. Some CAs refuse every such request. */
  refusesToFind: Error | null = null;
  /** Revoked certificates, with the reason code and the kind of key that signed the request. */
  readonly revocations: { readonly certificate: string; readonly reason: number; readonly by: 'account' | 'key' }[] =
    [];
  readonly #accounts = new Map<string, FakeAccount>();
  readonly #ca: CertificateAuthority;
  #made = 0;

  constructor(ca: FakeCa, calls: CallRecorder) {
    this.#ca = calls.watch('ca', ca);
  }

  // ---- for tests

  /** Returns the URLs of the valid accounts. */
  accounts(): string[] {
    return [...this.#accounts.values()].filter(({ status }) => status === 'valid').map(({ url }) => url);
  }

  /** Returns the contact of an account. */
  contactOf(url: string): readonly string[] {
    return [...this.#accounts.values()].find((each) => each.url === url)?.contact ?? [];
  }

  /** Deactivates or revokes an account without its client. */
  end(url: string): void {
    for (const account of this.#accounts.values()) if (account.url === url) account.status = 'deactivated';
  }

  /** Deletes all accounts at the CA, as staging servers sometimes do. */
  forgetAccounts(): void {
    this.#accounts.clear();
  }

  // ---- the port

  async newAccount(issuer: Issuer, privateKey: string, externalAccountKey?: ExternalAccountKey): Promise<NewAccount> {
    if (!issuer.termsOfServiceAgreed)
      throw new TermsNotAgreedError({ what: `The terms of ${issuer.name} are not agreed to.`, issuer: issuer.name });
    const known = this.#accounts.get(accountId(issuer, privateKey));
    if (known?.status === 'deactivated') throw new UnauthorizedError({ what: 'The account is deactivated.' });
    if (known && !this.bindsOnce) return { url: known.url, created: false };
    if (this.externalAccountKeys && !externalAccountKey)
      throw new ExternalAccountRequiredError({ what: 'No binding was sent.' });
    if (externalAccountKey && this.externalAccountKeys?.get(externalAccountKey.kid) !== externalAccountKey.hmacKey) {
      throw new ExternalAccountBindingError({ what: `The CA does not know the key ${externalAccountKey.kid}.` });
    }
    if (this.bindsOnce) this.externalAccountKeys = new Map();
    this.#made += 1;
    const url = `https://ca.test/account/${this.#made}`;
    this.#accounts.set(accountId(issuer, privateKey), { url, status: 'valid', contact: issuer.contact });
    return { url, created: true };
  }

  async findAccount(issuer: Issuer, privateKey: string): Promise<string | null> {
    if (this.refusesToFind) throw this.refusesToFind;
    const known = this.#accounts.get(accountId(issuer, privateKey));
    if (known?.status === 'deactivated') throw new UnauthorizedError({ what: 'The account is deactivated.' });
    return known?.url ?? null;
  }

  async checkAccount(issuer: Issuer, account: Signer): Promise<void> {
    this.#usable(issuer, account);
  }

  async updateContact(issuer: Issuer, account: Signer): Promise<void> {
    this.#usable(issuer, account).contact = issuer.contact;
  }

  async changeKey(issuer: Issuer, account: Signer, newPrivateKey: string): Promise<void> {
    if (!issuer.keyRollover)
      throw new KeyRolloverUnsupportedError({ what: `${issuer.name} does not change keys.`, issuer: issuer.name });
    const known = this.#usable(issuer, account);
    if (this.#accounts.has(accountId(issuer, newPrivateKey)))
      throw new MalformedError({ what: 'That key has an account.' });
    this.#accounts.delete(accountId(issuer, account.privateKey));
    this.#accounts.set(accountId(issuer, newPrivateKey), known);
  }

  async deactivate(issuer: Issuer, account: Signer): Promise<void> {
    this.#valid(issuer, account).status = 'deactivated';
  }

  async revoke(
    issuer: Issuer,
    signer: Signer | { readonly certificateKey: string },
    certificate: string,
    reason: number,
  ): Promise<void> {
    if ('url' in signer) this.#usable(issuer, signer);
    if (this.revocations.some((each) => each.certificate === certificate)) return;
    this.revocations.push({ certificate, reason, by: 'url' in signer ? 'account' : 'key' });
  }

  /** Connects without a request. The first request fails if the account does not exist. */
  connect(issuer: Issuer, account: Signer): CertificateAuthority {
    const ca = () => {
      this.#usable(issuer, account);
      return this.#ca;
    };
    return {
      account: async () => ({ ...(await this.#ca.account()), url: account.url }),
      profiles: async () => this.#ca.profiles(),
      accountLink: async (request) => ca().accountLink(request),
      newOrder: async (request) => ca().newOrder(request),
      order: async (url) => ca().order(url),
      authorization: async (url) => ca().authorization(url),
      challengeValue: (challenge) => this.#ca.challengeValue(challenge),
      respond: async (url) => ca().respond(url),
      finalize: async (...request) => ca().finalize(...request),
      certificate: async (url) => ca().certificate(url),
    };
  }

  /** Returns the account, as a request does that asks for the status of a refused account. */
  #usable(issuer: Issuer, signer: Signer): FakeAccount {
    const { url } = signer;
    try {
      return this.#valid(issuer, signer);
    } catch (error) {
      throw error instanceof UnauthorizedError
        ? new AccountNotValidError({ what: `Account ${url} is deactivated.` })
        : error;
    }
  }

  #valid(issuer: Issuer, { url, privateKey }: Signer): FakeAccount {
    const known = this.#accounts.get(accountId(issuer, privateKey));
    if (known?.url !== url) throw new AccountDoesNotExistError({ what: `The fake CA has no account ${url}.` });
    if (known.status === 'deactivated') throw new UnauthorizedError({ what: `Account ${url} is deactivated.` });
    return known;
  }
}

const accountId = ({ directoryUrl }: Issuer, privateKey: string): string => `${directoryUrl} ${privateKey}`;
