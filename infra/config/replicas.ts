import { Token } from 'aws-cdk-lib';
import { z } from 'zod';
import type { Replica } from '../../lambdas/domain/contract/config.ts';
import { type Report, readFields, readValue, show, suggestion, takesTokens } from './fields.ts';

const allowedRegion = 'an AWS region such as "eu-west-1", or { region, encryptionKey }';
const regionText = z.string({ error: allowedRegion });
const keyArn = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/;
const allowedKey = 'the ARN of a KMS key in the region of the replica';
const replicaShape = {
  region: regionText,
  encryptionKey: z
    .string({ error: allowedKey })
    .refine((arn) => Token.isUnresolved(arn) || keyArn.test(arn), { error: allowedKey })
    .optional()
    .meta(takesTokens),
};

/**
 * Characters of the tag on the secret that names these regions, with spaces between them: 17 of the longest names, of 14, and some 20 as they
 * come. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Tag.html
 */
const mostCharacters = 256;

/** Each region once, by name. */
export function checkReplicas(
  values: readonly unknown[],
  path: string,
  { known, report }: { readonly known: ReadonlySet<string>; readonly report: Report },
): readonly Replica[] {
  const replicas = new Map<string, Replica>();
  for (const [index, value] of values.entries()) {
    const at = `${path}[${index}]`;
    const { region, encryptionKey = null } = readReplica(value, at, report);
    if (region === undefined) continue;
    if (!known.has(region)) {
      report(at, `found the unknown region ${show(region)}${suggestion(region, known)}, allowed: ${allowedRegion}`);
    } else if (replicas.has(region)) {
      report(at, `found ${show(region)} a second time, allowed: one replica in a region`);
    } else if (encryptionKey !== null && keyArn.test(encryptionKey) && encryptionKey.split(':')[3] !== region) {
      report(`${at}.encryptionKey`, `found a key of ${encryptionKey.split(':')[3]}, allowed: ${allowedKey}, ${region}`);
    } else replicas.set(region, { region, encryptionKey });
  }
  const { length } = [...replicas.keys()].join(' ');
  if (length > mostCharacters)
    report(
      path,
      `found ${replicas.size} regions, ${length} characters, allowed: ${mostCharacters} characters with the spaces between them`,
    );
  return [...replicas.values()].sort((a, b) => (a.region < b.region ? -1 : 1));
}

function readReplica(value: unknown, path: string, report: Report) {
  if (typeof value === 'object' && value !== null) return readFields(replicaShape, value, path, report) ?? {};
  const region = readValue(regionText, value, path, report);
  return region === undefined ? {} : { region };
}
