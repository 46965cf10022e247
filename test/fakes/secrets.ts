import { createHash } from 'node:crypto';
import {
  type CertificateSecretValue,
  parseCertificateSecret,
} from '../../lambdas/domain/contract/certificate-secret.ts';
import type { Replica } from '../../lambdas/domain/contract/config.ts';
import type { Tags } from '../../lambdas/domain/contract/environment.ts';
import {
  AwsRefusedError,
  CompromisedKeyError,
  ExternalAccountBindingError,
  SecretAccessError,
  SecretDeletedError,
  UnexpectedError,
  UnreadableSecretError,
} from '../../lambdas/domain/contract/errors.ts';
import type { AccountSecrets, AcmeAccount } from '../../lambdas/domain/ports/account-secrets.ts';
import type { ExternalAccountKey } from '../../lambdas/domain/ports/acme.ts';
import type {
  CertificateSecrets,
  CertificateVersions,
  SecretDescription,
  StagedKey,
  StagedOrder,
  StoredCertificate,
} from '../../lambdas/domain/ports/certificate-secrets.ts';
import { keyFingerprint } from '../../lambdas/domain/rules/certificate/key-fingerprint.ts';

const token = (text: string): string => createHash('sha256').update(text).digest('hex');
const placeholder = { id: token('perennial placeholder'), value: '{"format":0,"status":"No certificate yet."}' };
/** Size limit of a secret value in Secrets Manager. */
const maximumBytes = 65_536;

interface Version {
  readonly value: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly labels: Set<string>;
}

interface Secret {
  readonly arn: string;
  readonly owned: boolean;
  readonly deletedAt: string | null;
  readonly replica: SecretDescription['replica'];
  readonly versions: Map<string, Version>;
}

interface Access {
  readonly readers: readonly string[];
  readonly replicas: readonly Replica[];
  readonly removedTags?: readonly string[];
}

/** Secrets with versions, version ids (from tokens) and labels. A label is attached to at most one version of a secret. */
export class FakeCertificateSecrets implements CertificateSecrets, CertificateVersions {
  readonly #secrets = new Map<string, Secret>();
  readonly #access = new Map<string, Access>();
  readonly #tags = new Map<string, Tags>();
  readonly #now: () => Date;
  #deleted = 0;
  /** The operator's tags. */
  tags: Tags = {};
  /** ARN of a principal that does not exist. */
  noSuchReader = '';
  /** Whether Secrets Manager has created the requested replicas. */
  replicated = true;

  constructor(now = () => new Date('2026-03-01T12:00:00Z')) {
    this.#now = now;
  }

  // ---- for tests

  /** Returns the configured readers and replicas of a secret. */
  access(certificate: string): Access {
    return this.#access.get(certificate) ?? { readers: [], replicas: [] };
  }

  /** Returns the operator's tags on a secret. */
  tagsOf(certificate: string): Tags {
    return this.#tags.get(certificate) ?? {};
  }

  /** Creates a secret as another process might have left it. `current` is its AWSCURRENT version. @default the placeholder */
  put(
    certificate: string,
    {
      owned = true,
      deletedAt = null,
      replica = null,
      current,
    }: {
      readonly owned?: boolean;
      readonly deletedAt?: string | null;
      readonly replica?: SecretDescription['replica'];
      readonly current?: { readonly versionId: string; readonly value: CertificateSecretValue | string };
    } = {},
  ): void {
    const secret: Secret = { arn: this.arn(certificate), owned, deletedAt, replica, versions: new Map() };
    this.#secrets.set(certificate, secret);
    const value = current?.value ?? placeholder.value;
    putVersion(
      secret,
      {
        id: current?.versionId ?? placeholder.id,
        value: typeof value === 'string' ? value : JSON.stringify(value),
        label: 'AWSCURRENT',
      },
      this.#now(),
    );
  }

  /** Returns the ARN of a secret. As in AWS, a secret that is created again under the same name gets another suffix. */
  arn(certificate: string): string {
    return `arn:aws:secretsmanager:eu-west-1:111122223333:secret:certificates/${certificate}-AbCdE${this.#deleted || 'f'}`;
  }

  scheduleDeletion(certificate: string, deletedAt: string): void {
    this.#secrets.set(certificate, { ...this.#existing(certificate), deletedAt });
  }

  /** Deletes a secret at once, without a recovery window. */
  delete(certificate: string): void {
    this.#secrets.delete(certificate);
    this.#access.delete(certificate);
    this.#tags.delete(certificate);
    this.#deleted += 1;
  }

