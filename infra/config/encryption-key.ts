import type { IKey } from 'aws-cdk-lib/aws-kms';
import { z } from 'zod';
import { textOrToken } from './fields.ts';
import { isAlias } from './references.ts';

export const keyArnPattern = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/;

/** Reads `encryptionKey` of the config file. */
export const encryptionKeyArn = textOrToken(
  keyArnPattern,
  'the ARN of a KMS key, arn:aws:kms:<region>:<account>:key/<id>',
).optional();

/** Reads `encryptionKey` of a construct. In JavaScript it may be any value. */
export const encryptionKey = z
  .custom<IKey>((key) => typeof (key as IKey | null)?.keyArn === 'string' && !isAlias(key), {
    error: 'a KMS key such as Key.fromKeyArn(this, "Key", "arn:..."), and not an alias',
  })
  .optional();
