import {
  type DescribeSecretCommandOutput,
  type Tag,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { tags as ownTags, type Tags } from '../../../domain/contract/environment.ts';
import { type Secret, secretReplyOf } from './secrets.ts';

/** A secret with the tags that it gets from this stack. */
export interface TaggedSecret extends Secret {
  /** Value of the tag `perennial:stack`. */
  readonly stackTag: string;
  /** The operator's tags. */
  readonly tags: Tags;
}

/** Returns the tags of the stack and the operator, and more tags of this project. */
export function secretTags({ stackTag, tags }: TaggedSecret, more: Tags = {}): Tag[] {
  const all = { ...tags, [ownTags.stack]: stackTag, ...more };
  return Object.entries(all).map(([Key, Value]) => ({ Key, Value }));
}

/** Sets tags. One of them has to be `perennial:stack`, because the role may not set tags without it. */
export async function setTags({ client, secret }: Secret, Tags: Tag[]): Promise<void> {
  const command = new TagResourceCommand({ SecretId: secret, Tags });
  await secretReplyOf({ client, secret }, 'TagResource', client.send(command));
}

/** Removes the operator's earlier tags, and sets the tags that are missing or have another value. */
export async function updateTags(
  tagged: TaggedSecret,
  { Tags: there = [] }: DescribeSecretCommandOutput,
  removed: readonly string[],
): Promise<void> {
  const { client, secret } = tagged;
  const TagKeys = removed.filter((key) => there.some(({ Key }) => Key === key));
  if (TagKeys.length > 0) {
    const command = new UntagResourceCommand({ SecretId: secret, TagKeys });
    await secretReplyOf(tagged, 'UntagResource', client.send(command));
  }
  const isThere = ([key, value]: [string, string]) => there.some(({ Key, Value }) => Key === key && Value === value);
  if (!Object.entries(tagged.tags).every(isThere)) await setTags(tagged, secretTags(tagged));
}
