import type { CertificateSpec } from '../../lambdas/domain/contract/config.ts';
import { environment, tags } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { grantKey, grantReplicaKeys } from './encryption.ts';
import { secretArn } from './secret-arn.ts';
import { SecretNamespace } from './secret-namespace.ts';
import { taggedByStack } from './stack-tag.ts';

type SharedCertificate = Pick<CertificateSpec, 'name' | 'readers' | 'replicas'>;

/** Characters of an ARN without prefix and name: `"arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:-??????",`. */
const arnCharacters = 74;
/**
 * Most characters for the ARNs in one statement, which is enough for 30 certificates whose names and prefix have 12 characters each. When
 * the inline policies of a role exceed 10,240 characters, the CDK moves whole statements into managed policies. One such statement fits
 * into the 6,144 characters of a managed policy, and two statements become two policies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const mostArnCharacters = 3000;

/** The secrets of the certificates. */
export class CertificateSecrets extends SecretNamespace {
  protected readonly prefixVariable = environment.secretPrefix;
  protected readonly tagKeys = [tags.stack, tags.certificate, tags.replicas];

  /** Allows reading the tags and versions of a secret, but not its value. */
  grantDescribe(grantee: WorkflowFunction): void {
    this.grant(grantee, ['secretsmanager:DescribeSecret']);
  }

  /** Allows reading the values of secrets with the tag of this stack. */
  grantRead(grantee: WorkflowFunction): void {
    this.grant(grantee, ['secretsmanager:GetSecretValue'], taggedByStack('aws:ResourceTag', this.props.stackTag));
    grantKey(grantee, this.props.encryptionKey, 'secretsmanager', 'read');
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
    if (withReaders.length > 0)
      this.grant(
        grantee,
        ['secretsmanager:PutResourcePolicy'],
        { ...tagged, Bool: { 'secretsmanager:BlockPublicPolicy': 'true' } },
        this.arnsOf(withReaders),
      );
    const replicated = certificates.filter(({ replicas = [] }) => replicas.length > 0);
    if (replicated.length === 0) return;
    this.grant(
      grantee,
      ['secretsmanager:ReplicateSecretToRegions'],
      { ...tagged, Bool: { 'secretsmanager:ForceOverwriteReplicaSecret': 'false' } },
      this.arnsOf(replicated),
    );
    grantReplicaKeys(
      grantee,
      replicated.flatMap(({ replicas = [] }) => replicas),
    );
  }

  /** Returns the ARNs of these certificates' secrets, or the pattern for all secrets if the list is too long for a policy. */
  private arnsOf(certificates: readonly SharedCertificate[]): string[] {
    const characters = certificates.reduce(
      (sum, { name }) => sum + arnCharacters + this.props.prefix.length + name.length,
      0,
    );
    if (characters > mostArnCharacters) return [this.arn];
    return certificates.map(({ name }) => secretArn(this, `${this.props.prefix}${name}-??????`));
  }
}
