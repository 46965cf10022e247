import { createHash } from 'node:crypto';
import type { CertificateSecretValue } from '../../lambdas/domain/contract/certificate-secret.ts';
import type { Replica } from '../../lambdas/domain/contract/config.ts';
import {
  CompromisedKeyError,
  ExternalAccountBindingError,
  SecretAccessError,
  SecretDeletedError,
  UnreadableSecretError,
} from '../../lambdas/domain/contract/errors.ts';
import type { AccountSecrets, AcmeAccount } from '../../lambdas/domain/ports/account-secrets.ts';
import type { ExternalAccountKey } from '../../lambdas/domain/ports/acme.ts';
import type {
  CertificateSecrets,
  CertificateVersions,
  SecretDescription,
  StoredCertificate,
} from '../../lambdas/domain/ports/certificate-secrets.ts';

const token = (text: string): string => createHash('sha256').update(text).digest('hex');
const placeholder = token('perennial placeholder');

interface Version {
  readonly value: string;
  readonly labels: Set<string>;
}

interface Secret {
  readonly arn: string;
  readonly ours: boolean;
  readonly deletedAt: string | null;
  readonly versions: Map<string, Version>;
}

interface Access {
  readonly readers: readonly string[];
  readonly replicas: readonly Replica[];
}

/** Secrets with versions, tokens (as version ids) and labels, each of which is on one version of a secret at most. */
export class FakeCertificateSecrets implements CertificateSecrets, CertificateVersions {
  readonly #secrets = new Map<string, Secret>();
  readonly #access = new Map<string, Access>();
  #deleted = 0;
  /** A principal that does not exist. */
  noSuchReader = '';
  /** Secrets Manager has made the replicas that it was asked for. */
  replicated = true;

  // ---- for tests

  /** Who else may read it, and where it is replicated to. */
  access(certificate: string): Access {
    return this.#access.get(certificate) ?? { readers: [], replicas: [] };
  }

  /** A secret as somebody left it; with a value, that is its AWSCURRENT. */
  put(
    certificate: string,
    {
      ours = true,
      deletedAt = null,
      current,
    }: {
      readonly ours?: boolean;
      readonly deletedAt?: string | null;
      readonly current?: { readonly versionId: string; readonly value: CertificateSecretValue | string };
    } = {},
  ): void {
    const secret: Secret = { arn: this.arn(certificate), ours, deletedAt, versions: new Map() };
    this.#secrets.set(certificate, secret);
    const value = current?.value ?? 'nothing yet';
    putVersion(secret, {
      id: current?.versionId ?? placeholder,
      value: typeof value === 'string' ? value : JSON.stringify(value),
      label: 'AWSCURRENT',
    });
  }

  /** AWS ends that of a secret that is made anew in other characters. */
  arn(certificate: string): string {
    return `arn:aws:secretsmanager:eu-west-1:111122223333:secret:certificates/${certificate}-AbCdE${this.#deleted || 'f'}`;
  }

  /** At once, without recovery. */
  delete(certificate: string): void {
    this.#secrets.delete(certificate);
    this.#access.delete(certificate);
    this.#deleted += 1;
  }

