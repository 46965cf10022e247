import { Annotations } from 'aws-cdk-lib';
import type { CertificateSpec } from '../../lambdas/domain/contract/config.ts';
import { environment, tags } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { grantKeyForSecrets, grantReplicaKeys } from './key-grants.ts';
import { secretArn } from './secret-arn.ts';
import { SecretNamespace } from './secret-namespace.ts';
import { taggedByStack } from './stack-tag.ts';

type SharedCertificate = Pick<CertificateSpec, 'name' | 'readers' | 'replicas'>;

/**
 * Returns the characters of the longest ARN in the policies of the certificate function. The ARN of a secret has 74 besides prefix and name:
 * `arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:-??????` and two quotes and a comma. A name has 40. Other ARNs have at most 150.
 */
export function secretArnSize(prefix: string): number {
  return Math.max(150, 74 + prefix.length + 40);
}

/**
 * Characters for the ARNs in one statement. When the inline policies of a role exceed 10,240 characters, the CDK moves whole statements into
 * managed policies, and fills them up to 6,000 characters. The rest of the statement takes about 400.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const statementCharacters = 5_400;
/** Statements with ARNs of single secrets. A role has at most ten managed policies, and other statements need two of them. */
const mostStatements = 8;

/** The secrets of the certificates. */
export class CertificateSecrets extends SecretNamespace {
  protected readonly prefixVariable = environment.secretPrefix;
  protected readonly tagKeys = [tags.stack, tags.certificate, tags.replicas];

  /** Allows reading the tags and versions of a secret, but not its value. */
  grantDescribe(grantee: WorkflowFunction): void {
    this.grant(grantee, ['secretsmanager:DescribeSecret']);
  }

  /** Allows reading the values of secrets with the tag of this stack, and describing secrets. */
  grantRead(grantee: WorkflowFunction): void {
    this.grantDescribe(grantee);
    this.grant(grantee, ['secretsmanager:GetSecretValue'], taggedByStack('aws:ResourceTag', this.props.stackTag));
    grantKeyForSecrets(grantee, this.props.encryptionKey, 'read', [this.arn]);
  }

  /** Allows creating secrets with the tag of this stack, and reading and writing secrets with this tag. Deletion is not allowed. */
  grantWrite(grantee: WorkflowFunction): void {
    this.grantDescribe(grantee);
    this.grantCreate(grantee, [
      'secretsmanager:GetSecretValue',
      'secretsmanager:ListSecretVersionIds',
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
    ]);
  }

  /**
   * Allows changing the readers in other accounts and the replicas of secrets with the tag of this stack. Removing is always allowed,
   * because the configuration may have had readers and replicas before. Adding is allowed only for certificates that have some.
   */
  grantShare(grantee: WorkflowFunction, certificates: readonly SharedCertificate[]): void {
    const tagged = taggedByStack('aws:ResourceTag', this.props.stackTag);
    this.grant(
      grantee,
      [
        'secretsmanager:DeleteResourcePolicy',
        'secretsmanager:GetResourcePolicy',
        'secretsmanager:RemoveRegionsFromReplication',
      ],
      tagged,
    );
    // Tags of an earlier configuration are removed. Their keys are not known here, so the keys that are protected are given.
    this.grant(grantee, ['secretsmanager:UntagResource'], {
      ...tagged,
      'ForAllValues:StringNotLike': { 'aws:TagKeys': ['perennial:*'] },
    });
    const withReaders = certificates.filter(({ readers = [] }) => readers.length > 0);
    const replicated = certificates.filter(({ replicas = [] }) => replicas.length > 0);
    const groups = [this.groupsOf(withReaders), this.groupsOf(replicated)] as const;
    const fits = groups.flat().length <= mostStatements;
    const [ofReaders, ofReplicas] = fits ? groups : groups.map((each) => (each.length > 0 ? [[this.arn]] : []));
    if (!fits) this.warnOfPrefix(new Set([...withReaders, ...replicated]).size);
    for (const resources of ofReaders ?? [])
      this.grant(
        grantee,
        ['secretsmanager:PutResourcePolicy'],
        { ...tagged, Bool: { 'secretsmanager:BlockPublicPolicy': 'true' } },
        resources,
      );
    for (const resources of ofReplicas ?? [])
      this.grant(
        grantee,
        ['secretsmanager:ReplicateSecretToRegions'],
        { ...tagged, Bool: { 'secretsmanager:ForceOverwriteReplicaSecret': 'false' } },
        resources,
      );
    grantReplicaKeys(
      grantee,
      replicated.flatMap(({ replicas = [] }) => replicas),
      (region) => secretArn(this, `${this.props.prefix}*`, region),
    );
  }

  private warnOfPrefix(count: number): void {
    Annotations.of(this).addWarningV2(
      'perennial:readersAndReplicas',
      `certificates: ${count} of them have readers or replicas, which are too many for the policies of a role. So the certificate function may set readers and replicas of every secret below ${this.props.prefix} that has the tag of this stack`,
    );
  }

  /** Returns the ARNs of these certificates' secrets in groups, each for one statement. */
  private groupsOf(certificates: readonly SharedCertificate[]): string[][] {
    const { prefix } = this.props;
    const inStatement = Math.floor(statementCharacters / secretArnSize(prefix));
    const arns = certificates.map(({ name }) => secretArn(this, `${prefix}${name}-??????`));
    const count = Math.ceil(arns.length / inStatement);
    return Array.from({ length: count }, (_, index) => arns.slice(index * inStatement, (index + 1) * inStatement));
  }
}
