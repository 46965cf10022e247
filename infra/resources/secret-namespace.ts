import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { environment, tags } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { grantKey } from './encryption.ts';
import { secretArn } from './secret-arn.ts';
import { ours } from './stack-tag.ts';

export interface SecretNamespaceProps {
  /** What the secrets' names begin with; ends in a slash. */
  readonly prefix: string;
  /** Value of the tag `perennial:stack`. */
  readonly stackTag: string;
  /** What new secrets are encrypted with. @default the account's `aws/secretsmanager` */
  readonly encryptionKey?: IKey | undefined;
}

/** Secrets that are made at run time: this owns their name space and not the secrets. */
export abstract class SecretNamespace extends Construct {
  protected readonly props: SecretNamespaceProps;
  /** Of all of them. */
  protected readonly arn: string;
  /** Environment variable that tells a function the prefix. */
  protected abstract readonly prefixVariable: string;
  /** Keys of the tags that functions set. */
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
      'Secrets are made at run time, and their ARNs end in characters that AWS chooses: the prefix is of this stack.',
    );
    grantee.addEnvironment(this.prefixVariable, prefix);
    grantee.addEnvironment(environment.stackTag, stackTag);
  }

  /**
   * A new secret has to carry our tag; these actions are for those that carry it. To make one with tags takes TagResource too, while it has
   * no tag yet: so one that somebody else made under our prefix without this tag could be given it. One of another stack could not.
   */
  protected grantMake(grantee: WorkflowFunction, actions: string[]): void {
    const { stackTag, encryptionKey } = this.props;
    this.grant(grantee, ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'], {
      ...ours('aws:RequestTag', stackTag),
      StringEqualsIfExists: { [`aws:ResourceTag/${tags.stack}`]: stackTag },
      'ForAllValues:StringEquals': { 'aws:TagKeys': this.tagKeys },
    });
    this.grant(grantee, actions, ours('aws:ResourceTag', stackTag));
    if (!encryptionKey) return;
    grantKey(grantee, encryptionKey, 'secretsmanager', 'write');
    grantee.addEnvironment(environment.encryptionKey, encryptionKey.keyArn);
  }
}
