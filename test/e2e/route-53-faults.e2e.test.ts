import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import {
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Boulder } from '../boulder/boulder.ts';
import {
  type Fault,
  neverInSync,
  ownForm,
  priorRequestNotComplete,
  type Route53Call,
  type Route53Proxy,
  type Route53Request,
  startRoute53Proxy,
  throttling,
  tooManyRequests,
} from '../faults/route-53.ts';
import type { Deployed } from './deployed.ts';
import { scaleWaits, statesOf } from './observed.ts';
import { deployedThroughBoulder } from './through-boulder.ts';

/**
 * Route 53 that refuses, is busy, or never gets done. Each case has a zone and a certificate of its own, issued before in peace. Minutes
 * of the workflow pass in milliseconds; the SDK's own waits take their time, so the cases run at the same time.
 */
const names = [
  ...['blocked', 'stuck', 'unseen', 'throttled', 'asked', 'prior', 'pending'],
  ...['values', 'characters', 'alias', 'cname'],
] as const;
type Name = (typeof names)[number];
const identifierOf = (name: Name) => `www.${name}.test`;
const recordOf = (name: Name) => `_acme-challenge.${identifierOf(name)}`;

let d: Deployed & { readonly boulder: Boulder };
let proxy: Route53Proxy;
let route53: Route53Client;
const zoneIds: Record<string, string> = {};
const idOf = (name: Name) => zoneIds[`${name}.test.`] ?? '';

beforeAll(async () => {
  d = await deployedThroughBoulder(
    {
      zones: names.map((name) => `${name}.test`),
      certificates: names.map((name) => ({ name, identifiers: [identifierOf(name)] })),
    },
    // A refused nonce would tell the CA twice to look.
    {
      pebble: { chaos: { reuseAuthorizations: false, validationSleep: false, rejectNonces: false } },
    },
  );
  route53 = new Route53Client(d.local.clientConfig);
  for (const { id, name } of await d.local.aws.hostedZones()) zoneIds[name] = id;
  // Only now: with waits of milliseconds the executions of the first deployment would poll without a pause.
  await scaleWaits(d, 0.001);
  proxy = await startRoute53Proxy(d.local.aws.endpoint);
  await leadThroughProxy();
});
afterAll(async () => {
  await d?.stop();
  await proxy?.stop();
});

