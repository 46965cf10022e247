import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { tags } from '../../lambdas/domain/contract/environment.ts';

/**
 * Returns the IAM condition that a request sets the tag of this stack (`aws:RequestTag`), or that a resource has it (`aws:ResourceTag`).
 */
export function taggedByStack(key: 'aws:RequestTag' | 'aws:ResourceTag', stackTag: string) {
  return { StringEquals: { [`${key}/${tags.stack}`]: stackTag } };
}

/** Returns the stack that the operator deploys. A nested stack has a name that CloudFormation makes up, and another one when it is created again. */
export function outermostStack(scope: IConstruct): Stack {
  let stack = Stack.of(scope);
  while (stack.nestedStackParent) stack = stack.nestedStackParent;
  return stack;
}
