import type { CheckZonesInput, CheckZonesOutput } from '../rules/contract.ts';
import { ZoneNotFoundError } from '../rules/errors.ts';
import { challengeRecordName, hostedZoneFor } from '../rules/names.ts';

/**
 * Where each identifier's proof is written: its hosted zone and the name of its TXT record. RFC 8555 §8.4
 * Before an order exists, so that none is spent on an identifier without a zone.
 *
 * Only reads the input, so running it twice is running it once.
 */
export async function checkZones({ certificate, spec }: CheckZonesInput): Promise<CheckZonesOutput> {
  if (spec.issuer.challenges === 'none') return { challengeRecords: [] };
  const challengeRecords = spec.identifiers.map((identifier) => {
    const zone = hostedZoneFor(identifier, spec.hostedZones);
    if (!zone) {
      throw new ZoneNotFoundError(
        `${identifier} of certificate ${certificate} lies in none of its hosted zones: add the zone to the configuration and deploy.`,
      );
    }
    return { identifier, hostedZoneId: zone.id, name: challengeRecordName(identifier) };
  });
  return { challengeRecords };
}
