import { Stack, Token } from 'aws-cdk-lib';
import { type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { z } from 'zod';
import { detailTypes, eventSource } from '../../lambdas/domain/contract/events.ts';
import { readActions, readConditions } from '../../lambdas/domain/rules/certificate/secret-sharing.ts';
import { suggestion } from '../../lambdas/domain/rules/suggestion.ts';
import { encryptionKey } from '../config/encryption-key.ts';
import {
  type Fields,
  found,
  type ObjectKind,
  readFields,
  type Shape,
  show,
  takesTokens,
  textOrToken,
} from '../config/fields.ts';
import { ConfigError, mistake, withoutMistakes } from '../config/mistakes.ts';
import { defaultSecretPrefix, secretPrefixPattern } from '../config/secret-prefix.ts';
import { secretArn } from '../resources/secret-arn.ts';
import { certificateSecret } from './certificate-secret.ts';

/** Props of `onRenewed`. */
export interface RenewedRuleProps {
  /**
   * Name of the certificate.
   *
   * @default every certificate with the `secretPrefix`
   */
  readonly certificate?: string;
  /**
   * Target that receives the event, from `aws-cdk-lib/aws-events-targets`.
   *
   * @default none. The rule's `addTarget` adds targets later
   */
  readonly target?: IRuleTarget;
  /**
   * Description of the rule.
   *
   * @default a sentence with the certificate's name
   */
  readonly description?: string;
}

/** Gives access to certificates that a `CertificateRenewal` of this stack or another one renews. */
export interface ICertificateReader {
  /**
   * Allows a principal of this account to read one certificate and its private key.
   *
   * The grant is `secretsmanager:GetSecretValue` on the secret, for the stages AWSCURRENT and AWSPREVIOUS only, and
   * `secretsmanager:DescribeSecret`, by which some clients of AWS find out that there is a new version. If the secrets have a KMS key of
   * yours, it includes `kms:Decrypt`. A request without a stage returns AWSCURRENT. A request for a version id is denied. For principals of
   * other accounts use `readers` of the certificate.
   *
   * @param certificate name of the certificate
   * @param grantee a role, a user, or a resource that has a role
   * @throws ConfigError if the names of the certificates are known here and this is not one of them, or if the grantee belongs to another
   * account
   *
   * @example
   * certificates.grantRead('www', webServer.role);
   */
  grantRead(certificate: string, grantee: IGrantable): Grant;

  /**
   * Returns the secret of a certificate for constructs that read secrets, such as containers of ECS. Its `grantRead` is that of this construct, so
   * that nothing can read staged or compromised keys. Its ARN has no suffix, because Secrets Manager chooses the suffix at the first issuance.
   *
   * @param certificate name of the certificate
   * @throws ConfigError if the names of the certificates are known here and this is not one of them, or if the name ends in a hyphen and six
   * characters, because Secrets Manager takes an ARN that ends so for a complete one
   *
   * @example
   * taskDefinition.addContainer('Web', {
   *   image,
   *   secrets: { TLS_CERTIFICATE: ecs.Secret.fromSecretsManager(certificates.secret('www'), 'fullChain') },
   * });
   */
  secret(certificate: string): ISecret;

  /**
   * Creates a rule for the event `Certificate Renewed`, which is published after a certificate was stored and delivered. The event may come
   * twice. `parseEvent` of `cdk-perennial/events` reads it.
   *
   * @param id id of the rule in this scope
   * @throws ConfigError if a prop is invalid or unknown, or if the names of the certificates are known here and this is not one of them
   *
   * @example
   * certificates.onRenewed('ReloadWeb', { certificate: 'www', target: new LambdaFunction(reload) });
   */
  onRenewed(id: string, props?: RenewedRuleProps): Rule;
}

/** Props of `CertificateRenewal.fromPrefix`. */
export interface CertificateReaderProps {
  /**
   * Prefix of the secrets' names, as in the configuration of the `CertificateRenewal`. It ends in a slash.
   *
   * @default 'certificates/'
   */
  readonly secretPrefix?: string;
  /**
   * KMS key of the secrets, as in the configuration of the `CertificateRenewal`. Grants then include decryption.
   *
   * @default none: the secrets are encrypted with the account's `aws/secretsmanager` key
   */
  readonly encryptionKey?: IKey | undefined;
}

const readerKind = {
  subject: 'fromPrefix',
  fields: {
    // A prefix without the slash at its end would also match other secrets.
    secretPrefix: textOrToken(secretPrefixPattern, 'a prefix such as "certificates/"').optional().meta(takesTokens),
    encryptionKey,
  },
  synonyms: { prefix: 'secretPrefix', kmskey: 'encryptionKey' },
};

const allowedName = "a certificate's name";
const ruleKind = {
  subject: 'onRenewed',
  fields: {
    certificate: z.string({ error: allowedName }).optional().meta(takesTokens),
    target: z
      .custom<IRuleTarget>((target) => hasMember('bind', target), {
        error: 'a target of aws-cdk-lib/aws-events-targets',
      })
      .optional(),
    description: z.string({ error: 'a text' }).optional().meta(takesTokens),
  },
};

const allowedGrantee = 'expected a role, a user, or a resource that has a role';

const hasMember = (member: string, value: unknown): boolean =>
  typeof value === 'object' && value !== null && member in value;

/** Reads props that may come from JavaScript, without a compiler. A misspelled key would grant more than the caller asked for. */
function readProps<S extends Shape>(kind: ObjectKind<S>, props: unknown, path: string): Fields<S> {
  return withoutMistakes((report) => readFields(kind, props, path, report));
}

/** The certificates with one prefix in this account and region. This stack or another one renews them. */
export class CertificateReader extends Construct implements ICertificateReader {
  private readonly prefix: string;
  private readonly encryptionKey: IKey | undefined;
  private readonly certificates: readonly string[] | undefined;

  /** @param certificates names of all certificates. Without it they are not known, and any name is accepted */
  constructor(scope: Construct, id: string, props: CertificateReaderProps, certificates?: readonly string[]) {
    super(scope, id);
    const { secretPrefix = defaultSecretPrefix, encryptionKey } = readProps(readerKind, props, '');
    this.prefix = secretPrefix;
    this.encryptionKey = encryptionKey;
    this.certificates = certificates;
  }

  grantRead(certificate: string, grantee: IGrantable): Grant {
    this.check(certificate, 'certificate');
    this.checkGrantee(certificate, grantee);
    const secret = secretArn(this, `${this.prefix}${certificate}-??????`);
    const grant = Grant.addToPrincipal({
      grantee,
      actions: [...readActions],
      resourceArns: [secret],
      conditions: readConditions,
    });
    if (!grant.success) {
      const allowed = `${allowedGrantee}. For principals of other accounts use readers of the certificate`;
      throw new ConfigError([mistake(`grantRead(${show(certificate)})`, 'found a grantee without a policy', allowed)]);
    }
    if (!this.encryptionKey) return grant;
    // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    const decryption = Grant.addToPrincipal({
      grantee,
      actions: ['kms:Decrypt'],
      resourceArns: [this.encryptionKey.keyArn],
      conditions: {
        StringEquals: { 'kms:ViaService': `secretsmanager.${Stack.of(this).region}.amazonaws.com` },
        StringLike: { 'kms:EncryptionContext:SecretARN': secret },
      },
    });
    return grant.combine(decryption);
  }

  secret(certificate: string): ISecret {
    const path = `secret(${show(certificate)})`;
    this.check(certificate, path);
    // https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
    if (/-[A-Za-z0-9]{6}$/.test(certificate)) {
      const problem =
        'found a name that ends in a hyphen and six characters, so that the ARN without a suffix is ambiguous';
      throw new ConfigError([mistake(path, problem, 'rename the certificate, or read its secret by name')]);
    }
    const id = `Secret-${certificate}`;
    const made = this.node.tryFindChild(id) as ISecret | undefined;
    const name = `${this.prefix}${certificate}`;
    return made ?? certificateSecret(this, id, { name, grantRead: (grantee) => this.grantRead(certificate, grantee) });
  }

  onRenewed(id: string, props: RenewedRuleProps = {}): Rule {
    const path = `onRenewed(${show(id)})`;
    const { certificate, target, description } = readProps(ruleKind, props, path);
    if (certificate !== undefined) this.check(certificate, `${path}.certificate`);
    return new Rule(this, id, {
      description: description ?? `Certificate ${certificate ?? `${this.prefix}*`} was renewed`,
      eventPattern: {
        source: [eventSource],
        detailType: [detailTypes.renewed],
        detail: {
          ...(certificate !== undefined && { certificate: [certificate] }),
          // Another stack in this account may renew a certificate of the same name.
          current: { secretArn: [{ prefix: secretArn(this, this.prefix) }] },
        },
      },
      ...(target && { targets: [target] }),
    });
  }

  private check(certificate: string, path: string): void {
    const { certificates } = this;
    if (certificates?.includes(certificate)) return;
    if (certificates) {
      const problem = `${found(certificate)}${suggestion(certificate, certificates)}`;
      throw new ConfigError([mistake(path, problem, `expected one of ${certificates.join(', ')}`)]);
    }
    const isName = typeof certificate === 'string' && /^[a-z0-9-]{1,40}$/.test(certificate);
    if (!isName && !Token.isUnresolved(certificate))
      throw new ConfigError([mistake(path, found(certificate), `expected ${allowedName}`)]);
  }

  /** Rejects grantees of other accounts. Their own policy is not enough, because the secret's policy has to name them too. */
  private checkGrantee(certificate: string, grantee: IGrantable): void {
    const path = `grantRead(${show(certificate)})`;
    if (!hasMember('grantPrincipal', grantee)) throw new ConfigError([mistake(path, found(grantee), allowedGrantee)]);
    const { principalAccount } = grantee.grantPrincipal;
    const { account } = Stack.of(this);
    if (principalAccount === undefined || principalAccount === account) return;
    if (Token.isUnresolved(principalAccount) || Token.isUnresolved(account)) return;
    const allowed = `expected one of account ${account}. For other accounts use readers of the certificate, with the ARN`;
    throw new ConfigError([mistake(path, `found a principal of account ${principalAccount}`, allowed)]);
  }
}
