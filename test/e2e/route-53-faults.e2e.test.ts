import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
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
import { eventually, scaleWaits, statesOf } from './observed.ts';
import { deployedThroughBoulder } from './through-boulder.ts';

// Route 53 that rejects changes, is busy, or never completes a change. Each case has its own zone and certificate, which is issued without
// faults first. Minutes of the workflow take milliseconds. The waits of the SDK take their real time, so the cases run concurrently.

const names = [
  ...['blocked', 'stuck', 'throttled', 'asked', 'prior', 'pending'],
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
    // A rejected nonce would repeat the response to a challenge, which the tests count.
    {
      pebble: { chaos: { reuseAuthorizations: false, validationSleep: false, rejectNonces: false } },
    },
  );
  route53 = new Route53Client(d.local.clientConfig);
  for (const { id, name } of await d.local.aws.hostedZones()) zoneIds[name] = id;
  // Waits are shortened only after the first deployment. Its executions would otherwise poll without a pause.
  await scaleWaits(d, 0.001);
  proxy = await startRoute53Proxy(d.local.aws.endpoint);
  await routeThroughProxy();
});
afterAll(async () => {
  await d?.stop();
  await proxy?.stop();
});

/** Routes the Route 53 calls of the challenge function through the proxy. Other calls are not affected. */
async function routeThroughProxy(): Promise<void> {
  const cloudFormation = new CloudFormationClient(d.local.clientConfig);
  const command = new DescribeStackResourcesCommand({ StackName: 'Perennial' });
  const { StackResources = [] } = await cloudFormation.send(command);
  const found = StackResources.find(({ LogicalResourceId: id }) => id?.includes('ChallengeFunction'));
  const FunctionName = found?.PhysicalResourceId;
  const lambda = new LambdaClient(d.local.clientConfig);
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const Variables = { ...Environment?.Variables, AWS_ENDPOINT_URL_ROUTE_53: proxy.endpoint };
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
}

