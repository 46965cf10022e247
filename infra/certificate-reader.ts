import { Stack, Token } from 'aws-cdk-lib';
import { type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { readConditions } from '../lambdas/rules/access.ts';
import { detailTypes, eventSource } from '../lambdas/rules/events.ts';
import { show, suggestion } from './config/fields.ts';
import { ConfigError, secretPrefixPattern } from './config.ts';
import { secretArn } from './secret-arn.ts';

export interface RenewedRuleProps {
  /** Name of a certificate. @default every certificate with the `secretPrefix` */
  readonly certificate?: string;
  /** What is told. @default none yet: `addTarget` of the rule adds them */
  readonly target?: IRuleTarget;
  /** @default says of which certificate */
  readonly description?: string;
}

/** Certificates for those who use them. */
export interface ICertificateReader {
  /**
   * Lets somebody of this account read one certificate and its key: `secretsmanager:GetSecretValue` on its secret, of the stages
   * AWSCURRENT and AWSPREVIOUS only, and decryption where the secrets have a KMS key of yours. Clients that name no stage get
   * AWSCURRENT. Those that ask by a version's id are refused, and so are those that have to describe a secret first, as AWS's caching
   * clients do. For other accounts there is `readers` of the certificate.
   *
   * @throws ConfigError when there is no certificate of this name, as far as that is known here, or the grantee is of another account
   */
  grantRead(certificate: string, grantee: IGrantable): Grant;

  /** A rule for the event "Certificate Renewed", which comes when a certificate has been stored and delivered. */
  onRenewed(id: string, props?: RenewedRuleProps): Rule;
}

export interface CertificateReaderProps {
  /** What the secrets' names begin with; ends in a slash. @default 'certificates/' */
  readonly secretPrefix?: string;
  /** KMS key of the secrets. @default the account's `aws/secretsmanager` */
  readonly encryptionKey?: IKey | undefined;
  /** Names of all certificates. @default not known: any name is taken */
  readonly certificates?: readonly string[];
}

/** The certificates of one prefix in this account and region, renewed by this stack or by another. */
export class CertificateReader extends Construct implements ICertificateReader {
  private readonly prefix: string;
  private readonly encryptionKey: IKey | undefined;
  private readonly certificates: readonly string[] | undefined;

  constructor(
    scope: Construct,
    id: string,
    { secretPrefix = 'certificates/', encryptionKey, certificates }: CertificateReaderProps,
  ) {
    super(scope, id);
    // The beginning of an ARN and of a name would be another one.
    if (!Token.isUnresolved(secretPrefix) && !secretPrefixPattern.test(secretPrefix))
      throw new ConfigError([`secretPrefix: found ${show(secretPrefix)}, allowed: a prefix such as "certificates/"`]);
    this.prefix = secretPrefix;
    this.encryptionKey = encryptionKey;
    this.certificates = certificates;
  }

  grantRead(certificate: string, grantee: IGrantable): Grant {
    this.check(certificate);
    this.checkAccount(grantee);
    const secret = secretArn(this, `${this.prefix}${certificate}-??????`);
    const grant = Grant.addToPrincipal({
      grantee,
      actions: ['secretsmanager:GetSecretValue'],
      resourceArns: [secret],
      conditions: readConditions,
    });
    if (!grant.success)
      throw new ConfigError([
        `grantRead(${show(certificate)}): found a grantee without a policy of its own, allowed: a role, a user, or what has one. Principals of other accounts go into readers of the certificate`,
      ]);
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

  onRenewed(id: string, { certificate, target, description }: RenewedRuleProps = {}): Rule {
    if (certificate !== undefined) this.check(certificate);
    return new Rule(this, id, {
      description: description ?? `Certificate ${certificate ?? `${this.prefix}*`} was renewed`,
      eventPattern: {
        source: [eventSource],
        detailType: [detailTypes.renewed],
        detail: {
          ...(certificate !== undefined && { certificate: [certificate] }),
          // Others in this account may have a certificate of the same name.
          current: { secretArn: [{ prefix: secretArn(this, this.prefix) }] },
        },
      },
      ...(target && { targets: [target] }),
    });
  }

  private check(certificate: string): void {
    if (this.certificates?.includes(certificate)) return;
    if (this.certificates) {
      throw new ConfigError([
        `certificate: found ${show(certificate)}${suggestion(certificate, this.certificates)}, allowed: one of ${this.certificates.join(', ')}`,
      ]);
    }
    if (!Token.isUnresolved(certificate) && !/^[a-z0-9-]{1,40}$/.test(certificate))
      throw new ConfigError([`certificate: found ${show(certificate)}, allowed: a certificate's name`]);
  }

  /** A policy in another account alone gives nothing: the secret has to name whom it lets in. */
  private checkAccount(grantee: IGrantable): void {
    const theirs = grantee.grantPrincipal.principalAccount;
    const ours = Stack.of(this).account;
    if (theirs === undefined || theirs === ours || Token.isUnresolved(theirs) || Token.isUnresolved(ours)) return;
    throw new ConfigError([
      `grantee: found a principal of account ${theirs}, allowed: one of account ${ours}; those of others go into readers of the certificate, by ARN`,
    ]);
  }
}
