import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CertificateConfig } from '../infra/config/certificate-config.ts';
import type { AcmeDirectoryOptions } from '../infra/config/issuer-options.ts';
import { acmeDirectory } from '../infra/config/issuers.ts';
import type { HostedZoneConfig, PerennialConfig } from '../infra/config/perennial-config.ts';
import { createHostedZone } from './deploy.ts';
import type { LocalEnvironment } from './environment.ts';

export interface LocalConfig extends Omit<PerennialConfig, 'issuer' | 'hostedZones' | 'certificates'> {
  /** Names of hosted zones, or zones with more fields. A zone without an id is created in the local environment. */
  readonly zones: readonly (string | (Omit<HostedZoneConfig, 'id'> & Partial<Pick<HostedZoneConfig, 'id'>>))[];
  /** Certificates of the config. Their own issuers are ignored, because the local CA issues all certificates. */
  readonly certificates: readonly CertificateConfig[];
  /** Options that replace those of the local CA, for example the directory of a proxy in front of it. */
  readonly issuer?: Partial<AcmeDirectoryOptions>;
}

/**
 * Renewals that a fleet run starts in a second. The local Route 53 has no limit, and two cores renew about four certificates a second. That
 * pace leaves no time to catch up, so functions that delay each other accumulate: of 100 renewals, up to 46 functions ran at once at 3.8 a second, and at
 * most 26 at 3.7. The local AWS is one process, so more than four cores do not help.
 */
export const localPace = 1.85 * Math.min(availableParallelism(), 4);

/** Returns a config with the local CA and these hosted zones. Creates the hosted zones that do not exist. */
export async function localConfig(
  local: LocalEnvironment,
  { zones, certificates, issuer, ...rest }: LocalConfig,
): Promise<PerennialConfig> {
  const existing = new Map((await local.aws.hostedZones()).map(({ id, name }) => [name.replace(/\.$/, ''), id]));
  const hostedZones = [];
  for (const zone of zones) {
    const { name, ...others } = typeof zone === 'string' ? { name: zone } : zone;
    const id = others.id ?? existing.get(name) ?? (await createHostedZone(local, name));
    hostedZones.push({ ...others, id, name });
  }
  return {
    rootServers: [local.dns.addresses.root],
    pace: localPace,
    ...rest,
    issuer: acmeDirectory({
      directoryUrl: local.pebble.directoryUrl,
      termsOfServiceAgreed: true,
      trustedRoots: [local.pebble.trustedRoots],
      ...issuer,
    }),
    hostedZones,
    certificates: certificates.map(({ issuer: _, ...certificate }) => certificate),
  };
}

/** Writes a config into a file for `cdk -c config=FILE`. The config is plain data, so the file needs no imports. @returns the path */
export function writeConfig(local: LocalEnvironment, config: PerennialConfig): string {
  const file = join(local.folder, 'certificates.mjs');
  writeFileSync(file, `export default ${JSON.stringify(config, null, 2)};\n`);
  return file;
}
