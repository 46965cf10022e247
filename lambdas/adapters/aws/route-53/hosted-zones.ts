import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  InvalidChangeBatch,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Change as Route53Change,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { UnexpectedError, ZoneNotFoundError } from '../../../domain/contract/errors.ts';
import type { HostedZones, TxtRecordSet } from '../../../domain/ports/hosted-zones.ts';
import { namesOf } from '../../../domain/rules/proof/txt-set.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { asInvalidChangeBatch, hostedZoneReply, type RoleCredentialsUse } from './hosted-zone-reply.ts';

const warmClient = keptWarm(() => new Route53Client(clientSettings));

/** A page is 100 sets and a name has few: more than this is a fault, not a name. */
const maximumPages = 10;

/** TXT sets, changes and name servers of Route 53. */
export function createHostedZones({
  client = warmClient(),
  ...credentials
}: { readonly client?: Route53Client } & RoleCredentialsUse = {}): HostedZones {
  const reply = hostedZoneReply(credentials);

  /** Every set at this very name. Route 53 lists from a name on, in the order of names. */
  async function setsAt(hostedZoneId: string, name: string): Promise<readonly ResourceRecordSet[]> {
    const sets: ResourceRecordSet[] = [];
    let start: Record<string, string> = { StartRecordName: `${name.replace(/\.$/, '')}.` };
    for (let page = 0; page < maximumPages; page++) {
      const command = new ListResourceRecordSetsCommand({ HostedZoneId: hostedZoneId, MaxItems: 100, ...start });
      const {
        ResourceRecordSets = [],
        IsTruncated,
        ...next
      } = await reply(
        'ListResourceRecordSets',
        hostedZoneId,
        client.send(command),
        {},
        `${resourceOf(hostedZoneId)} (${name})`,
      );
      const here = ResourceRecordSets.filter((set) => plainName(set.Name) === plainName(name));
      sets.push(...here);
      if (!IsTruncated || plainName(next.NextRecordName) !== plainName(name)) return sets;
      start = {
        StartRecordName: next.NextRecordName ?? '',
        StartRecordType: next.NextRecordType ?? '',
        ...(next.NextRecordIdentifier ? { StartRecordIdentifier: next.NextRecordIdentifier } : {}),
      };
    }
    throw new UnexpectedError({
      what: `Hosted zone ${hostedZoneId} has over ${maximumPages * 100} record sets at ${name}: its TXT set was not looked for further.`,
      zone: hostedZoneId,
    });
  }

  return {
    async readTxt(hostedZoneId, name) {
      const sets = await setsAt(hostedZoneId, name);
      const apex = sets.some(({ Type }) => Type === 'SOA');
      const delegation = apex ? undefined : sets.find(({ Type }) => Type === 'NS');
      // Before a delegation: a value of ours that stands beside one is there, though nobody sees it.
      const set = sets.find(({ Type }) => Type === 'CNAME' || Type === 'TXT') ?? delegation;
      return set ? txtRecordSet(set, delegation) : null;
    },

    async change(hostedZoneId, changes) {
      const Changes = changes.flatMap(({ before, after }) => [
        ...(before ? [route53Change('DELETE', before)] : []),
        ...(after ? [route53Change('CREATE', after)] : []),
      ]);
      const command = new ChangeResourceRecordSetsCommand({ HostedZoneId: hostedZoneId, ChangeBatch: { Changes } });
      const sent = client.send(command).catch(asInvalidChangeBatch);
      const answer = await reply(
        'ChangeResourceRecordSets',
        hostedZoneId,
        sent,
        {
          InvalidChangeBatch(error) {
            const messages = error instanceof InvalidChangeBatch ? (error.messages ?? []) : [];
            return { refused: messages.length > 0 ? messages.join(' ') : error.message };
          },
        },
        `${resourceOf(hostedZoneId)} (${namesOf(changes)})`,
      );
      return 'refused' in answer ? answer : { id: answer.ChangeInfo?.Id ?? '' };
    },

    async pendingChanges(changes) {
      // One after another, since Route 53 answers ten such calls a second for the whole account.
      const pending = [];
      for (const change of changes) {
        const answer = await reply(
          'GetChange',
          change.hostedZoneId,
          client.send(new GetChangeCommand({ Id: change.id })),
          // Forgotten, so long past: waiting for it would never end, and the name servers are asked after this anyway.
          { NoSuchChange: () => null },
          `change ${change.id} in ${resourceOf(change.hostedZoneId)}`,
        );
        if (answer !== null && answer.ChangeInfo?.Status !== 'INSYNC') pending.push(change);
      }
      return pending;
    },

    async nameServers(hostedZoneId, name) {
      const command = new GetHostedZoneCommand({ Id: hostedZoneId });
      const resource = resourceOf(hostedZoneId, name);
      const sent = client.send(command);
      const { DelegationSet, HostedZone } = await reply('GetHostedZone', hostedZoneId, sent, {}, resource);
      if (name !== undefined && plainName(HostedZone?.Name) !== plainName(name)) {
        throw new ZoneNotFoundError({
          what: `Hosted zone ${hostedZoneId} is ${HostedZone?.Name}, not ${name}.`,
          remedy: 'Correct its id or its name in hostedZones of the config and deploy.',
          zone: hostedZoneId,
        });
      }
      const servers = DelegationSet?.NameServers ?? [];
      if (servers.length > 0) return servers;
      throw new ZoneNotFoundError({
        what: `The CA cannot see ${resource}: it is a private zone, without public name servers.`,
        remedy: 'Put the id of the public zone into hostedZones of the config and deploy.',
        zone: hostedZoneId,
      });
    },
  };
}

/** In words. With the domain where it is known: an id that is a CDK token is not written in the config. */
const resourceOf = (hostedZoneId: string, name?: string): string =>
  `hosted zone ${hostedZoneId}${name === undefined ? '' : ` of ${name}`}`;

function route53Change(Action: 'DELETE' | 'CREATE', { name, ttl, values }: TxtRecordSet): Route53Change {
  const ResourceRecords = values.map((Value) => ({ Value }));
  return { Action, ResourceRecordSet: { Name: name, Type: 'TXT', TTL: ttl, ResourceRecords } };
}

function txtRecordSet(set: ResourceRecordSet, delegation: ResourceRecordSet | undefined): TxtRecordSet {
  return {
    name: set.Name ?? '',
    ttl: set.TTL ?? 0,
    values: set.ResourceRecords?.map(({ Value }) => Value ?? '') ?? [],
    unsuitable: unsuitable(set) ?? (delegation ? unsuitable(delegation) : null),
  };
}

function unsuitable({ Type, AliasTarget, SetIdentifier, TrafficPolicyInstanceId, ResourceRecords }: ResourceRecordSet) {
  if (Type === 'CNAME') return `a CNAME to ${ResourceRecords?.[0]?.Value ?? AliasTarget?.DNSName} stands there`;
  if (Type === 'NS') return 'the name is delegated to other name servers';
  if (TrafficPolicyInstanceId) return 'a traffic policy makes the TXT set there';
  if (SetIdentifier) return `the TXT set there has a routing policy (set identifier ${SetIdentifier})`;
  if (AliasTarget) return `the TXT set there is an alias of ${AliasTarget.DNSName}`;
  return null;
}

/** Lower case, no trailing dot, `\052` and other octal escapes undone: for comparison only. */
function plainName(name: string | undefined): string {
  return (name ?? '')
    .replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    .replace(/\.$/, '')
    .toLowerCase();
}
