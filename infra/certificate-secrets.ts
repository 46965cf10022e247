import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { CertificateSpec } from '../lambdas/rules/contract.ts';
import { environment, tags } from '../lambdas/rules/environment.ts';
import { grantKey, grantReplicaKeys } from './encryption.ts';
import type { WorkflowFunction } from './workflow-function.ts';

export interface CertificateSecretsProps {
  /** What the secrets' names begin with; ends in a slash. */
  readonly prefix: string;
  /** Value of the tag `perennial:stack`. */
  readonly stackTag: string;
  /** What new secrets are encrypted with. @default the account's `aws/secretsmanager` */
  readonly encryptionKey?: IKey | undefined;
}

/** The certificates' secrets: made at run time, so this owns their name space and not the secrets. */
export class CertificateSecrets extends Construct {
  private readonly props: CertificateSecretsProps;
  private readonly arn: string;

  constructor(scope: Construct, id: string, props: CertificateSecretsProps) {
    super(scope, id);
    this.props = props;
    this.arn = secretArn(this, props.prefix);
  }

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
    const { stackTag } = this.props;
    this.grantDescribe(grantee);
    this.grant(
      grantee,
      ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'],
      ours('aws:RequestTag', stackTag),
    );
    this.grant(
      grantee,
      [
        'secretsmanager:GetSecretValue',
        'secretsmanager:ListSecretVersionIds',
        'secretsmanager:PutSecretValue',
        'secretsmanager:UpdateSecretVersionStage',
      ],
      ours('aws:ResourceTag', stackTag),
    );
    encryptNew(grantee, this.props);
  }

  /**
   * Readers of other accounts and replicas, of secrets that are ours. Whoever is taken out of the configuration loses it, so taking
   * away is always allowed; giving is where a certificate has some.
   */
  grantShare(grantee: WorkflowFunction, certificates: readonly Pick<CertificateSpec, 'readers' | 'replicas'>[]): void {
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
    if (certificates.some(({ readers = [] }) => readers.length > 0))
      this.grant(grantee, ['secretsmanager:PutResourcePolicy'], {
        ...tagged,
        Bool: { 'secretsmanager:BlockPublicPolicy': 'true' },
      });
    const replicas = certificates.flatMap((certificate) => certificate.replicas ?? []);
    if (replicas.length === 0) return;
    this.grant(grantee, ['secretsmanager:ReplicateSecretToRegions'], tagged);
    grantReplicaKeys(grantee, replicas);
  }

  private grant(grantee: WorkflowFunction, actions: string[], conditions = {}): void {
    grantee.allow({ actions, resources: [this.arn], conditions }, madeAtRunTime);
    grantee.addEnvironment(environment.secretPrefix, this.props.prefix);
    grantee.addEnvironment(environment.stackTag, this.props.stackTag);
  }
}

/** The key for secrets that this function makes and writes. */
export function encryptNew(grantee: WorkflowFunction, { encryptionKey }: CertificateSecretsProps): void {
  if (!encryptionKey) return;
  grantKey(grantee, encryptionKey, 'secretsmanager', 'write');
  grantee.addEnvironment(environment.encryptionKey, encryptionKey.keyArn);
}

export const madeAtRunTime =
  'Secrets are made at run time, and their ARNs end in characters that AWS chooses: the prefix is of this stack.';

/** Secrets whose names begin with this. Their ARNs end in six characters that AWS chooses. */
export function secretArn(scope: Construct, prefix: string): string {
  return Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${prefix}*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** By `aws:RequestTag` what is made gets our tag; by `aws:ResourceTag` what is touched has it. */
export function ours(key: 'aws:RequestTag' | 'aws:ResourceTag', stackTag: string) {
  return { StringEquals: { [`${key}/${tags.stack}`]: stackTag } };
}
