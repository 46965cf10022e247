import { tags } from '../../lambdas/domain/contract/environment.ts';

/** A condition: by `aws:RequestTag` what is made gets our tag; by `aws:ResourceTag` what is touched has it. */
export function ours(key: 'aws:RequestTag' | 'aws:ResourceTag', stackTag: string) {
  return { StringEquals: { [`${key}/${tags.stack}`]: stackTag } };
}