  /** Returns the value of the version with this label, or `null` if no version has it. */
  labelled(certificate: string, label: string): string | null {
    return find(this.#existing(certificate), label)?.[1].value ?? null;
  }

  /** `labelled`, and `null` too if there is no secret. */
  labelledOrNull(certificate: string, label: string): string | null {
    return this.#secrets.has(certificate) ? this.labelled(certificate, label) : null;
  }

  /** Returns the id of the version with AWSCURRENT, or `null` while it is the placeholder. */
  currentVersion(certificate: string): string | null {
    const secret = this.#secrets.get(certificate);
    const current = (secret && find(secret, 'AWSCURRENT')?.[0]) ?? null;
    return current === placeholder.id ? null : current;
  }

  versionIds(certificate: string): string[] {
    return [...this.#existing(certificate).versions.keys()];
  }

  /** Returns the private keys of all versions, with and without a certificate. */
  keys(certificate: string): string[] {
    const versions = this.#secrets.get(certificate)?.versions.values() ?? [];
    return [...versions].flatMap(({ value }) => (JSON.parse(value) as { privateKey?: string }).privateKey ?? []);
  }

  deleteVersion(certificate: string, versionId: string): void {
    this.#existing(certificate).versions.delete(versionId);
  }

  keyVersion(orderUrl: string): string {
    return keyVersion(orderUrl, 0);
  }

  /** Moves AWSCURRENT to a version that has no label, as an operator may do. */
  restore(certificate: string, versionId: string): void {
    const secret = this.#existing(certificate);
    makeCurrent(secret, existingVersion(secret, versionId));
  }

  certificateVersion(orderUrl: string): string {
    return token(`${orderUrl}#certificate`);
  }

  // ---- the port

  async describe(certificate: string): Promise<SecretDescription | null> {
    const secret = this.#secrets.get(certificate);
    if (!secret) return null;
    const current = find(secret, 'AWSCURRENT')?.[0] ?? null;
    const { arn, owned, deletedAt, replica } = secret;
    const currentVersion = current === placeholder.id ? null : current;
    const labels = Object.fromEntries(
      [...secret.versions].flatMap(([id, { labels: of }]) => (of.size > 0 ? [[id, [...of]]] : [])),
    );
    const own = { 'perennial:stack': owned ? 'Perennial' : 'Another', 'perennial:certificate': certificate };
    const tags = { ...this.tagsOf(certificate), ...own };
    return { arn, owned, deletedAt, replica, currentVersion, labels, tags };
  }

  async create(certificate: string): Promise<void> {
    if (this.#secrets.has(certificate)) this.#existing(certificate);
    else {
      this.put(certificate);
      this.#tags.set(certificate, this.tags);
    }
  }

  async stageKey(
    certificate: string,
    { url: orderUrl, directoryUrl }: StagedOrder,
    privateKey: string,
  ): Promise<string> {
    const secret = this.#existing(certificate);
    if (isCompromised(secret, privateKey)) throw compromisedKey(orderUrl);
    const value = JSON.stringify({ format: 1, orderUrl, directoryUrl, privateKey });
    for (let replaced = 0; ; replaced++) {
      const id = keyVersion(orderUrl, replaced);
      putVersion(secret, { id, value, label: 'CANDIDATE' }, this.#now());
      const staged = stagedIn(secret, id) ?? privateKey;
      if (!isCompromised(secret, staged)) return staged;
    }
  }

  async stagedKey(certificate: string, orderUrl: string): Promise<string | null> {
    if (!this.#secrets.has(certificate)) return null;
    const secret = this.#existing(certificate);
    for (let replaced = 0; ; replaced++) {
      const staged = stagedIn(secret, keyVersion(orderUrl, replaced));
      if (staged !== null && isCompromised(secret, staged)) continue;
      if (staged === null && replaced > 0) throw compromisedKey(orderUrl);
      return staged;
    }
  }

  async putCertificate(certificate: string, orderUrl: string, value: CertificateSecretValue): Promise<string> {
    const id = this.certificateVersion(orderUrl);
    putVersion(this.#existing(certificate), { id, value: JSON.stringify(value), label: 'CANDIDATE' }, this.#now());
    return id;
  }

  async makeCurrent(
    certificate: string,
    { from, to }: { readonly from: string | null; readonly to: string },
  ): Promise<{ arn: string; first: boolean }> {
    const secret = this.#existing(certificate);
    const version = existingVersion(secret, to);
    const current = find(secret, 'AWSCURRENT')?.[0] ?? null;
    if (current === to) return { arn: secret.arn, first: false };
    if ((current === placeholder.id ? null : current) !== from)
      throw new UnexpectedError({ what: `${to} was not made current, because ${current} is current and not ${from}.` });
    makeCurrent(secret, version);
    return { arn: secret.arn, first: from === null };
  }

  async isCompromised(certificate: string, privateKey: string): Promise<boolean> {
    const secret = this.#secrets.get(certificate);
    return secret !== undefined && isCompromised(secret, privateKey);
  }

  async list(certificate: string): ReturnType<CertificateVersions['list']> {
    const { versions } = this.#existing(certificate);
    const stored: StoredCertificate[] = [];
    const staged: StagedKey[] = [];
    for (const [versionId, { value, labels, createdAt }] of versions) {
      const parsed = certificateIn(value);
      if (parsed) stored.push({ versionId, current: labels.has('AWSCURRENT'), value: parsed });
      const { orderUrl: url, directoryUrl, privateKey } = JSON.parse(value) as Record<string, string>;
      if (url && directoryUrl && privateKey && !versions.has(this.certificateVersion(url)))
        staged.push({ url, directoryUrl, privateKey, stagedAt: createdAt });
    }
    return { stored, staged };
  }

  async markCompromised(certificate: string, versionId: string): Promise<void> {
    const secret = this.#existing(certificate);
    const value = certificateIn(secret.versions.get(versionId)?.value ?? '');
    if (!value) throw new UnreadableSecretError({ what: `Version ${versionId} holds no certificate.` });
    const label = compromisedLabel(value.privateKey);
    const marks = [...secret.versions.values()].flatMap(({ labels }) =>
      [...labels].filter((each) => each.startsWith(compromisedPrefix)),
    );
    if (marks.includes(label)) return;
    const [oldest] = marks;
    if (oldest && marks.length >= maximumMarks) find(secret, oldest)?.[1].labels.delete(oldest);
    move(secret, existingVersion(secret, versionId), label);
  }

  async share(certificate: string, { removedTags = [], ...access }: Access): Promise<boolean> {
    const { arn, deletedAt } = this.#secrets.get(certificate) ?? {};
    const secret = `certificates/${certificate}`;
    if (arn === undefined || deletedAt) throw new SecretAccessError({ what: `${secret} cannot be shared.`, secret });
    const kept = Object.entries(this.tagsOf(certificate)).filter(([key]) => !removedTags.includes(key));
    this.#tags.set(certificate, { ...Object.fromEntries(kept), ...this.tags });
    if (access.readers.includes(this.noSuchReader)) {
      // Removed readers lose access even if another reader is rejected.
      const staying = this.access(certificate).readers.filter((reader) => access.readers.includes(reader));
      this.#access.set(certificate, { readers: staying, replicas: access.replicas });
      throw new SecretAccessError({
        what: `${this.noSuchReader} cannot read ${secret}, because this principal does not exist.`,
        secret,
      });
    }
    this.#access.set(certificate, access);
    return this.replicated;
  }

  async readCurrent(certificate: string) {
    const unreadable = { what: `Secret certificates/${certificate} holds no certificate of this stack.` };
    if (!this.#secrets.has(certificate)) throw new UnreadableSecretError(unreadable);
    const secret = this.#existing(certificate);
    const [versionId, version] = find(secret, 'AWSCURRENT') ?? [];
    const value = certificateIn(version?.value ?? '');
    if (!versionId || !version || !value) throw new UnreadableSecretError(unreadable);
    return { arn: secret.arn, versionId, value };
  }

  #existing(certificate: string): Secret {
    const secret = this.#secrets.get(certificate);
    if (!secret) throw refused(`There is no secret of certificate ${certificate}.`);
    if (secret.deletedAt)
      throw new SecretDeletedError({ what: `${secret.arn} is scheduled for deletion.`, secret: secret.arn });
    return secret;
  }
}

/** The error for a secret or a version that does not exist. */
const refused = (what: string) =>
  new AwsRefusedError({ what, action: 'secretsmanager:PutSecretValue', resource: 'a secret in memory' });

function existingVersion({ arn, versions }: Secret, versionId: string): Version {
  const version = versions.get(versionId);
  if (!version) throw refused(`${arn} has no version ${versionId}.`);
  return version;
}

/** Returns the certificate secret in a value, or `null` if it is not one. */
function certificateIn(value: string): CertificateSecretValue | null {
  try {
    return parseCertificateSecret(value);
  } catch {
    return null;
  }
}

function stagedIn({ versions }: Secret, id: string): string | null {
  const version = versions.get(id);
  return version ? (JSON.parse(version.value) as { readonly privateKey: string }).privateKey : null;
}

const compromisedPrefix = 'COMPROMISED-';
const compromisedLabel = (privateKey: string): string => `${compromisedPrefix}${keyFingerprint(privateKey)}`;
/** A secret may have 20 labels. */
const maximumMarks = 15;

const isCompromised = (secret: Secret, privateKey: string): boolean =>
  find(secret, compromisedLabel(privateKey)) !== undefined;

const compromisedKey = (order: string): CompromisedKeyError =>
  new CompromisedKeyError({ what: `The key for ${order} is compromised.`, order });

const keyVersion = (orderUrl: string, replaced: number): string =>
  token(replaced === 0 ? orderUrl : `${orderUrl}#key ${replaced}`);

function makeCurrent(secret: Secret, version: Version): void {
  const [, before] = find(secret, 'AWSCURRENT') ?? [];
  if (before) move(secret, before, 'AWSPREVIOUS');
  move(secret, version, 'AWSCURRENT');
}

const find = ({ versions }: Secret, label: string): [string, Version] | undefined =>
  [...versions].find(([, { labels }]) => labels.has(label));

function move({ versions }: Secret, to: Version, label: string): void {
  for (const { labels } of versions.values()) labels.delete(label);
  to.labels.add(label);
}

/** Writes a version. Returns `false` if the version exists. It then keeps its value, because the first writer wins. */
function putVersion(
  secret: Secret,
  { id, value, label }: { readonly id: string; readonly value: string; readonly label: string },
  createdAt: Date,
): boolean {
  const bytes = Buffer.byteLength(value);
  if (bytes > maximumBytes)
    throw new UnexpectedError({
      what: `${bytes} bytes are too large for ${secret.arn}, the limit is ${maximumBytes}.`,
    });
  if (secret.versions.has(id)) return false;
  const version: Version = { value, createdAt: createdAt.toISOString(), labels: new Set() };
  secret.versions.set(id, version);
  move(secret, version, label);
  return true;
}

export class FakeAccountSecrets implements AccountSecrets {
  readonly #accounts = new Map<string, AcmeAccount>();
  readonly #tags = new Map<string, Tags>();
  /** The operator's tags. */
  tags: Tags = {};

  // ---- for tests

  put(directoryUrl: string, account: AcmeAccount): void {
    this.#accounts.set(directoryUrl, account);
  }

  get(directoryUrl: string): AcmeAccount | null {
    return this.#accounts.get(directoryUrl) ?? null;
  }

  /** Returns the operator's tags on the secret of an account. */
  tagsOf(directoryUrl: string): Tags {
    return this.#tags.get(directoryUrl) ?? {};
  }

  // ---- the port

  async tag(directoryUrl: string): Promise<void> {
    this.#tags.set(directoryUrl, { ...this.tagsOf(directoryUrl), ...this.tags });
  }

  async read(directoryUrl: string): Promise<AcmeAccount | null> {
    return this.get(directoryUrl);
  }

  async create(directoryUrl: string, privateKey: string): Promise<AcmeAccount> {
    const account = this.get(directoryUrl) ?? { privateKey, url: null, version: '1' };
    if (!this.#accounts.has(directoryUrl)) this.#tags.set(directoryUrl, this.tags);
    this.put(directoryUrl, account);
    return account;
  }

  async saveUrl(
    directoryUrl: string,
    account: AcmeAccount,
    { url, contact }: { readonly url: string } & Pick<AcmeAccount, 'contact'>,
  ): Promise<AcmeAccount> {
    const stored = this.get(directoryUrl);
    if (!stored) throw new UnexpectedError({ what: `There is no account at ${directoryUrl}.` });
    if (stored.privateKey !== account.privateKey || stored.url === url) return stored;
    const version = String(Number(stored.version) + 1);
    const saved = { privateKey: stored.privateKey, url, version, ...(contact && { contact }) };
    this.put(directoryUrl, saved);
    return saved;
  }

  async replace(
    directoryUrl: string,
    before: AcmeAccount,
    account: Omit<AcmeAccount, 'version'>,
  ): Promise<AcmeAccount> {
    const current = this.get(directoryUrl);
    if (!current) throw refused(`There is no account at ${directoryUrl}.`);
    if (current.version !== before.version) return current;
    const version = String(Number(before.version) + 1);
    const after = { ...account, version };
    this.put(directoryUrl, after);
    return after;
  }
}

/** External account keys by the ARN of the secret in which the operator stored them. */
export class FakeExternalAccountKeys {
  readonly #keys = new Map<string, ExternalAccountKey>();

  // ---- for tests

  put(secretArn: string, key: ExternalAccountKey): void {
    this.#keys.set(secretArn, key);
  }

  // ---- the port

  async read(secretArn: string): Promise<ExternalAccountKey> {
    const key = this.#keys.get(secretArn);
    if (!key) throw new ExternalAccountBindingError({ what: `There is no secret ${secretArn}.`, secret: secretArn });
    return key;
  }
}
