import { type IResolvable, type ITaggableV2, Lazy, Stack, TagManager, TagType } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { environment, type Tags } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { outermostStack } from './stack-tag.ts';

/**
 * The operator's tags for what the functions create at run time. `Tags.of` reaches them here as it reaches the resources of the template, and a
 * filter by resource type treats all of them as secrets. The tags of the stack are among them, which CloudFormation sets on the resources of the
 * template. They are read when the template is written, because tags are added until then.
 */
export class RuntimeTags extends Construct implements ITaggableV2 {
  readonly cdkTagManager = new TagManager(TagType.KEY_VALUE, 'AWS::SecretsManager::Secret');
  /** The tags as JSON, or nothing if there are none. */
  readonly json: string = Lazy.string({ produce: () => this.toJson() });

  /** The tags by key. Values may be CDK tokens. */
  get values(): Tags {
    return { ...outermostStack(this).tags.tagValues(), ...this.cdkTagManager.tagValues() };
  }

  /** Gives the tags to functions that set them or compare them. */
  pass(...functions: readonly WorkflowFunction[]): void {
    for (const each of functions) each.addEnvironment(environment.tags, this.json);
  }

  /** Returns the condition that a request sets no other tags than these and the tags of the project. */
  onlyKeys(own: readonly string[]): Record<string, Record<string, unknown>> {
    return { 'ForAllValues:StringEquals': { 'aws:TagKeys': this.keys(own) } };
  }

  /** Returns the keys. The CDK measures policies with `toJSON` to divide those that are too large for IAM. */
  private keys(own: readonly string[]): IResolvable {
    const keys = () => [...new Set([...own, ...Object.keys(this.values)])];
    return { creationStack: [], resolve: keys, toString: () => 'tag keys', toJSON: keys } as IResolvable;
  }

  private toJson(): string | undefined {
    return Object.keys(this.values).length > 0 ? Stack.of(this).toJsonString(this.values) : undefined;
  }
}
