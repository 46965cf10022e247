import { PropagationTimeoutError, UnexpectedError } from '../domain/contract/errors.ts';
import type { CheckPropagationInput, CheckPropagationOutput } from '../domain/contract/steps.ts';
import type { NameServers } from '../domain/ports/dns.ts';
import type { HostedZonesAs } from '../domain/ports/hosted-zones.ts';
import { pollings, pollWait } from '../domain/rules/proof/poll-wait.ts';
import { byZone } from '../domain/rules/proof/txt-set.ts';

/**
 * Checks whether the TXT records are visible on every name server that a CA may query. RFC 8555 §8.4 leaves this check to the client.
 *
 * Route 53 reports INSYNC once all servers of the zone have the change. The queries to these servers prove that they also answer.
 *
 * Read-only, so it is safe to run twice.
 *
 * @throws PropagationTimeoutError after 15 minutes, so that the challenge is not answered
 */
export async function checkPropagation(
  { certificate, waited, ...presented }: CheckPropagationInput,
  ports: { readonly hostedZonesAs: HostedZonesAs; readonly nameServers: NameServers },
): Promise<CheckPropagationOutput> {
  const missing = await firstMissing(presented, ports);
  if (missing === null) return { propagated: true, wait: 0, waitingFor: '' };

  const wait = pollWait(waited, pollings.propagation, null);
  if (wait === null) {
    const { what, remedy, ...where } = missing;
    throw new PropagationTimeoutError({
      what: 'The challenge was not answered.',
      why: `After ${Math.floor(waited / 60)} minutes, ${what} is still missing.`,
      remedy,
      certificate,
      ...where,
    });
  }
  return { propagated: false, wait, waitingFor: missing.what };
}

/** The first record or change that a CA cannot see yet. */
interface Missing {
  readonly what: string;
  /** What the operator has to do if it stays missing. */
  readonly remedy: string;
  /** Id of the hosted zone. */
  readonly zone: string;
  /** The name server that lacks the record. */
  readonly servers?: readonly string[];
}

async function firstMissing(
  { records, changes, zoneServers }: Pick<CheckPropagationInput, 'records' | 'changes' | 'zoneServers'>,
  { hostedZonesAs, nameServers }: { readonly hostedZonesAs: HostedZonesAs; readonly nameServers: NameServers },
): Promise<Missing | null> {
  for (const change of changes) {
    const [pending] = await hostedZonesAs(change.role).pendingChanges([change]);
    if (pending) {
      return {
        what: `INSYNC of change ${pending.id} in hosted zone ${pending.hostedZoneId}`,
        remedy: `Route 53 has not finished the change. Check the AWS Health Dashboard, and run "aws route53 get-change --id ${pending.id}".`,
        zone: pending.hostedZoneId,
      };
    }
  }
  for (const { hostedZoneId, names } of byZone(records)) {
    const expected = records.filter((each) => each.hostedZoneId === hostedZoneId);
    for (const server of serversOf(hostedZoneId, zoneServers)) {
      const answers = new Map(
        await Promise.all([...names.keys()].map(async (name) => [name, await nameServers.txt(server, name)] as const)),
      );
      const missing = expected.find(({ name, value }) => !answers.get(name)?.includes(value));
      if (missing) {
        return {
          what: `${missing.value} at TXT ${missing.name} on name server ${server}`,
          remedy: 'Check that the name servers of the hosted zone can be reached and answer.',
          zone: hostedZoneId,
          servers: [server],
        };
      }
    }
  }
  return null;
}

/** Without any server a value would count as visible, so a missing zone is an error. */
function serversOf(hostedZoneId: string, zoneServers: CheckPropagationInput['zoneServers']): readonly string[] {
  const servers = zoneServers[hostedZoneId];
  if (servers) return servers;
  throw new UnexpectedError({ what: `*Check zones* returned no name servers of hosted zone ${hostedZoneId}.` });
}
