import { type CheckedZones, type CheckZonesPorts, checkZones } from '../lambdas/challenge/check-zones.ts';
import type { HostedZone } from '../lambdas/domain/contract/config.ts';
import { PerennialError } from '../lambdas/domain/contract/errors.ts';
import { counted } from '../lambdas/domain/rules/wording.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { type Finding, findingOf } from './finding.ts';

/** A certificate whose zones are checked. */
export type CheckedNames = CheckedZones['spec'] & { readonly name: string };

/** Makes the access to hosted zones and DNS with these root name servers. */
export type MakeZonePorts = (rootServers: readonly string[]) => Pick<CheckZonesPorts, 'hostedZonesAs' | 'dns'>;

/** Certificates that are checked at the same time. The authoritative servers of a fleet are few. */
const atATime = 5;

/**
 * Checks hosted zone, delegation and CAA of each certificate as the step *Check zones* does, with the operator's own credentials. No order is made.
 *
 * @param say shows how many are checked
 */
export async function zoneFindings(
  certificates: readonly CheckedNames[],
  hostedZones: readonly HostedZone[],
  accounts: ReadonlyMap<string, CheckedZones['account']>,
  ports: Omit<CheckZonesPorts, 'log'>,
  say: (text: string) => void,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  // The step logs each warning and returns it too.
  const log = { warn: () => undefined, error: () => undefined };
  const check = async ({ name, ...spec }: CheckedNames) => {
    const account = accounts.get(spec.issuer.name) ?? null;
    const input = { certificate: name, spec, challengeZones: hostedZones, account };
    const { warnings } = await checkZones(input, { ...ports, log }).catch((error: unknown) => {
      // The finding names the certificate.
      throw error instanceof PerennialError ? error.with({ certificate: '' }) : error;
    });
    if (warnings.length > 0) throw new CommandError(warnings.join(' '), exitCodes.refused);
    return 'the zones are delegated, and CAA allows the CA';
  };
  for (let start = 0; start < certificates.length; start += atATime) {
    findings.push(
      ...(await Promise.all(
        certificates.slice(start, start + atATime).map((each) => findingOf(`zones of ${each.name}`, () => check(each))),
      )),
    );
    say(`zones of ${findings.length} of ${counted(certificates.length, 'certificate')}`);
  }
  return findings;
}
