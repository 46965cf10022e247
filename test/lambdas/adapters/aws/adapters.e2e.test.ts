import { createHash } from 'node:crypto';
import {
  ACMClient,
  DeleteCertificateCommand,
  DescribeCertificateCommand,
  ListTagsForCertificateCommand,
  RemoveTagsFromCertificateCommand,
} from '@aws-sdk/client-acm';
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { ChangeResourceRecordSetsCommand, Route53Client, type RRType } from '@aws-sdk/client-route-53';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAcmCertificates } from '../../../../lambdas/adapters/aws/acm/acm-certificates.ts';
import { createFleetLedger } from '../../../../lambdas/adapters/aws/dynamodb/fleet-ledger.ts';
import { createLedger } from '../../../../lambdas/adapters/aws/dynamodb/ledger.ts';
import { createHostedZones } from '../../../../lambdas/adapters/aws/route-53/hosted-zones.ts';
import { createAccountSecrets } from '../../../../lambdas/adapters/aws/secrets-manager/account-secrets.ts';
import { createCertificateSecrets } from '../../../../lambdas/adapters/aws/secrets-manager/certificate-secrets.ts';
import { createCertificateVersions } from '../../../../lambdas/adapters/aws/secrets-manager/certificate-versions.ts';
import { createNameServers } from '../../../../lambdas/adapters/dns/name-servers.ts';
import type { CertificateSecrets } from '../../../../lambdas/domain/ports/certificate-secrets.ts';
import type { HostedZones } from '../../../../lambdas/domain/ports/hosted-zones.ts';
import type { Ledger } from '../../../../lambdas/domain/ports/ledger.ts';
import { createHostedZone } from '../../../../local/deploy.ts';
import { type LocalEnvironment, startLocalEnvironment } from '../../../../local/environment.ts';
import { scaleWaits } from '../../../e2e/observed.ts';
import { secretValue } from '../../../fakes/certificate-authority.ts';
import { acmBehaviour } from './acm/acm-behaviour.ts';
import { fleetLedgerBehaviour } from './dynamodb/fleet-ledger-behaviour.ts';
import { ledgerBehaviour } from './dynamodb/ledger-behaviour.ts';
import { hostedZonesBehaviour } from './route-53/hosted-zones-behaviour.ts';
import { accountSecretsBehaviour } from './secrets-manager/account-secrets-behaviour.ts';
import { certificateSecretsBehaviour } from './secrets-manager/certificate-secrets-behaviour.ts';

/** Tests the adapters against the services of the local environment. A mock cannot show, for example, whether a condition holds. */
let local: LocalEnvironment;
beforeAll(async () => {
  // Changes of Route 53 stay pending for 50 s, until a test shortens that.
  local = await startLocalEnvironment({ waitScale: 100 });
});
afterAll(() => local?.stop());

const now = new Date('2027-01-01T06:00:00.000Z');

