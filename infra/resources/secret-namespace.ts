import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { environment, tags } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { grantKeyForSecrets } from './key-grants.ts';
import type { RuntimeTags } from './runtime-tags.ts';
import { secretArn } from './secret-arn.ts';
import { taggedByStack } from './stack-tag.ts';

export interface SecretNamespaceProps {
  /** Prefix of the secrets' names. It ends in a slash. */
  readonly prefix: string;
  /** Value of the tag `perennial:stack`. */
  readonly stackTag: string;
  readonly tags: RuntimeTags;
  /** KMS key for new secrets. @default the account's `aws/secretsmanager` key */
  readonly encryptionKey?: IKey | undefined;
}

/** A prefix for secrets that the functions create at run time. The construct grants access to them and does not create them. */
export abstract class SecretNamespace extends Construct {
  protected readonly props: SecretNamespaceProps;
  /** ARN pattern of all secrets with the prefix. */
  protected readonly arn: string;
  /** Name of the environment variable with the prefix. */
  protected abstract readonly prefixVariable: string;
  /** Keys of the tags that the functions set. */
  protected abstract readonly tagKeys: readonly string[];

  constructor(scope: Construct, id: string, props: SecretNamespaceProps) {
    super(scope, id);
    this.props = props;
    this.arn = secretArn(this, `${props.prefix}*`);
  }

  protected grant(grantee: WorkflowFunction, actions: string[], conditions = {}, resources = [this.arn]): void {
    const { prefix, stackTag } = this.props;
    grantee.allow(
      { actions, resources, conditions },
      'The functions create the secrets at run time, and their ARNs end in characters that AWS chooses. Only this stack uses the prefix.',
    );
    grantee.addEnvironment(this.prefixVariable, prefix);
    grantee.addEnvironment(environment.stackTag, stackTag);
  }

  /**
   * Allows creating secrets with the tag of this stack, and these actions on secrets with this tag. Creating a secret with tags also needs
   * TagResource, at a moment when the secret has no tag yet. So a secret with this prefix and without the tag could be tagged as well, but
   * not a secret of another stack. No other tags can be set than those of this project and the operator's.
   */
  protected grantCreate(grantee: WorkflowFunction, actions: string[]): void {
    const { stackTag, tags: runtimeTags, encryptionKey } = this.props;
    this.grant(grantee, ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'], {
      ...taggedByStack('aws:RequestTag', stackTag),
      StringEqualsIfExists: { [`aws:ResourceTag/${tags.stack}`]: stackTag },
      ...runtimeTags.onlyKeys(this.tagKeys),
    });
    this.grant(grantee, actions, taggedByStack('aws:ResourceTag', stackTag));
    if (!encryptionKey) return;
    grantKeyForSecrets(grantee, encryptionKey, 'write', [this.arn]);
    grantee.addEnvironment(environment.encryptionKey, encryptionKey.keyArn);
  }
}
