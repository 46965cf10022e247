import { tags } from '../../lambdas/domain/contract/environment.ts';

/**
 * Returns the IAM condition that a request sets the tag of this stack (`aws:RequestTag`), or that a resource has it (`aws:ResourceTag`).
 */
export function taggedByStack(key: 'aws:RequestTag' | 'aws:ResourceTag', stackTag: string) {
  return { StringEquals: { [`${key}/${tags.stack}`]: stackTag } };
}
