import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ChangeResourceRecordSetsCommand, Route53Client, type RRType } from '@aws-sdk/client-route-53';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLedger } from '../../lambdas/adapters/aws/dynamodb/ledger.ts';
import { createAccountSecrets } from '../../lambdas/adapters/aws/secrets-manager/account-secrets.ts';
import { startExecution } from '../../local/executions.ts';
import { type Deployed, deployed } from './deployed.ts';

// The checks before an order: the record name of each challenge, the delegation of its zone, and CAA.

let d: Deployed;
let zoneIds: ReadonlyMap<string, string>;

beforeAll(async () => {
  d = await deployed(
    {
      zones: ['example.com', { name: 'acme.example.net', challengesOnly: true }, 'example.org'],
      certificates: [
        { name: 'plain', identifiers: ['example.com', '*.example.com'], ignoreIssueCap: true },
        { name: 'alias', identifiers: ['www.example.org', '*.www.example.org'], ignoreIssueCap: true },
      ],
    },
    // Each order needs a new validation, because these tests check where its record is.
    { waitScale: 0.1, pebble: { chaos: { reuseAuthorizations: false, validationSleep: false } } },
  );
  zoneIds = new Map((await d.local.aws.hostedZones()).map(({ id, name }) => [name.replace(/\.$/, ''), id]));
});
afterAll(async () => {
  await d?.stop();
});

/** Creates a record set. @returns a function that deletes it */
async function record(zone: string, name: string, type: RRType, ...values: readonly string[]) {
  const client = new Route53Client(d.local.clientConfig);
  const change = (Action: 'CREATE' | 'DELETE') =>
    client.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: zoneIds.get(zone),
        ChangeBatch: {
          Changes: [
            {
              Action,
              ResourceRecordSet: {
                Name: name,
                Type: type,
                TTL: 60,
                ResourceRecords: values.map((Value) => ({ Value })),
              },
            },
          ],
        },
      }),
    );
  await change('CREATE');
  return () => change('DELETE');
}

const ordersSince = (mark: number) => d.local.pebble.requests(mark).filter(({ path }) => path === '/order-plz').length;

/** Runs a renewal that fails before an order. */
async function failBeforeOrder(certificate: string) {
  const mark = d.local.pebble.requests().length;
  const ended = await d.renew({ certificate, force: true });
  expect([ended.status, ordersSince(mark)]).toEqual(['FAILED', 0]);
  return ended;
}

const account = async () => {
  const client = new SecretsManagerClient(d.local.clientConfig);
  const accounts = createAccountSecrets({ prefix: 'certificates-accounts/', stackTag: 'Perennial', client });
  return (await accounts.read(d.local.pebble.directoryUrl))?.url ?? '';
};

test('the outputs of the stack and of a registration have the CAA record that locks a domain to its account', async () => {
  const lock = `0 issue "pebble.example; validationmethods=dns-01; accounturi=${await account()}"`;
  expect(d.outputs.Caa).toBe(lock);
  const registered = await d.ended(await startExecution(d.local, d.outputs.AccountsArn ?? '', { action: 'register' }));
  expect(registered.output).toMatchObject({ caa: [lock] });
});

test('a certificate with correct zones is renewed without a warning', async () => {
  const { status, history } = await d.renew({ certificate: 'plain', force: true });
  expect(status).toBe('SUCCEEDED');
  const [left] = history.filter(({ stateExitedEventDetails: exited }) => exited?.name === 'Check zones');
  expect(JSON.parse(left?.stateExitedEventDetails?.output ?? '')).toMatchObject({ warnings: [] });
});

test('a domain that is not delegated to its hosted zone fails before an order, with the records to set', async () => {
  const end = d.local.dns.delegate('example.com', ['ns1.old.example']);
  const { error, cause } = await failBeforeOrder('plain');
  end();
  expect(error).toBe('ZoneNotDelegatedError');
  expect(cause).toContain('delegates example.com to ns1.old.example');
  expect(cause).toMatch(/`example\.com\. 3600 IN NS /);
});

describe('CAA', () => {
  test('that allows only another CA fails before an order, with the record to add', async () => {
    const end = await record('example.com', 'example.com', 'CAA', '0 issue "other.example"');
    const { error, cause } = await failBeforeOrder('plain');
    await end();
    expect(error).toBe('CaaError');
    expect(cause).toContain('example.com. 300 IN CAA 0 issue "pebble.example"');
  });

  test('that allows a new name of the CA fails once with the stored name, and then the names are read again', async () => {
    const client = new DynamoDBClient(d.local.clientConfig);
    const ledger = createLedger({ table: d.outputs.LedgerTable ?? '', client });
    const { directoryUrl } = d.local.pebble;
    const outdated = { url: await account(), caaIdentities: ['yesterday.example'] };
    await ledger.recordAccount(directoryUrl, outdated, new Date());
    const end = await record('example.com', 'example.com', 'CAA', '0 issue "pebble.example"');
    expect((await failBeforeOrder('plain')).error).toBe('CaaError');
    expect(await ledger.account(directoryUrl)).toEqual({ ...outdated, readAt: null });
    const { status } = await d.renew({ certificate: 'plain', force: true });
    await end();
    expect(status).toBe('SUCCEEDED');
    expect(await ledger.account(directoryUrl)).toMatchObject({
      caaIdentities: ['pebble.example'],
      readAt: expect.any(String),
    });
  });

  test('that locks the domain to this account allows the renewal', async () => {
    const end = await record('example.com', 'example.com', 'CAA', d.outputs.Caa ?? '');
    const { status } = await d.renew({ certificate: 'plain', force: true });
    await end();
    expect(status).toBe('SUCCEEDED');
  });
});

describe('a CNAME at the challenge name', () => {
  test('into the zone for challenges is followed, and only that zone is written', async () => {
    const end = await record(
      'example.org',
      '_acme-challenge.www.example.org',
      'CNAME',
      'www-example-org.acme.example.net',
    );
    const mark = (await d.local.aws.apiCalls()).length;
    const { status } = await d.renew({ certificate: 'alias', force: true });
    await end();
    expect(status).toBe('SUCCEEDED');
    expect(await d.txt('acme.example.net')).toEqual({});
    const calls = await d.local.aws.apiCalls(mark);
    expect(
      calls.filter(({ operation }) => operation === 'ChangeResourceRecordSets').map(({ status: code }) => code),
    ).toEqual([200, 200, 200]);
  });

  test('from a wildcard of the zone does not prevent the renewal', async () => {
    const end = await record('example.com', '*.example.com', 'CNAME', 'web.example.org');
    const { status } = await d.renew({ certificate: 'plain', force: true });
    await end();
    expect(status).toBe('SUCCEEDED');
  });

  test('that loops fails before an order, with the record to create', async () => {
    const ends = [
      await record('example.org', '_acme-challenge.www.example.org', 'CNAME', 'loop.example.org'),
      await record('example.org', 'loop.example.org', 'CNAME', '_acme-challenge.www.example.org'),
    ];
    const { error, cause } = await failBeforeOrder('alias');
    for (const end of ends) await end();
    expect(error).toBe('ChallengeAliasError');
    expect(cause).toContain(
      '_acme-challenge.www.example.org. 300 IN CNAME _acme-challenge.www.example.org.acme.example.net.',
    );
  });
});
