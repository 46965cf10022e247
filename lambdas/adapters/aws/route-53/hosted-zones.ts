import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  InvalidChangeBatch,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { UnexpectedError, ZoneNotFoundError } from '../../../domain/contract/errors.ts';
import type { PendingChange } from '../../../domain/contract/steps.ts';
import type { HostedZones, RecordSetChange } from '../../../domain/ports/hosted-zones.ts';
import { namesOf } from '../../../domain/rules/proof/txt-set.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { asInvalidChangeBatch, hostedZoneReply, type RoleCredentialsUse } from './hosted-zone-reply.ts';
import { changeOf, isSameName, txtRecordSetOf } from './txt-record-set.ts';

const warmClient = keptWarm(() => new Route53Client(clientSettings));

/** Route 53 with the credentials of one role. */
interface Route53 {
  readonly client: Route53Client;
  readonly replyOf: ReturnType<typeof hostedZoneReply>;
}

/** TXT sets, changes and name servers of Route 53. */
export function createHostedZones({
  client = warmClient(),
  ...credentials
}: { readonly client?: Route53Client } & RoleCredentialsUse = {}): HostedZones {
  const route53: Route53 = { client, replyOf: hostedZoneReply(credentials) };
  return {
    readTxt: async (...name) => txtRecordSetOf(await setsAt(route53, ...name)),
    change: (...batch) => change(route53, ...batch),
    pendingChanges: (...changes) => pendingChanges(route53, ...changes),
    nameServers: (...zone) => nameServers(route53, ...zone),
  };
}

/** Largest number of pages. A page has 100 sets and a name has few, so more pages are a fault. */
const maximumPages = 10;

/** Returns every set at exactly this name. Route 53 lists sets in the order of names, beginning at a name. */
async function setsAt(
  { client, replyOf }: Route53,
  hostedZoneId: string,
  name: string,
): Promise<readonly ResourceRecordSet[]> {
  const sets: ResourceRecordSet[] = [];
  let start: Record<string, string> = { StartRecordName: `${name.replace(/\.$/, '')}.` };
  for (let page = 0; page < maximumPages; page++) {
    const command = new ListResourceRecordSetsCommand({ HostedZoneId: hostedZoneId, MaxItems: 100, ...start });
    const resource = `hosted zone ${hostedZoneId} (${name})`;
    const reply = await replyOf('ListResourceRecordSets', hostedZoneId, client.send(command), {}, resource);
    const { ResourceRecordSets = [], IsTruncated, NextRecordName, NextRecordType, NextRecordIdentifier } = reply;
    sets.push(...ResourceRecordSets.filter((set) => isSameName(set.Name, name)));
    if (!IsTruncated || !isSameName(NextRecordName, name)) return sets;
    start = {
      StartRecordName: NextRecordName ?? '',
      StartRecordType: NextRecordType ?? '',
      ...(NextRecordIdentifier && { StartRecordIdentifier: NextRecordIdentifier }),
    };
  }
  throw new UnexpectedError({
    what: `Hosted zone ${hostedZoneId} has over ${maximumPages * 100} record sets at ${name}, so its TXT set was not found.`,
    zone: hostedZoneId,
  });
}

async function change(
  { client, replyOf }: Route53,
  hostedZoneId: string,
  changes: readonly RecordSetChange[],
): ReturnType<HostedZones['change']> {
  const Changes = changes.flatMap(({ before, after }) => [
    ...(before ? [changeOf('DELETE', before)] : []),
    ...(after ? [changeOf('CREATE', after)] : []),
  ]);
  const command = new ChangeResourceRecordSetsCommand({ HostedZoneId: hostedZoneId, ChangeBatch: { Changes } });
  const sent = client.send(command).catch(asInvalidChangeBatch);
  const refused = (error: Error) => {
    const messages = error instanceof InvalidChangeBatch ? (error.messages ?? []) : [];
    return { refused: messages.length > 0 ? messages.join(' ') : error.message };
  };
  const resource = `hosted zone ${hostedZoneId} (${namesOf(changes)})`;
  const answers = { InvalidChangeBatch: refused };
  const reply = await replyOf('ChangeResourceRecordSets', hostedZoneId, sent, answers, resource);
  return 'refused' in reply ? reply : { id: reply.ChangeInfo?.Id ?? '' };
}

async function pendingChanges(
  { client, replyOf }: Route53,
  changes: readonly PendingChange[],
): Promise<readonly PendingChange[]> {
  const pending = [];
  // One after another, because Route 53 answers ten such calls a second for the whole account.
  for (const each of changes) {
    const { id, hostedZoneId } = each;
    const sent = client.send(new GetChangeCommand({ Id: id }));
    // Route 53 no longer has the change, so it is complete. The name servers are queried after this in any case.
    const answers = { NoSuchChange: () => null };
    const reply = await replyOf(
      'GetChange',
      hostedZoneId,
      sent,
      answers,
      `change ${id} in hosted zone ${hostedZoneId}`,
    );
    if (reply !== null && reply.ChangeInfo?.Status !== 'INSYNC') pending.push(each);
  }
  return pending;
}

async function nameServers(
  { client, replyOf }: Route53,
  hostedZoneId: string,
  name?: string,
): Promise<readonly string[]> {
  // The domain helps the operator, because an id that is a CDK token is not in the configuration.
  const resource = `hosted zone ${hostedZoneId}${name === undefined ? '' : ` of ${name}`}`;
  const sent = client.send(new GetHostedZoneCommand({ Id: hostedZoneId }));
  const { DelegationSet, HostedZone } = await replyOf('GetHostedZone', hostedZoneId, sent, {}, resource);
  if (name !== undefined && !isSameName(HostedZone?.Name, name)) {
    throw new ZoneNotFoundError({
      what: `Hosted zone ${hostedZoneId} is ${HostedZone?.Name}, not ${name}.`,
      remedy: 'Correct its id or its name in hostedZones of the config and deploy.',
      zone: hostedZoneId,
    });
  }
  const servers = DelegationSet?.NameServers ?? [];
  if (servers.length > 0) return servers;
  throw new ZoneNotFoundError({
    what: `The CA cannot query ${resource}, because it is a private zone without public name servers.`,
    remedy: 'Put the id of the public zone into hostedZones of the config and deploy.',
    zone: hostedZoneId,
  });
}
