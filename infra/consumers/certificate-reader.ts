import { Stack, Token } from 'aws-cdk-lib';
import { type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { z } from 'zod';
import { detailTypes, eventSource } from '../../lambdas/domain/contract/events.ts';
import { readConditions } from '../../lambdas/domain/rules/certificate/secret-sharing.ts';
import { ConfigError, secretPrefixPattern } from '../config/check-config.ts';
import { type Fields, readFields, type Shape, show, suggestion, takesTokens } from '../config/fields.ts';
import { secretArn } from '../resources/secret-arn.ts';

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
}

const allowedPrefix = 'a prefix such as "certificates/"';
const readerShape = {
  // The beginning of an ARN and of a name would be another one.
  secretPrefix: z
    .string({ error: allowedPrefix })
    .refine((prefix) => Token.isUnresolved(prefix) || secretPrefixPattern.test(prefix), { error: allowedPrefix })
    .optional()
    .meta(takesTokens),
  encryptionKey: z
    .custom<IKey>((key) => isWith('keyArn', key), { error: 'a KMS key such as Key.fromKeyArn(this, "Key", "arn:...")' })
    .optional(),
};

const allowedName = "a certificate's name";
const ruleShape = {
  certificate: z.string({ error: allowedName }).optional().meta(takesTokens),
  target: z
    .custom<IRuleTarget>((target) => isWith('bind', target), { error: 'a target of aws-cdk-lib/aws-events-targets' })
    .optional(),
  description: z.string({ error: 'a text' }).optional().meta(takesTokens),
};

const allowedGrantee = 'a role, a user, or what has one';

const isWith = (member: string, value: unknown): boolean =>
  typeof value === 'object' && value !== null && member in value;

/** From JavaScript, where no compiler looks, a mistyped key would give more than was asked for. */
function readProps<S extends Shape>(shape: S, props: unknown, path: string): Fields<S> {
  const mistakes: string[] = [];
  const fields = readFields(shape, props, path, (at, sentence) => mistakes.push(`${at}: ${sentence}`));
  if (!fields || mistakes.length > 0) throw new ConfigError(mistakes);
  return fields;
}

/** The certificates of one prefix in this account and region, renewed by this stack or by another. */
export class CertificateReader extends Construct implements ICertificateReader {
  private readonly prefix: string;
  private readonly encryptionKey: IKey | undefined;
  private readonly certificates: readonly string[] | undefined;

  /** @param certificates names of all; `undefined`: not known, and any name is taken */
  constructor(scope: Construct, id: string, props: CertificateReaderProps, certificates?: readonly string[]) {
    super(scope, id);
    const { secretPrefix = 'certificates/', encryptionKey } = readProps(readerShape, props, '');
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
      actions: ['secretsmanager:GetSecretValue'],
      resourceArns: [secret],
      conditions: readConditions,
    });
    if (!grant.success)
      throw new ConfigError([
        `grantRead(${show(certificate)}): found a grantee without a policy of its own, allowed: ${allowedGrantee}. Principals of other accounts go into readers of the certificate`,
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

  onRenewed(id: string, props: RenewedRuleProps = {}): Rule {
    const path = `onRenewed(${show(id)})`;
    const { certificate, target, description } = readProps(ruleShape, props, path);
    if (certificate !== undefined) this.check(certificate, `${path}.certificate`);
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

  private check(certificate: string, path: string): void {
    if (this.certificates?.includes(certificate)) return;
    if (this.certificates) {
      throw new ConfigError([
        `${path}: found ${show(certificate)}${suggestion(certificate, this.certificates)}, allowed: one of ${this.certificates.join(', ')}`,
      ]);
    }
    const named = typeof certificate === 'string' && /^[a-z0-9-]{1,40}$/.test(certificate);
    if (!named && !Token.isUnresolved(certificate))
      throw new ConfigError([`${path}: found ${show(certificate)}, allowed: ${allowedName}`]);
  }

  /** A policy in another account alone gives nothing: the secret has to name whom it lets in. */
  private checkGrantee(certificate: string, grantee: IGrantable): void {
    if (!isWith('grantPrincipal', grantee))
      throw new ConfigError([`grantRead(${show(certificate)}): found ${show(grantee)}, allowed: ${allowedGrantee}`]);
    const theirs = grantee.grantPrincipal.principalAccount;
    const ours = Stack.of(this).account;
    if (theirs === undefined || theirs === ours || Token.isUnresolved(theirs) || Token.isUnresolved(ours)) return;
    throw new ConfigError([
      `grantee: found a principal of account ${theirs}, allowed: one of account ${ours}; those of others go into readers of the certificate, by ARN`,
    ]);
  }
}
