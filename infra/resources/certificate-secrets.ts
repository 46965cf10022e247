import type { CertificateSpec } from '../../lambdas/domain/contract/config.ts';
import { environment, tags } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { grantKey, grantReplicaKeys } from './encryption.ts';
import { secretArn } from './secret-arn.ts';
import { SecretNamespace } from './secret-namespace.ts';
import { ours } from './stack-tag.ts';

type SharedCertificate = Pick<CertificateSpec, 'name' | 'readers' | 'replicas'>;

/** Of an ARN beside prefix and name: `"arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:-??????",`. */
const arnRoom = 74;
/**
 * Characters of all ARNs in one statement: 30 certificates with names and prefix of 12 each. CDK splits what grows beyond the 10,240
 * of a role's inline policies into managed ones, between statements: one is within the 6,144 of those, and two such are two policies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const mostArnCharacters = 3000;

/** The certificates' secrets. */
export class CertificateSecrets extends SecretNamespace {
  protected readonly prefixVariable = environment.secretPrefix;
  protected readonly tagKeys = [tags.stack, tags.certificate, tags.replicas];

  /** That a secret is there, whose it is and which version is current: no value. */
  grantDescribe(grantee: WorkflowFunction): void {
    this.grant(grantee, ['secretsmanager:DescribeSecret']);
  }

  /** The values, of secrets that are ours. */
  grantRead(grantee: WorkflowFunction): void {
    this.grant(grantee, ['secretsmanager:GetSecretValue'], ours('aws:ResourceTag', this.props.stackTag));
    grantKey(grantee, this.props.encryptionKey, 'secretsmanager', 'read');
  }

  /** Everything but deletion: a new secret has to carry our tag, and only one that carries it is read or written. */
  grantWrite(grantee: WorkflowFunction): void {
    this.grantDescribe(grantee);
    this.grantMake(grantee, [
      'secretsmanager:GetSecretValue',
      'secretsmanager:ListSecretVersionIds',
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
    ]);
  }

  /**
   * Readers of other accounts and replicas, of secrets that are ours. Whoever is taken out of the configuration loses it, so taking
   * away is always allowed; giving is for the certificates that have some.
   */
  grantShare(grantee: WorkflowFunction, certificates: readonly SharedCertificate[]): void {
    const tagged = ours('aws:ResourceTag', this.props.stackTag);
    this.grant(
      grantee,
      [
        'secretsmanager:DeleteResourcePolicy',
        'secretsmanager:GetResourcePolicy',
        'secretsmanager:RemoveRegionsFromReplication',
      ],
      tagged,
    );
    const read = certificates.filter(({ readers = [] }) => readers.length > 0);
    if (read.length > 0)
      this.grant(
        grantee,
        ['secretsmanager:PutResourcePolicy'],
        { ...tagged, Bool: { 'secretsmanager:BlockPublicPolicy': 'true' } },
        this.arnsOf(read),
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

  /** The secrets of these certificates; of all where that would be too long for a policy. */
  private arnsOf(certificates: readonly SharedCertificate[]): string[] {
    const characters = certificates.reduce(
      (sum, { name }) => sum + arnRoom + this.props.prefix.length + name.length,
      0,
    );
    if (characters > mostArnCharacters) return [this.arn];
    return certificates.map(({ name }) => secretArn(this, `${this.props.prefix}${name}-??????`));
  }
}
