import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AcmeDirectoryOptions } from '../infra/config/issuer-options.ts';
import { acmeDirectory } from '../infra/config/issuers.ts';
import type { CertificateConfig, HostedZoneConfig, PerennialConfig } from '../infra/config/perennial-config.ts';
import { createHostedZone } from './deploy.ts';
import type { LocalEnvironment } from './environment.ts';

export interface LocalConfig extends Omit<PerennialConfig, 'issuer' | 'hostedZones' | 'certificates'> {
  /** Names, or zones with what else is to be said of them. One without an id becomes a hosted zone here. */
  readonly zones: readonly (string | (Omit<HostedZoneConfig, 'id'> & Partial<Pick<HostedZoneConfig, 'id'>>))[];
  /** Issuers in here are passed over: the local CA issues. */
  readonly certificates: readonly CertificateConfig[];
  /** What differs from the local CA: the directory of a proxy before it, say. */
  readonly issuer?: Partial<AcmeDirectoryOptions>;
}

/** A config with the local CA and hosted zones of these names, made where they are not there yet. */
export async function localConfig(
  local: LocalEnvironment,
  { zones, certificates, issuer, ...rest }: LocalConfig,
): Promise<PerennialConfig> {
  const there = new Map((await local.aws.hostedZones()).map(({ id, name }) => [name.replace(/\.$/, ''), id]));
  const hostedZones = [];
  for (const zone of zones) {
    const { name, ...others } = typeof zone === 'string' ? { name: zone } : zone;
    const id = others.id ?? there.get(name) ?? (await createHostedZone(local, name));
    hostedZones.push({ ...others, id, name });
  }
  return {
    rootServers: [local.dns.addresses.root],
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

/** Writes a config where `cdk -c config=` finds it. It is plain data, so the file needs no import. */
export function writeConfig(local: LocalEnvironment, config: PerennialConfig): string {
  const file = join(local.folder, 'certificates.mjs');
  writeFileSync(file, `export default ${JSON.stringify(config, null, 2)};\n`);
  return file;
}
