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

type SharedCertificate = Pick<CertificateSpec, 'name' | 'readers' | 'replicas'>;

/** Of an ARN beside prefix and name: `"arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:-??????",`. */
const arnRoom = 74;
/**
 * Characters of all ARNs in one statement: 30 certificates with names and prefix of 12 each. CDK splits what grows beyond the 10,240
 * of a role's inline policies into managed ones, between statements: one is within the 6,144 of those, and two such are two policies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const mostArnCharacters = 3000;

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
    return certificates.map(({ name }) => arnOf(this, `${this.props.prefix}${name}-??????`));
  }

  private grant(grantee: WorkflowFunction, actions: string[], conditions = {}, resources = [this.arn]): void {
    grantee.allow({ actions, resources, conditions }, madeAtRunTime);
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
export const secretArn = (scope: Construct, prefix: string): string => arnOf(scope, `${prefix}*`);

function arnOf(scope: Construct, resourceName: string): string {
  return Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** By `aws:RequestTag` what is made gets our tag; by `aws:ResourceTag` what is touched has it. */
export function ours(key: 'aws:RequestTag' | 'aws:ResourceTag', stackTag: string) {
  return { StringEquals: { [`${key}/${tags.stack}`]: stackTag } };
}
