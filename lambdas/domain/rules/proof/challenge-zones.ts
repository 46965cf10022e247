import type { CertificateSpec, HostedZone } from '../../contract/config.ts';
import { challengeRecordName, zoneOf } from './names.ts';

/** Most bytes of hosted zones in the state of an execution, which AWS limits to 256 KiB. The names of the certificate take up to 26 KB beside them. */
export const mostZoneBytes = 48_000;

type Names = Pick<CertificateSpec, 'identifiers' | 'challengeAliases'>;

/** The zones that a certificate needs: those of its names, those of its aliases, and those for challenges only, into which any CNAME may lead. */
export function neededZones({ identifiers, challengeAliases = {} }: Names, zones: readonly HostedZone[]): HostedZone[] {
  const records = [...identifiers.map(challengeRecordName), ...Object.values(challengeAliases)];
  const ofNames = new Set(records.map((record) => zoneOf(record, zones)));
  return zones.filter((zone) => zone.challengesOnly || ofNames.has(zone));
}

export const zoneBytes = (zones: readonly HostedZone[]): number => Buffer.byteLength(JSON.stringify(zones));

/**
 * Returns the zones for the steps of one certificate. A CNAME that is looked up may lead into any zone, so the other zones follow the needed ones
 * as long as the state has room. Then a CNAME into another zone needs `challengeAlias`.
 */
export function zonesForState(names: Names, zones: readonly HostedZone[]): readonly HostedZone[] {
  if (zoneBytes(zones) <= mostZoneBytes) return zones;
  const needed = neededZones(names, zones);
  let bytes = zoneBytes(needed);
  const others = zones.filter((zone) => {
    if (needed.includes(zone)) return false;
    bytes += zoneBytes([zone]);
    return bytes <= mostZoneBytes;
  });
  return [...needed, ...others];
}