  /** What a reader of this stage gets, as text; `null`: no version has the label. */
  labelled(certificate: string, label: string): string | null {
    return find(this.#existing(certificate), label)?.[1].value ?? null;
  }

  versionIds(certificate: string): string[] {
    return [...this.#existing(certificate).versions.keys()];
  }

  deleteVersion(certificate: string, versionId: string): void {
    this.#existing(certificate).versions.delete(versionId);
  }

  keyVersion(orderUrl: string): string {
    return token(orderUrl);
  }

  certificateVersion(orderUrl: string): string {
    return token(`${orderUrl}#certificate`);
  }

  // ---- the port

  async describe(certificate: string): Promise<SecretDescription | null> {
    const secret = this.#secrets.get(certificate);
    if (!secret) return null;
    const current = find(secret, 'AWSCURRENT')?.[0] ?? null;
    const { arn, ours, deletedAt } = secret;
    return { arn, ours, deletedAt, currentVersion: current === placeholder ? null : current };
  }

  async create(certificate: string): Promise<void> {
    if (!this.#secrets.has(certificate)) this.put(certificate);
  }

  async stageKey(certificate: string, orderUrl: string, privateKey: string): Promise<string> {
    const stage = (id: string) =>
      putVersion(this.#existing(certificate), { id, value: privateKey, label: 'CANDIDATE' }).value;
    const staged = stage(this.keyVersion(orderUrl));
    return staged === this.#compromisedKey(certificate) ? stage(token(`${orderUrl}#fresh key`)) : staged;
  }

  async stagedKey(certificate: string, orderUrl: string): Promise<string | null> {
    const { versions } = this.#existing(certificate);
    const staged = versions.get(this.keyVersion(orderUrl))?.value ?? null;
    if (staged === null || staged !== this.#compromisedKey(certificate)) return staged;
    const fresh = versions.get(token(`${orderUrl}#fresh key`))?.value;
    if (fresh === undefined)
      throw new CompromisedKeyError({ what: `The key staged for ${orderUrl} is compromised.`, order: orderUrl });
    return fresh;
  }

  #compromisedKey(certificate: string): string | null {
    const value = this.labelled(certificate, 'COMPROMISED');
    return value === null ? null : (JSON.parse(value) as CertificateSecretValue).privateKey;
  }

  async putCertificate(certificate: string, orderUrl: string, value: CertificateSecretValue): Promise<string> {
    const id = this.certificateVersion(orderUrl);
    putVersion(this.#existing(certificate), { id, value: JSON.stringify(value), label: 'CANDIDATE' });
    return id;
  }

  async makeCurrent(certificate: string, versionId: string): Promise<{ arn: string; first: boolean }> {
    const secret = this.#existing(certificate);
    const version = secret.versions.get(versionId);
    if (!version) throw new Error(`${secret.arn} has no version ${versionId}.`);
    const [id, before] = find(secret, 'AWSCURRENT') ?? [];
    const first = before === undefined || id === placeholder;
    if (before !== version) {
      if (before) move(secret, before, 'AWSPREVIOUS');
      move(secret, version, 'AWSCURRENT');
    }
    return { arn: secret.arn, first };
  }

  async list(certificate: string): Promise<readonly StoredCertificate[]> {
    return [...this.#existing(certificate).versions].flatMap(([versionId, { value, labels }]) =>
      value.startsWith('{"format":1,')
        ? [{ versionId, current: labels.has('AWSCURRENT'), value: JSON.parse(value) as CertificateSecretValue }]
        : [],
    );
  }

  async markCompromised(certificate: string, versionId: string): Promise<void> {
    const secret = this.#existing(certificate);
    const version = secret.versions.get(versionId);
    if (!version) throw new Error(`${secret.arn} has no version ${versionId}.`);
    move(secret, version, 'COMPROMISED');
  }

  async share(certificate: string, access: Access): Promise<boolean> {
    this.#existing(certificate);
    if (access.readers.includes(this.noSuchReader)) {
      // What is taken away is taken away whatever else is refused.
      const staying = this.access(certificate).readers.filter((reader) => access.readers.includes(reader));
      this.#access.set(certificate, { readers: staying, replicas: access.replicas });
      throw new SecretAccessError({
        what: `${this.noSuchReader} cannot read certificates/${certificate}: there is nobody of that name.`,
        secret: `certificates/${certificate}`,
      });
    }
    this.#access.set(certificate, access);
    return this.replicated;
  }

  async readCurrent(certificate: string) {
    const secret = this.#existing(certificate);
    const [versionId, version] = find(secret, 'AWSCURRENT') ?? [];
    if (!versionId || !version?.value.startsWith('{"format":1,')) {
      throw new UnreadableSecretError({ what: `${secret.arn} holds no certificate of ours.` });
    }
    const value = JSON.parse(version.value) as CertificateSecretValue;
    return { arn: secret.arn, versionId, value, compromised: version.labels.has('COMPROMISED') };
  }

  #existing(certificate: string): Secret {
    const secret = this.#secrets.get(certificate);
    if (!secret) throw new Error(`There is no secret of certificate ${certificate}.`);
    if (secret.deletedAt)
      throw new SecretDeletedError({ what: `${secret.arn} is scheduled for deletion.`, secret: secret.arn });
    return secret;
  }
}

const find = ({ versions }: Secret, label: string): [string, Version] | undefined =>
  [...versions].find(([, { labels }]) => labels.has(label));

function move({ versions }: Secret, to: Version, label: string): void {
  for (const { labels } of versions.values()) labels.delete(label);
  to.labels.add(label);
}

/** A token that is taken keeps its value: the first writer wins. */
function putVersion(
  secret: Secret,
  { id, value, label }: { readonly id: string; readonly value: string; readonly label: string },
): Version {
  const there = secret.versions.get(id);
  if (there) return there;
  const version: Version = { value, labels: new Set() };
  secret.versions.set(id, version);
  move(secret, version, label);
  return version;
}

export class FakeAccountSecrets implements AccountSecrets {
  readonly #accounts = new Map<string, AcmeAccount>();

  // ---- for tests

  put(directoryUrl: string, account: AcmeAccount): void {
    this.#accounts.set(directoryUrl, account);
  }

  get(directoryUrl: string): AcmeAccount | null {
    return this.#accounts.get(directoryUrl) ?? null;
  }

  // ---- the port

  async read(directoryUrl: string): Promise<AcmeAccount | null> {
    return this.get(directoryUrl);
  }

  async create(directoryUrl: string, privateKey: string): Promise<AcmeAccount> {
    const account = this.get(directoryUrl) ?? { privateKey, url: null, version: '1' };
    this.put(directoryUrl, account);
    return account;
  }

  async saveUrl(directoryUrl: string, account: AcmeAccount, url: string): Promise<AcmeAccount> {
    if (this.get(directoryUrl)?.privateKey !== account.privateKey) throw new Error('That is another account.');
    const saved = { ...account, url, version: String(Number(account.version) + 1) };
    this.put(directoryUrl, saved);
    return saved;
  }

  async replace(
    directoryUrl: string,
    before: AcmeAccount,
    { privateKey, url, nextPrivateKey }: Omit<AcmeAccount, 'version'>,
  ): Promise<AcmeAccount> {
    const current = this.get(directoryUrl);
    if (!current) throw new Error(`There is no account at ${directoryUrl}.`);
    if (current.version !== before.version) return current;
    const version = String(Number(before.version) + 1);
    const after = { privateKey, url, version, ...(nextPrivateKey === undefined ? {} : { nextPrivateKey }) };
    this.put(directoryUrl, after);
    return after;
  }
}

/** Bindings by the ARN of the secret that an operator put them into. */
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
