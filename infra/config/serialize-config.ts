import { Token } from 'aws-cdk-lib';
import type { DeployedConfig } from '../../lambdas/domain/contract/config.ts';

/**
 * Returns the text of `config.json` and the CDK tokens, in order, that `@0`, `@1` and so on stand for in it. `resolveTokens` inserts their
 * values at run time.
 */
export function serializeConfig(deployed: DeployedConfig): {
  readonly json: string;
  readonly tokens: readonly string[];
} {
  const tokens: string[] = [];
  const place = <T extends string | null>(value: T): T | string =>
    value !== null && Token.isUnresolved(value) ? `@${tokens.push(value) - 1}` : value;
  const hostedZones = deployed.hostedZones.map((zone) => ({
    ...zone,
    id: place(zone.id),
    ...(zone.role && { role: { ...zone.role, arn: place(zone.role.arn) } }),
  }));
  const certificates = deployed.certificates.map((certificate) => ({
    ...certificate,
    regions: certificate.regions.map(place),
    ...(certificate.readers && { readers: certificate.readers.map(place) }),
    ...(certificate.replicas && {
      replicas: certificate.replicas.map((each) => ({ ...each, encryptionKey: place(each.encryptionKey) })),
    }),
  }));
  const issuers = deployed.issuers.map((issuer) => ({
    ...issuer,
    externalAccountBinding: place(issuer.externalAccountBinding),
  }));
  return { json: JSON.stringify({ ...deployed, issuers, hostedZones, certificates }), tokens };
}