describe('the ledger', () => {
  let client: DynamoDBClient;
  let ledger: Ledger;
  beforeAll(async () => {
    client = new DynamoDBClient(local.clientConfig);
    await client.send(
      new CreateTableCommand({
        TableName: 'ledger',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    );
    ledger = createLedger({ table: 'ledger', client });
  });

  const item = async (id: string) =>
    (await client.send(new GetItemCommand({ TableName: 'ledger', Key: { id: { S: id } } }))).Item ?? {};

  test('removes the list of sets from the item of a certificate when its lease is released', async () => {
    const run = { certificate: 'www', execution: 'me' };
    await ledger.takeLease({ certificate: 'www' }, run, now);
    await ledger.takeLease({ set: 'hash' }, run, now);
    expect(await item('certificate#www')).toMatchObject({ sets: { SS: ['hash'] } });
    await ledger.release('www', 'me');
    expect(Object.keys(await item('certificate#www')).toSorted()).toEqual(['deliveries', 'firstLeasedAt', 'id']);
    expect(Object.keys(await item('set#hash')).toSorted()).toEqual(['certificate', 'id']);
  });

  test('creates no item when an issue that was never counted is refunded', async () => {
    await ledger.refundIssue('never', 'https://ca.example/order/1');
    expect(await item('set#never')).toEqual({});
  });

  test('keeps failed validations for an hour, and lets DynamoDB delete the item a day after the last', async () => {
    const count = (time: string) =>
      ledger.countIdentifierFailures('https://ca.example/', ['example.com'], new Date(time));
    await count('2027-01-01T04:59:59.000Z');
    await count('2027-01-01T05:30:00.000Z');
    await count('2027-01-01T06:00:00.000Z');
    const { failures, expires } = await item('failures#https://ca.example/#example.com');
    expect(failures?.SS?.toSorted()).toEqual(['2027-01-01T05:30:00.000Z', '2027-01-01T06:00:00.000Z']);
    expect(expires).toEqual({ N: String(Date.parse('2027-01-02T06:00:00.000Z') / 1000) });
  });

  describe('fulfils the contract of its port:', () => ledgerBehaviour(() => ledger));

  describe('fulfils the contract of the fleet:', () =>
    fleetLedgerBehaviour(() => ({ ledger, fleetLedger: createFleetLedger({ table: 'ledger', client }) })));
});

describe('secrets', () => {
  const prefix = 'certificates/';
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  let client: SecretsManagerClient;
  let secrets: CertificateSecrets;
  beforeAll(() => {
    client = new SecretsManagerClient(local.clientConfig);
    secrets = createCertificateSecrets({ prefix, stackTag: 'Perennial', client });
  });
  const described = (SecretId: string) => client.send(new DescribeSecretCommand({ SecretId }));

  async function labelled(certificate: string, VersionStage: string): Promise<string | null> {
    try {
      const command = new GetSecretValueCommand({ SecretId: `${prefix}${certificate}`, VersionStage });
      return (await client.send(command)).SecretString ?? null;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return null;
      throw error;
    }
  }

  describe('of certificates fulfil the contract of their port:', () =>
    certificateSecretsBehaviour(() => ({
      secrets,
      versions: createCertificateVersions({ prefix, client }),
      labelled,
      createByAnotherStack: async (certificate, SecretString) => {
        const Tags = [{ Key: 'perennial:stack', Value: 'Another' }];
        await client.send(new CreateSecretCommand({ Name: `${prefix}${certificate}`, SecretString, Tags }));
      },
      scheduleDeletion: async (certificate) => {
        await client.send(new DeleteSecretCommand({ SecretId: `${prefix}${certificate}` }));
      },
    })));

  describe('of accounts fulfil the contract of their port:', () =>
    accountSecretsBehaviour(() => createAccountSecrets({ prefix: 'accounts/', stackTag: 'Perennial', client })));

  test('have the tags of the stack and are encrypted with its key', async () => {
    const kmsKeyId = 'arn:aws:kms:us-east-1:000000000000:key/01234567-89ab-cdef-0123-456789abcdef';
    const stack = { stackTag: 'Perennial', kmsKeyId, client };
    await createCertificateSecrets({ prefix: 'tagged/', ...stack }).create('www');
    await createAccountSecrets({ prefix: 'tagged/', ...stack }).create('https://ca.example/directory', 'key');
    const tag = { Key: 'perennial:stack', Value: 'Perennial' };
    expect(await described('tagged/www')).toMatchObject({
      KmsKeyId: kmsKeyId,
      Tags: [tag, { Key: 'perennial:certificate', Value: 'www' }],
    });
    // printf %s https://ca.example/directory | sha256sum
    expect(await described('tagged/ca.example-0d5eb258')).toMatchObject({ KmsKeyId: kmsKeyId, Tags: [tag] });
    await secrets.create('own-key');
    expect((await described(`${prefix}own-key`)).KmsKeyId).toBeUndefined();
  });

  test('derive version ids from the order URL, so that a later release finds the versions', async () => {
    const order = 'https://ca.example/order/1';
    await secrets.create('versions');
    const directoryUrl = 'https://ca.example/directory';
    await secrets.stageKey('versions', { url: order, directoryUrl }, 'key');
    const value = await secretValue({ identifiers: ['example.com'], serialNumber: '0a01' });
    expect(await secrets.putCertificate('versions', order, value)).toBe(sha256(`${order}#certificate`));
    expect((await described(`${prefix}versions`)).VersionIdsToStages).toEqual({
      [sha256('perennial placeholder')]: ['AWSCURRENT'],
      [sha256(`${order}#certificate`)]: ['CANDIDATE'],
    });
    const SecretId = `${prefix}versions`;
    const staged = await client.send(new GetSecretValueCommand({ SecretId, VersionId: sha256(order) }));
    expect(staged.SecretString).toBe(JSON.stringify({ format: 1, orderUrl: order, directoryUrl, privateKey: 'key' }));
  });

  describe('whose AWSCURRENT label another execution moves between read and write', () => {
    /**
     * Creates a secret with two certificates while the placeholder is current. Returns the ids of their versions, and a port that runs `act`
     * before it moves a label for the first time.
     */
    async function raced(certificate: string, act: (one: string) => Promise<unknown>) {
      await secrets.create(certificate);
      const [one = '', two = ''] = await Promise.all(
        ['1', '2'].map(async (order) =>
          secrets.putCertificate(
            certificate,
            order,
            await secretValue({ identifiers: ['a.test'], serialNumber: order }),
          ),
        ),
      );
      const slow = new SecretsManagerClient(local.clientConfig);
      let before: (() => Promise<unknown>) | null = () => act(one);
      slow.middlewareStack.add(
        (next, { commandName }) =>
          async (args) => {
            const first = commandName === 'UpdateSecretVersionStageCommand' ? before : null;
            if (first) before = null;
            await first?.();
            return next(args);
          },
        { step: 'initialize' },
      );
      return { one, two, slow: createCertificateSecrets({ prefix, stackTag: 'Perennial', client: slow }) };
    }
    const current = async (certificate: string) => (await secrets.describe(certificate))?.currentVersion;

    test('keep the certificate of the other execution current', async () => {
      const { one, two, slow } = await raced('raced', (to) => secrets.makeCurrent('raced', { from: null, to }));
      await expect(slow.makeCurrent('raced', { from: null, to: two })).rejects.toMatchObject({
        name: 'UnexpectedError',
      });
      expect(await current('raced')).toBe(one);
    });

    test('report success if both executions chose the same certificate', async () => {
      const { one, slow } = await raced('agreed', (to) => secrets.makeCurrent('agreed', { from: null, to }));
      expect(await slow.makeCurrent('agreed', { from: null, to: one })).toMatchObject({ first: true });
      expect(await current('agreed')).toBe(one);
    });
  });
});

describe('hosted zones', () => {
  let client: Route53Client;
  let hostedZones: HostedZones;
  beforeAll(() => {
    client = new Route53Client(local.clientConfig);
    hostedZones = createHostedZones({ client });
  });

  async function create(HostedZoneId: string, Name: string, Type: RRType, Value: string): Promise<void> {
    const ResourceRecordSet = { Name, Type, TTL: 60, ResourceRecords: [{ Value }] };
    const ChangeBatch = { Changes: [{ Action: 'CREATE' as const, ResourceRecordSet }] };
    await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch }));
  }

  describe('fulfil the contract of their port:', () =>
    hostedZonesBehaviour(() => ({
      hostedZones,
      createZone: (name) => createHostedZone(local, name),
      createCname: (zone, name, target) => create(zone, name, 'CNAME', target),
      settle: () => scaleWaits({ local }, 0),
    })));

  test('keep the TXT set of a name separate from its other sets, and their name servers return it', async () => {
    const zone = await createHostedZone(local, 'example.test');
    const name = '_acme-challenge.example.test';
    await create(zone, name, 'A', '192.0.2.1');
    await create(zone, name, 'MX', '10 mail.example.test');
    expect(await hostedZones.readTxt(zone, name)).toBeNull();
    const after = { name: `${name}.`, ttl: 60, values: ['"one"', '"two"'], unsuitable: null };
    await hostedZones.change(zone, [{ name, before: null, after }]);
    expect(await hostedZones.readTxt(zone, name)).toEqual(after);
    const [server = ''] = await hostedZones.nameServers(zone);
    expect((await createNameServers().txt(server, name)).toSorted()).toEqual(['one', 'two']);
    expect(await createNameServers().txt(server, 'missing.example.test')).toEqual([]);
  });
});

describe('ACM fulfils the contract of its port:', () => {
  const clientFor = (region: string) => new ACMClient({ ...local.clientConfig, region });
  const acmOf = (secretsTag: string) => createAcmCertificates({ stackTag: 'Perennial', secretsTag, clientFor });
  acmBehaviour(() => ({
    acm: acmOf('us-east-1/certificates/'),
    namesake: acmOf('us-west-2/certificates/'),
    serialNumber: async (region, CertificateArn) => {
      const { Certificate } = await clientFor(region).send(new DescribeCertificateCommand({ CertificateArn }));
      return Certificate?.Serial?.replaceAll(':', '') ?? '';
    },
    delete: async (region, CertificateArn) => {
      await clientFor(region).send(new DeleteCertificateCommand({ CertificateArn }));
    },
    removeTags: async (region, CertificateArn) => {
      const { Tags = [] } = await clientFor(region).send(new ListTagsForCertificateCommand({ CertificateArn }));
      await clientFor(region).send(new RemoveTagsFromCertificateCommand({ CertificateArn, Tags }));
    },
  }));
});
