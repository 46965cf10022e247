import { Token } from 'aws-cdk-lib';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { HostedZone, Issuer } from '../../lambdas/domain/contract/config.ts';
import type { ReadCertificate } from './certificates.ts';
import { show } from './fields.ts';
import type { Report } from './mistakes.ts';

/** Everything in a configuration that names a partition. */
export interface Partitioned {
  readonly certificates: readonly ReadCertificate[];
  readonly hostedZones: readonly HostedZone[];
  readonly issuers: readonly Issuer[];
  readonly encryptionKey: unknown;
}

/** Reports regions and ARNs of another partition than the stack's. The roles of one partition are not valid in another. */
export function checkPartition(
  { certificates, hostedZones, issuers, encryptionKey }: Partitioned,
  region: string,
  report: Report,
): void {
  const partition = partitionOf(region);
  if (partition === undefined) return;
  const check = (path: string, value: string | null | undefined, found: string | undefined) => {
    if (!value || found === undefined || found === partition) return;
    const problem = `found ${show(value)} of the partition ${found}`;
    report(path, problem, `expected the partition of the stack, which is ${partition} in ${region}`);
  };
  const arn = (path: string, value: string | null | undefined) =>
    check(path, value, value && !Token.isUnresolved(value) ? value.split(':')[1] : undefined);
  for (const [index, { regions = [], replicas = [], readers = [] }] of certificates.entries()) {
    const path = `certificates[${index}]`;
    for (const each of regions) check(`${path}.acm`, each, partitionOf(each));
    for (const each of replicas) {
      check(`${path}.replicas`, each.region, partitionOf(each.region));
      arn(`${path}.replicas`, each.encryptionKey);
    }
    for (const each of readers) arn(`${path}.readers`, each);
  }
  for (const [index, { role }] of hostedZones.entries()) arn(`hostedZones[${index}].roleArn`, role?.arn);
  for (const { name, externalAccountBinding } of issuers) arn(`${name}.externalAccountBinding`, externalAccountBinding);
  arn('encryptionKey', keyArnOf(encryptionKey));
}

function keyArnOf(key: unknown): string | undefined {
  const { keyArn } = Object(key) as { readonly keyArn?: unknown };
  return [key, keyArn].find((each) => typeof each === 'string');
}

const partitionOf = (region: string): string | undefined =>
  Token.isUnresolved(region) ? undefined : RegionInfo.get(region).partition;