/** Creates record sets of another program in the zone. */
async function createSets(name: Name, ...sets: ResourceRecordSet[]): Promise<void> {
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
const statusReads =
  (name: Name) =>
  ({ operation, hostedZoneId }: Route53Request): boolean =>
    operation === 'GetChange' && hostedZoneId === idOf(name);
const always = (matches: (request: Route53Request) => boolean, fault: Fault) =>
  proxy.next(matches, fault, Number.POSITIVE_INFINITY);

const statuses = (calls: readonly Route53Call[]) => calls.map(({ status }) => status);

/** Runs a forced renewal. Returns the execution with its calls and events. */
async function renew(name: Name, input: object = {}) {
  const before = { serial: (await d.secret(name)).serialNumber, records: await recordsOf(name) };
  const mark = d.boulder.requests().length;
  const run = await d.renew({ certificate: name, force: true, ...input });
  const calls = proxy.calls(idOf(name));
  const publishedErrors = (await d.local.aws.busEvents()).flatMap(({ detailType, detail }) => {
    const { execution, error } = detail as { readonly execution: string; readonly error: string };
    return detailType === 'Certificate Renewal Failed' && execution === run.arn ? [error] : [];
  });
  return {
    ...run,
    cause: run.cause ?? '',
    before,
    publishedErrors,
    changes: calls.filter(changes(name)),
    statusReads: calls.filter(statusReads(name)),
    /** Number of responses to challenges. */
    responses: d.boulder
      .requests(mark)
      .filter(
        ({ kind, payload, identifiers }) => kind === 'challenge' && payload && identifiers.includes(identifierOf(name)),
      ).length,
  };
}
type Renewal = Awaited<ReturnType<typeof renew>>;

const noLeaseOrLeftovers = { lease: null, leftovers: [] };

/** Asserts that the renewal published this error for each attempt, responded to no challenge, and changed neither DNS nor the certificate. */
async function expectFailed(name: Name, renewal: Renewal, error: string, attempts = 1): Promise<void> {
  expect(renewal).toMatchObject({ status: 'FAILED', error, responses: 0 });
  expect(proxy.calls(idOf(name))).not.toEqual([]);
  expect(renewal.cause).toContain(`ertificate ${name}`);
  expect(renewal.publishedErrors).toEqual(Array.from({ length: attempts }, () => error));
  expect(await recordsOf(name)).toEqual(renewal.before.records);
  expect((await d.secret(name)).serialNumber).toBe(renewal.before.serial);
  expect(await d.ledger(name)).toMatchObject(noLeaseOrLeftovers);
}

/** Asserts that the renewal issued a certificate, published no failure, and left DNS unchanged. */
async function expectRenewed(name: Name, renewal: Renewal): Promise<void> {
  expect(renewal).toMatchObject({ status: 'SUCCEEDED', responses: 1, publishedErrors: [] });
  expect(await recordsOf(name)).toEqual(renewal.before.records);
  expect((await d.secret(name)).serialNumber).not.toBe(renewal.before.serial);
  expect(await d.ledger(name)).toMatchObject({ ...noLeaseOrLeftovers, order: null, failure: null });
}

describe.concurrent('a hosted zone', () => {
  test('that does not complete an earlier change for long is neither counted nor announced, and the certificate is renewed', async () => {
    const cancel = always(changes('blocked'), priorRequestNotComplete);
    const running = renew('blocked');
    // Each attempt of the workflow has up to four attempts of the SDK.
    await eventually('The third attempt of the workflow', async () =>
      proxy.calls(idOf('blocked')).filter(changes('blocked')).length > 8 ? true : undefined,
    );
    expect((await d.ledger('blocked')).failure).toBeNull();
    cancel();
    const renewed = await running;
    await expectRenewed('blocked', renewed);
    expect(statuses(renewed.changes).slice(0, 8)).toEqual(Array(8).fill(400));
  });

  test('that never deletes the TXT value does not delay the certificate, and the next run deletes the value', async () => {
    const removals = (request: Route53Request) => changes('stuck')(request) && !request.actions.includes('CREATE');
    const cancel = always(removals, throttling);
    const renewed = await renew('stuck');
    expect(renewed).toMatchObject({ status: 'SUCCEEDED', responses: 1 });
    expect((await d.secret('stuck')).serialNumber).not.toBe(renewed.before.serial);
    const left = Object.entries(await d.txt('stuck.test')).map(([name, [value]]) => ({ name, value }));
    expect(left.map(({ name }) => name)).toEqual([recordOf('stuck')]);
    const { lease, leftovers } = await d.ledger('stuck');
    expect({ lease, leftovers }).toEqual({ lease: null, leftovers: [{ hostedZoneId: idOf('stuck'), ...left[0] }] });

    cancel();
    expect(await d.renew({ certificate: 'stuck' })).toMatchObject({ status: 'SUCCEEDED' });
    expect(await recordsOf('stuck')).toEqual(renewed.before.records);
    expect(await d.ledger('stuck')).toMatchObject(noLeaseOrLeftovers);
  });

  test('whose changes are throttled for longer than the SDK retries gets them from the retries of the workflow', async () => {
    await createSets('throttled', txt(recordOf('throttled'), 'other'));
    proxy.next(changes('throttled'), throttling, 5);
    const renewed = await renew('throttled');
    await expectRenewed('throttled', renewed);
    expect(statuses(renewed.changes)).toEqual([400, 400, 400, 400, 400, 200, 200]);
  });

  test('whose change status cannot be read for a time is not changed again', async () => {
    proxy.next(statusReads('asked'), tooManyRequests, 5);
    const renewed = await renew('asked');
    await expectRenewed('asked', renewed);
    expect(statuses(renewed.statusReads)).toEqual([429, 429, 429, 429, 429, 200]);
    expect(new Set(renewed.statusReads.map(({ changeId }) => changeId))).toEqual(
      new Set([renewed.changes[0]?.changeId]),
    );
    expect(statuses(renewed.changes)).toEqual([200, 200]);
  });

  test('that completes an earlier change late gets the TXT value after it, beside existing values', async () => {
    await createSets('prior', txt(recordOf('prior'), 'other'));
    proxy.next(changes('prior'), priorRequestNotComplete, 3);
    const renewed = await renew('prior');
    await expectRenewed('prior', renewed);
    expect(statuses(renewed.changes)).toEqual([400, 400, 400, 200, 200]);
  });

  test('whose change never becomes INSYNC is polled by the id of the change, and no attempt repeats the change', async () => {
    const cancel = always(statusReads('pending'), neverInSync);
    const failed = await renew('pending');
    cancel();
    await expectFailed('pending', failed, 'PropagationTimeoutError', 4);
    // Each of the four attempts writes the value once, polls for 15 minutes, and removes the value.
    const attempts = Array.from({ length: 4 });
    expect(failed.changes.map(({ actions }) => actions)).toEqual(attempts.flatMap(() => [['CREATE'], ['DELETE']]));
    const made = failed.changes.flatMap(({ actions, changeId }) => (actions[0] === 'CREATE' ? [changeId] : []));
    for (const id of made)
      expect(failed.statusReads.filter(({ changeId }) => changeId === id).length).toBeGreaterThan(30);
    expect(new Set(failed.statusReads.map(({ changeId }) => changeId))).toEqual(new Set(made));
    expect(failed.cause).toMatch(/After (1[5-9]|[2-9]\d) minutes/);
    expect(failed.cause).toContain(`INSYNC of change /change/${made.at(-1)} in hosted zone ${idOf('pending')}`);
    expect(await statesOf(d, failed.arn)).not.toContain('Respond to challenges');
  });
});

describe.concurrent('an unsuitable record set at the challenge name is named in the error and not changed:', () => {
  const many = (count: number, length: number) => Array.from({ length: count }, (_, at) => `${at}`.padEnd(length, 'x'));

  test.each([
    ['a set of 400 values', 'values', many(400, 3), 'more than 400 values', null],
    [
      'a set whose change has more than 32,000 characters, rejected in the XML form of InvalidChangeBatch',
      'characters',
      many(300, 60),
      'limit of 32000 exceeded',
      ownForm,
    ],
  ] as const)('%s', async (_, name, values, words, form) => {
    await createSets(name, txt(recordOf(name), ...values));
    if (form) always(changes(name), form);
    const failed = await renew(name);
    await expectFailed(name, failed, 'RecordSetRefusedError');
    expect(failed.cause).toContain(`the change of ${recordOf(name)} in hosted zone ${idOf(name)}. `);
    expect(failed.cause).toContain(words);
    // The second attempt excludes that another writer was faster.
    expect(statuses(failed.changes)).toEqual([400, 400]);
    expect(await d.ledger(name)).toMatchObject({ failure: { error: 'RecordSetRefusedError', count: 1 } });
  });

  test('an alias', async () => {
    const target = { HostedZoneId: idOf('alias'), DNSName: 'other.alias.test.', EvaluateTargetHealth: false };
    const alias = { Name: recordOf('alias'), Type: 'TXT', AliasTarget: target } as const;
    await createSets('alias', txt('other.alias.test', 'other'), alias);
    const failed = await renew('alias');
    await expectFailed('alias', failed, 'RecordSetRefusedError');
    expect(failed.cause).toContain(`${recordOf('alias')} in hosted zone ${idOf('alias')}`);
    expect(failed.cause).toMatch(/alias.* other\.alias\.test/);
    expect(failed.changes).toEqual([]);
  });

  test('a new CNAME that no name server shows yet', async () => {
    d.local.dns.hide({ view: 'authoritative', name: recordOf('cname') });
    const ResourceRecords = [{ Value: 'other.example.net' }];
    await createSets('cname', { Name: recordOf('cname'), Type: 'CNAME', TTL: 300, ResourceRecords });
    const failed = await renew('cname');
    await expectFailed('cname', failed, 'RecordSetRefusedError');
    expect(failed.cause).toContain(`${recordOf('cname')} in hosted zone ${idOf('cname')}`);
    expect(failed.cause).toMatch(/CNAME.* other\.example\.net/);
    expect(failed.changes).toEqual([]);
  });
});