/** From now on the challenge function's calls of Route 53, and no others, pass the proxy. */
async function leadThroughProxy(): Promise<void> {
  const cloudFormation = new CloudFormationClient(d.local.clientConfig);
  const command = new DescribeStackResourcesCommand({ StackName: 'Perennial' });
  const { StackResources = [] } = await cloudFormation.send(command);
  const name = StackResources.find(({ LogicalResourceId: id }) => id?.includes('ChallengeFunction'));
  // There is no SDK client of Lambda here. MiniStack reads who calls out of the signature, and does not verify it.
  const url = `${d.local.aws.endpoint}/2015-03-31/functions/${name?.PhysicalResourceId}/configuration`;
  const { accessKeyId } = d.local.clientConfig.credentials;
  const headers = {
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20270101/us-east-1/lambda/aws4_request`,
  };
  const found = (await (await fetch(url, { headers })).json()) as { Environment: { Variables: object } };
  const Variables = { ...found.Environment.Variables, AWS_ENDPOINT_URL_ROUTE_53: proxy.endpoint };
  const body = JSON.stringify({ Environment: { Variables } });
  const updated = await fetch(url, { method: 'PUT', headers, body });
  if (!updated.ok) throw new Error(`the function was not led to the proxy: ${await updated.text()}`);
}

/** What others have in the zone. */
async function stands(name: Name, ...sets: ResourceRecordSet[]): Promise<void> {
  const Changes = sets.map((ResourceRecordSet) => ({ Action: 'CREATE' as const, ResourceRecordSet }));
  await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: idOf(name), ChangeBatch: { Changes } }));
}
const txt = (Name: string, ...values: string[]): ResourceRecordSet => ({
  Name,
  Type: 'TXT',
  TTL: 3600,
  ResourceRecords: values.map((value) => ({ Value: `"${value}"` })),
});

async function recordsOf(name: Name): Promise<readonly ResourceRecordSet[]> {
  const { ResourceRecordSets = [] } = await route53.send(
    new ListResourceRecordSetsCommand({ HostedZoneId: idOf(name) }),
  );
  return ResourceRecordSets;
}

const changes =
  (name: Name) =>
  ({ operation, hostedZoneId }: Route53Request): boolean =>
    operation === 'ChangeResourceRecordSets' && hostedZoneId === idOf(name);
const lookUps =
  (name: Name) =>
  ({ operation, hostedZoneId }: Route53Request): boolean =>
    operation === 'GetChange' && hostedZoneId === idOf(name);
const always = (matches: (request: Route53Request) => boolean, fault: Fault) =>
  proxy.next(matches, fault, Number.POSITIVE_INFINITY);

const statuses = (calls: readonly Route53Call[]) => calls.map(({ status }) => status);

/** A forced renewal, and what was asked for it. */
async function renew(name: Name, input: object = {}) {
  const before = { serial: (await d.secret(name)).serialNumber, records: await recordsOf(name) };
  const mark = d.boulder.requests().length;
  const run = await d.renew({ certificate: name, force: true, ...input });
  const calls = proxy.calls(idOf(name));
  const toldErrors = (await d.local.aws.busEvents()).flatMap(({ detailType, detail }) => {
    const { execution, error } = detail as { readonly execution: string; readonly error: string };
    return detailType === 'Certificate Renewal Failed' && execution === run.arn ? [error] : [];
  });
  return {
    ...run,
    cause: run.cause ?? '',
    before,
    toldErrors,
    changes: calls.filter(changes(name)),
    lookUps: calls.filter(lookUps(name)),
    /** Challenges that the CA was told to look at. */
    answered: d.boulder
      .requests(mark)
      .filter(
        ({ kind, payload, identifiers }) => kind === 'challenge' && payload && identifiers.includes(identifierOf(name)),
      ).length,
  };
}
type Renewal = Awaited<ReturnType<typeof renew>>;

const nothingHeld = { lease: null, leftovers: [] };

/** Named to whoever looks, and all as it was: DNS, the certificate, and the CA has not looked in vain. */
async function expectFailed(name: Name, renewal: Renewal, error: string, tries = 1): Promise<void> {
  expect(renewal).toMatchObject({ status: 'FAILED', error, answered: 0 });
  expect(proxy.calls(idOf(name))).not.toEqual([]);
  expect(renewal.cause).toContain(`ertificate ${name}`);
  expect(renewal.toldErrors).toEqual(Array.from({ length: tries }, () => error));
  expect(await recordsOf(name)).toEqual(renewal.before.records);
  expect((await d.secret(name)).serialNumber).toBe(renewal.before.serial);
  expect(await d.ledger(name)).toMatchObject(nothingHeld);
}

/** Nobody was told of anything but the new certificate, and DNS is as it was. */
async function expectRenewed(name: Name, renewal: Renewal): Promise<void> {
  expect(renewal).toMatchObject({ status: 'SUCCEEDED', answered: 1, toldErrors: [] });
  expect(await recordsOf(name)).toEqual(renewal.before.records);
  expect((await d.secret(name)).serialNumber).not.toBe(renewal.before.serial);
  expect(await d.ledger(name)).toMatchObject({ ...nothingHeld, order: null, failure: null });
}

describe.concurrent('a hosted zone', () => {
  test('that is never done with the change before is named, and nothing is lost', async () => {
    const callOff = always(changes('blocked'), priorRequestNotComplete);
    // A deployment is told of the first failure; the fleet's own runs wait and try three times more.
    const failed = await renew('blocked', { deploy: true });
    await expectFailed('blocked', failed, 'ThrottledError');
    expect(failed.cause).toContain(`route53:ChangeResourceRecordSets on hosted zone ${idOf('blocked')}`);
    expect(failed.cause).toContain('PriorRequestNotComplete');
    expect(new Set(statuses(failed.changes))).toEqual(new Set([400]));
    // The workflow tries nine times, each up to four of the SDK's.
    expect(failed.changes.length).toBeGreaterThanOrEqual(9);
    expect(failed.changes.length).toBeLessThanOrEqual(36);
    expect((await d.ledger('blocked')).failure).toBeNull();

    callOff();
    expect(await d.renew({ certificate: 'blocked', force: true })).toMatchObject({ status: 'SUCCEEDED' });
    expect(await recordsOf('blocked')).toEqual(failed.before.records);
  });

  test('that takes our value and never lets it go keeps no certificate back, and the next run takes it away', async () => {
    const removals = (request: Route53Request) => changes('stuck')(request) && !request.actions.includes('CREATE');
    const callOff = always(removals, throttling);
    const renewed = await renew('stuck');
    expect(renewed).toMatchObject({ status: 'SUCCEEDED', answered: 1 });
    expect((await d.secret('stuck')).serialNumber).not.toBe(renewed.before.serial);
    const left = Object.entries(await d.txt('stuck.test')).map(([name, [value]]) => ({ name, value }));
    expect(left.map(({ name }) => name)).toEqual([recordOf('stuck')]);
    const { lease, leftovers } = await d.ledger('stuck');
    expect({ lease, leftovers }).toEqual({ lease: null, leftovers: [{ hostedZoneId: idOf('stuck'), ...left[0] }] });

    callOff();
    expect(await d.renew({ certificate: 'stuck' })).toMatchObject({ status: 'SUCCEEDED' });
    expect(await recordsOf('stuck')).toEqual(renewed.before.records);
    expect(await d.ledger('stuck')).toMatchObject(nothingHeld);
  });

  test('whose change can never be looked up has our value removed, and the challenge is not answered', async () => {
    const callOff = always(lookUps('unseen'), throttling);
    const failed = await renew('unseen', { deploy: true });
    callOff();
    await expectFailed('unseen', failed, 'ThrottledError');
    expect(failed.cause).toContain(`change /change/${failed.changes[0]?.changeId} in hosted zone ${idOf('unseen')}`);
    expect(new Set(statuses(failed.lookUps))).toEqual(new Set([400]));
    expect(failed.changes.map(({ actions }) => actions)).toEqual([['CREATE'], ['DELETE']]);
  });

  test('whose changes are throttled, longer than the SDK tries for itself, takes them in the end', async () => {
    await stands('throttled', txt(recordOf('throttled'), 'theirs'));
    proxy.next(changes('throttled'), throttling, 5);
    const renewed = await renew('throttled');
    await expectRenewed('throttled', renewed);
    expect(statuses(renewed.changes)).toEqual([400, 400, 400, 400, 400, 200, 200]);
  });

  test('whose change cannot be looked up for a while is not changed again', async () => {
    proxy.next(lookUps('asked'), tooManyRequests, 5);
    const renewed = await renew('asked');
    await expectRenewed('asked', renewed);
    expect(statuses(renewed.lookUps)).toEqual([429, 429, 429, 429, 429, 200, 200]);
    expect(new Set(renewed.lookUps.map(({ changeId }) => changeId))).toEqual(new Set([renewed.changes[0]?.changeId]));
    expect(statuses(renewed.changes)).toEqual([200, 200]);
  });

  test('that is still at the change before takes ours after it, beside what others have there', async () => {
    await stands('prior', txt(recordOf('prior'), 'theirs'));
    proxy.next(changes('prior'), priorRequestNotComplete, 3);
    const renewed = await renew('prior');
    await expectRenewed('prior', renewed);
    expect(statuses(renewed.changes)).toEqual([400, 400, 400, 200, 200]);
  });

  test('where a change never becomes INSYNC is asked by its id, and the change is never submitted again', async () => {
    const callOff = always(lookUps('pending'), neverInSync);
    const failed = await renew('pending');
    callOff();
    await expectFailed('pending', failed, 'PropagationTimeoutError', 4);
    // Four tries, each of which writes once, looks for five minutes, and takes its value away.
    const tries = Array.from({ length: 4 });
    expect(failed.changes.map(({ actions }) => actions)).toEqual(tries.flatMap(() => [['CREATE'], ['DELETE']]));
    const made = failed.changes.flatMap(({ actions, changeId }) => (actions[0] === 'CREATE' ? [changeId] : []));
    expect(failed.lookUps.map(({ changeId }) => changeId)).toEqual(made.flatMap((id) => Array(23).fill(id)));
    expect(failed.cause).toContain(`INSYNC of change /change/${made.at(-1)} in hosted zone ${idOf('pending')}`);
    expect(await statesOf(d, failed.arn)).not.toContain('Respond to challenges');
  });
});

describe.concurrent('what stands in the place of our set is named and left as it is:', () => {
  const many = (count: number, length: number) => Array.from({ length: count }, (_, at) => `${at}`.padEnd(length, 'x'));

  test.each([
    ['a set of 400 values', 'values', many(400, 3), 'more than 400 values', null],
    [
      'a set whose swap is more than 32,000 characters, refused in a form that only this error has',
      'characters',
      many(300, 60),
      'limit of 32000 exceeded',
      ownForm,
    ],
  ] as const)('%s', async (_, name, values, words, form) => {
    await stands(name, txt(recordOf(name), ...values));
    if (form) always(changes(name), form);
    const failed = await renew(name);
    await expectFailed(name, failed, 'RecordSetRefusedError');
    expect(failed.cause).toContain(`the change of ${recordOf(name)} in hosted zone ${idOf(name)}. `);
    expect(failed.cause).toContain(words);
    // The second refusal says that nobody was quicker.
    expect(statuses(failed.changes)).toEqual([400, 400]);
    expect(await d.ledger(name)).toMatchObject({ failure: { error: 'RecordSetRefusedError', count: 1 } });
  });

  test('an alias', async () => {
    const target = { HostedZoneId: idOf('alias'), DNSName: 'theirs.alias.test.', EvaluateTargetHealth: false };
    const alias = { Name: recordOf('alias'), Type: 'TXT', AliasTarget: target } as const;
    await stands('alias', txt('theirs.alias.test', 'theirs'), alias);
    const failed = await renew('alias');
    await expectFailed('alias', failed, 'RecordSetRefusedError');
    expect(failed.cause).toContain(`${recordOf('alias')} in hosted zone ${idOf('alias')}`);
    expect(failed.cause).toContain('the TXT set there is an alias of theirs.alias.test.');
    expect(failed.changes).toEqual([]);
  });

  test('a CNAME made so lately that no server answers with it yet', async () => {
    d.local.dns.hide({ view: 'authoritative', name: recordOf('cname') });
    const ResourceRecords = [{ Value: 'theirs.example.net' }];
    await stands('cname', { Name: recordOf('cname'), Type: 'CNAME', TTL: 300, ResourceRecords });
    const failed = await renew('cname');
    await expectFailed('cname', failed, 'RecordSetRefusedError');
    expect(failed.cause).toContain(`${recordOf('cname')} in hosted zone ${idOf('cname')}`);
    expect(failed.cause).toContain('a CNAME to theirs.example.net');
    expect(failed.changes).toEqual([]);
  });
});
