import { z } from 'zod';
import type { Replica } from '../../lambdas/domain/contract/config.ts';
import { keyArnPattern } from './encryption-key.ts';
import { readFields, readValue, show, takesTokens, textOrToken } from './fields.ts';
import type { Report } from './mistakes.ts';
import { orKey } from './references.ts';
import { knownRegions, reportUnknownRegion } from './regions.ts';

const regionText = z.string({ error: 'an AWS region such as "eu-west-1", or { region, encryptionKey }' });
const allowedKey = 'the ARN of a KMS key in the region of the replica';
const replicaKind = {
  subject: 'a replica',
  fields: {
    region: regionText,
    encryptionKey: orKey(textOrToken(keyArnPattern, allowedKey)).optional().meta(takesTokens),
  },
  synonyms: { kmskey: 'encryptionKey', kmskeyid: 'encryptionKey', encryptionkeyarn: 'encryptionKey' },
};

/**
 * Longest value of a tag. A tag on the secret names the replica regions with spaces between them, which is enough for about 20 regions.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Tag.html
 */
const mostCharacters = 256;

/** Returns the replicas in alphabetical order of their regions. Each region is allowed once. */
export function checkReplicas(values: readonly unknown[], path: string, report: Report): readonly Replica[] {
  const replicas = new Map<string, Replica>();
  for (const [index, value] of values.entries()) {
    const at = `${path}[${index}]`;
    const { region, encryptionKey = null } = readReplica(value, at, report);
    if (region === undefined) continue;
    const keyRegion =
      encryptionKey !== null && keyArnPattern.test(encryptionKey) ? encryptionKey.split(':')[3] : region;
    if (!knownRegions().has(region)) reportUnknownRegion(region, at, report);
    else if (replicas.has(region)) report(at, `duplicate region ${show(region)}`, 'list each region once');
    else if (keyRegion !== region)
      report(`${at}.encryptionKey`, `found a key of ${keyRegion}`, `expected ${allowedKey}, ${region}`);
    else replicas.set(region, { region, encryptionKey });
  }
  const { length } = [...replicas.keys()].join(' ');
  if (length > mostCharacters) {
    const problem = `the names of ${replicas.size} regions have ${length} characters`;
    report(path, problem, `expected at most ${mostCharacters}, with a space between two names`);
  }
  return [...replicas.values()].sort((a, b) => (a.region < b.region ? -1 : 1));
}

function readReplica(value: unknown, path: string, report: Report) {
  if (typeof value === 'object' && value !== null) return readFields(replicaKind, value, path, report) ?? {};
  const region = readValue(regionText, value, path, report);
  return region === undefined ? {} : { region };
}
