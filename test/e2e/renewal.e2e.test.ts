import { createHash, X509Certificate } from 'node:crypto';
import { ACMClient, DescribeCertificateCommand, GetCertificateCommand } from '@aws-sdk/client-acm';
import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteRolePolicyCommand, IAMClient, ListRolesCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  ReplicateSecretToRegionsCommand,
  SecretsManagerClient,
  StopReplicationToReplicaCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CertificateConfig } from '../../infra/config/certificate-config.ts';
import { createLedger } from '../../lambdas/adapters/aws/dynamodb/ledger.ts';
import { stepFormat } from '../../lambdas/domain/contract/steps.ts';
import { readHistory, startExecution } from '../../local/executions.ts';
import type { Deployed } from './deployed.ts';
import { eventually, reaches, requestsOfOrders, scaleWaits, statesOf } from './observed.ts';
import { deployedThroughBoulder } from './through-boulder.ts';

const zones = ['example.com', 'example.net'];
const ten = Array.from({ length: 10 }, (_, index) => `n${index}.example.net`);
const certificates: CertificateConfig[] = [
  { name: 'www', identifiers: ['example.com', '*.example.com'], acm: ['us-east-1', 'eu-west-1'] },
  { name: 'rsa', identifiers: ['rsa.example.com'], keyType: 'RSA-2048' },
  { name: 'ten', identifiers: ten },
  { name: 'changing', identifiers: ['a.example.net'], acm: ['us-east-1'] },
  { name: 'short', identifiers: ['short.example.net'], profile: 'shortlived' },
  { name: 'idn', identifiers: ['BÜCHER.example.com.'] },
  { name: 'unproven', identifiers: ['fine.example.com', 'unproven.example.com'] },
  { name: 'unseen', identifiers: ['unseen.example.com'] },
  { name: 'undelivered', identifiers: ['undelivered.example.com'], acm: ['us-east-1'] },
  { name: 'crowded', identifiers: ['crowded.example.com'] },
  { name: 'unowned', identifiers: ['unowned.example.com'] },
  { name: 'deleted', identifiers: ['deleted.example.com'] },
  { name: 'replica', identifiers: ['replica.example.com'] },
];

const sameNames: CertificateConfig[] = [
  { name: 'same-rsa', identifiers: ['same.example.net'], keyType: 'RSA-2048' },
  { name: 'same-ec', identifiers: ['same.example.net'] },
];

let d: Deployed;
let first: readonly string[];

beforeAll(async () => {
  // The fleet run that the deployment starts issues all certificates. Each order needs a new validation, so that a name that cannot be
  // validated fails in its first attempt.
  const issuer = { newOrders: { burst: 100, everySeconds: 86_400 } };
  d = await deployedThroughBoulder(
    { zones, certificates, issuer },
    { pebble: { chaos: { reuseAuthorizations: false } } },
  );
  first = await d.idle();
});
afterAll(async () => {
  await d?.stop();
});

const leafOf = async (name: string) => new X509Certificate((await d.secret(name)).certificate);
const namesOf = (leaf: X509Certificate) => (leaf.subjectAltName ?? '').split(', ').sort();
/** Starts a forced renewal that fails, and holds it before its next attempt. One minute takes 1.8 s, and 15 take 27 s. */
async function failing(certificate: string) {
  const mark = d.local.pebble.requests().length;
  await scaleWaits(d, 0.03);
  const proceed = await d.local.aws.holdState('Wait for next attempt');
  const arn = await d.start({ certificate, force: true });
  await reaches(d, arn, 'Wait for next attempt');
  return { arn, mark, proceed, ledger: await d.ledger(certificate), txt: await d.txt('example.com') };
}

/** Lets the renewal make its next attempt, waits until it succeeds, and restores the deployed waits. */
async function expectSuccess({ arn, proceed }: Awaited<ReturnType<typeof failing>>): Promise<void> {
  await proceed();
  expect(await d.ended(arn)).toMatchObject({ status: 'SUCCEEDED' });
  await scaleWaits(d, 1);
}

/** Waits until this number of executions waits for the lease of another execution, or has nothing to do because of it. */
async function waitForOthers(count: number, executions: () => Promise<readonly string[]>): Promise<void> {
  await eventually(`The wait of ${count} executions for another one`, async () => {
    const states = await Promise.all((await executions()).map((arn) => statesOf(d, arn)));
    const others = states.filter((each) =>
      ['Wait for renewal time or lease', 'Nothing to do'].some((state) => each.includes(state)),
    );
    return others.length >= count ? true : undefined;
  });
}
const isOfSameNames = (arn: string) => /:same-(rsa|ec)-/.test(arn);

/** Invokes a function and returns its reply. */
async function invoke(logicalId: string, event: unknown): Promise<unknown> {
  const command = new DescribeStackResourcesCommand({ StackName: 'Perennial' });
  const { StackResources = [] } = await new CloudFormationClient(d.local.clientConfig).send(command);
  const found = StackResources.find(({ LogicalResourceId: id }) => id?.includes(logicalId));
  const invocation = new InvokeCommand({ FunctionName: found?.PhysicalResourceId, Payload: JSON.stringify(event) });
  const { Payload } = await new LambdaClient(d.local.clientConfig).send(invocation);
  return JSON.parse(Payload?.transformToString() ?? '');
}

describe('the fleet run that a deployment starts', () => {
  test('issues every certificate of the config', async () => {
    expect(first).toHaveLength(certificates.length);
    for (const { name } of certificates) expect((await d.ledger(name)).current, name).not.toBeNull();
  });

  test('takes one token for each order from the bucket of the CA', async () => {
    const [, table = ''] = Object.entries(d.outputs).find(([key]) => key.endsWith('LedgerTable')) ?? [];
    const ledger = createLedger({ table, client: new DynamoDBClient(d.local.clientConfig) });
    const { current } = await d.ledger('www');
    const bucket = await ledger.orderBucket(current?.directoryUrl ?? '');
    expect(Math.floor(bucket?.tokens ?? 0)).toBe(100 - certificates.length);
    expect(Object.keys(bucket?.debits ?? {})).toHaveLength(certificates.length);
  });

  test('issues one P-256 certificate for a domain and its wildcard, and imports it into ACM in two regions', async () => {
    const leaf = await leafOf('www');
    expect(namesOf(leaf)).toEqual(['DNS:*.example.com', 'DNS:example.com']);
    expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    const { deliveries } = await d.ledger('www');
    for (const region of ['us-east-1', 'eu-west-1']) {
      const acm = new ACMClient({ ...d.local.clientConfig, region });
      const stored = await acm.send(new GetCertificateCommand({ CertificateArn: deliveries[region]?.arn }));
      expect(new X509Certificate(stored.Certificate ?? '').serialNumber).toBe(leaf.serialNumber);
      expect(stored.CertificateChain).toContain('BEGIN CERTIFICATE');
      expect(stored.CertificateChain).not.toContain((await d.secret('www')).certificate);
    }
  });

  test('issues certificates with the configured key type, profile, ten names and an internationalised name', async () => {
    expect((await leafOf('rsa')).publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(namesOf(await leafOf('ten'))).toEqual(ten.map((name) => `DNS:${name}`));
    expect(namesOf(await leafOf('idn'))).toEqual(['DNS:xn--bcher-kva.example.com']);
    const { notBefore, notAfter } = await d.secret('short');
    expect((Date.parse(notAfter) - Date.parse(notBefore)) / 3_600_000).toBeCloseTo(160, 0);
  });

  test('stores the key that matches each certificate, and a chain of the same kind of key to a root of the CA', async () => {
    const pems =
      (await d.local.pebble.issuingRoots()).match(/-----BEGIN[^-]+-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const roots = pems.map((pem) => new X509Certificate(pem));
    for (const { name } of certificates) {
      const { certificate, chain, privateKey } = await d.secret(name);
      const { createPrivateKey } = await import('node:crypto');
      expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey)), name).toBe(true);
      const issuer = new X509Certificate(chain);
      expect(new X509Certificate(certificate).verify(issuer.publicKey), name).toBe(true);
      expect(
        roots.some(({ publicKey }) => issuer.verify(publicKey)),
        name,
      ).toBe(true);
      expect(issuer.publicKey.asymmetricKeyType, name).toBe(createPrivateKey(privateKey).asymmetricKeyType);
    }
  });

  test('leaves neither TXT values nor leases', async () => {
    for (const zone of zones) expect(await d.txt(zone)).toEqual({});
    for (const { name } of certificates) {
      expect(await d.ledger(name)).toMatchObject({ lease: null, order: null, leftovers: [], failure: null });
    }
  });

  test('is followed by a run that only reads renewal information, and by a run without requests to the CA', async () => {
    const fleetRun = async () => {
      const mark = d.local.pebble.requests().length;
      expect(await d.fleet()).toMatchObject({ status: 'SUCCEEDED' });
      expect(await d.idle()).toHaveLength(certificates.length);
      return d.local.pebble.requests(mark).filter(({ path }) => path !== '/dir');
    };
    const asked = await fleetRun();
    expect(asked).toHaveLength(certificates.length);
    for (const { method, path } of asked) expect(`${method} ${path}`).toMatch(/^GET \/.*\/renewalInfo\/$/);
    expect(await fleetRun()).toEqual([]);
  });
});

describe('a renewal', () => {
  test('that is forced issues a new certificate with a new key under the same ARN', async () => {
    const [before, ledger] = [await d.secret('www'), await d.ledger('www')];
    const run = await d.renew({ certificate: 'www', force: true });
    expect(run.cause).toBeUndefined();
    expect(run.status).toBe('SUCCEEDED');
    const after = await d.secret('www');
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(after.privateKey).not.toBe(before.privateKey);
    expect((await d.ledger('www')).deliveries['us-east-1']?.arn).toBe(ledger.deliveries['us-east-1']?.arn);
  });

  test('after a change of identifiers issues a new certificate under the same ARN', async () => {
    const before = await d.ledger('changing');
    const changed = certificates.map((each) =>
      each.name === 'changing' ? { ...each, identifiers: ['a.example.net', 'b.example.net'] } : each,
    );
    // The first of the certificates with the same names is held until the other waits for the set lease. The wait takes a minute, or 1.8 s here.
    await scaleWaits(d, 0.03);
    const proceed = await d.local.aws.holdState('New order');
    await d.update({ zones, certificates: [...changed, ...sameNames] });
    await waitForOthers(1, async () => (await d.renewals()).filter(isOfSameNames));
    await proceed();
    await d.idle();
    await scaleWaits(d, 1);
    expect((await d.ledger('changing')).failure).toBeNull();
    expect(namesOf(await leafOf('changing'))).toEqual(['DNS:a.example.net', 'DNS:b.example.net']);
    const { deliveries } = await d.ledger('changing');
    expect(deliveries['us-east-1']?.arn).toBe(before.deliveries['us-east-1']?.arn);
    const acm = new ACMClient({ ...d.local.clientConfig, region: 'us-east-1' });
    const described = await acm.send(new DescribeCertificateCommand({ CertificateArn: deliveries['us-east-1']?.arn }));
    expect(described.Certificate?.SubjectAlternativeNames?.toSorted()).toEqual(['a.example.net', 'b.example.net']);
  });

  test('of a certificate with the same names as another waits for the set lease, and both are issued', async () => {
    const runs = (await d.idle()).filter(isOfSameNames);
    expect(runs).toHaveLength(2);
    const states = await Promise.all(runs.map((arn) => statesOf(d, arn)));
    expect(states.filter((each) => each.includes('Wait for renewal time or lease'))).toHaveLength(1);
    expect((await leafOf('same-rsa')).publicKey.asymmetricKeyType).toBe('rsa');
    expect((await leafOf('same-ec')).publicKey.asymmetricKeyType).toBe('ec');
  });

  test('that is forced for the third time in a day fails before an order, and the error says when it is allowed', async () => {
    const mark = d.local.pebble.requests().length;
    const run = await d.renew({ certificate: 'www', force: true });
    expect(run).toMatchObject({ status: 'FAILED', error: 'IssueCapError' });
    const [allowed = ''] = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(run.cause ?? '') ?? [];
    expect(Date.parse(allowed)).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect(requestsOfOrders(d, mark)).toBe(0);
    // The certificate is healthy, so our own limit leaves no mark on it.
    expect(await d.ledger('www')).toMatchObject({ failure: null, notBefore: null, lease: null });
  });

  test('whose TXT value the CA cannot see records the problem of that identifier, removes the value, and is retried', async () => {
    const show = d.local.dns.hide({ view: 'validation', name: '_acme-challenge.unproven.example.com' });
    const failed = await failing('unproven');
    const { ledger, txt } = failed;
    show();
    expect(txt).toEqual({});
    expect(ledger).toMatchObject({
      lease: null,
      leftovers: [],
      failure: {
        count: 1,
        error: 'ChallengeFailedError',
        cause: expect.stringMatching(/unproven\.example\.com: .*TXT/),
      },
    });
    const events = (await d.local.aws.busEvents()).filter(
      ({ detailType }) => detailType === 'Certificate Renewal Failed',
    );
    expect(events.at(-1)?.detail).toMatchObject({
      certificate: 'unproven',
      identifier: 'unproven.example.com',
      nextAttempt: expect.stringMatching(/^\d{4}-/),
    });
    await expectSuccess(failed);
  });

  test('whose TXT value no name server shows fails with PropagationTimeoutError before it responds to the challenge', async () => {
    const name = '_acme-challenge.unseen.example.com';
    const shows = (['validation', 'authoritative'] as const).map((view) => d.local.dns.hide({ view, name }));
    const failed = await failing('unseen');
    const { mark, ledger, txt } = failed;
    const answered = d.local.pebble.requests(mark).filter(({ path }) => path.startsWith('/chalZ'));
    for (const show of shows) show();
    expect(answered).toEqual([]);
    expect(txt).toEqual({});
    expect(ledger).toMatchObject({ lease: null, failure: { error: 'PropagationTimeoutError' } });
    expect(ledger.failure?.cause).toContain(name);
    expect(ledger.failure?.cause).toMatch(/127\.0\.0\.1:\d+/);
    await expectSuccess(failed);
  });

  test('whose import is denied is delivered in the next attempt without a new order', async () => {
    const iam = new IAMClient(d.local.clientConfig);
    const roles = (await iam.send(new ListRolesCommand({ MaxItems: 1000 }))).Roles ?? [];
    const role = roles.find(({ RoleName }) => RoleName?.includes('DeliveryRole'))?.RoleName;
    const policy = { RoleName: role, PolicyName: 'no-imports' };
    const deny = { Effect: 'Deny', Action: 'acm:ImportCertificate', Resource: '*' };
    await iam.send(
      new PutRolePolicyCommand({
        ...policy,
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [deny] }),
      }),
    );
    const failed = await failing('undelivered');
    await iam.send(new DeleteRolePolicyCommand(policy));
    expect(failed.ledger).toMatchObject({
      failure: { error: 'AccessDeniedError', cause: expect.stringContaining('acm:ImportCertificate') },
    });

    const mark = d.local.pebble.requests().length;
    await expectSuccess(failed);
    const { current, deliveries, failure } = await d.ledger('undelivered');
    expect(deliveries['us-east-1']?.versionId).toBe(current?.versionId);
    expect(failure).toBeNull();
    expect(requestsOfOrders(d, mark)).toBe(0);
  });

  test('whose ledger item is lost restores the item from the secret and ACM, without a new order', async () => {
    const before = await d.ledger('undelivered');
    const dynamodb = new DynamoDBClient(d.local.clientConfig);
    const key = { id: { S: 'certificate#undelivered' } };
    await dynamodb.send(new DeleteItemCommand({ TableName: d.outputs.LedgerTable, Key: key }));
    const mark = d.local.pebble.requests().length;
    await d.fleet();
    await d.idle();
    const after = await d.ledger('undelivered');
    expect(after.current?.versionId).toBe(before.current?.versionId);
    expect(after.deliveries['us-east-1']?.arn).toBe(before.deliveries['us-east-1']?.arn);
    expect(requestsOfOrders(d, mark)).toBe(0);
  });

  test('that is started five times at once issues one certificate', async () => {
    const before = await d.secret('crowded');
    const proceed = await d.local.aws.holdState('New order');
    const arns = await Promise.all(Array.from({ length: 5 }, () => d.start({ certificate: 'crowded', force: true })));
    await waitForOthers(4, async () => arns);
    await proceed();
    const runs = await Promise.all(arns.map((arn) => d.ended(arn)));
    expect(runs.map(({ status }) => status)).toEqual(Array(5).fill('SUCCEEDED'));
    // States are counted instead of requests, because a rejected nonce makes two requests for one order.
    const states = await Promise.all(arns.map((arn) => statesOf(d, arn)));
    expect(states.filter((each) => each.includes('New order'))).toHaveLength(1);
    expect((await d.secret('crowded')).serialNumber).not.toBe(before.serialNumber);
  });
});

describe('invalid input of a renewal', () => {
  const unannounced = ['Read error'];
  const announced = ['Record failure', 'Notify?', 'Announce failure', 'Retry?'];
  const expectRejected = async (input: unknown, error: string, words: RegExp, states = unannounced) => {
    const mark = d.local.pebble.requests().length;
    const run = await d.renew(input);
    expect(run).toMatchObject({ status: 'FAILED', error });
    expect(run.cause).toMatch(words);
    expect(await statesOf(d, run.arn)).toEqual(['Start', 'Check renewal', ...states, 'Failed']);
    expect(d.local.pebble.requests(mark)).toEqual([]);
  };

  test('with an unknown certificate fails in the first state and names the existing certificates', () =>
    expectRejected(
      { certificate: 'wwww' },
      'UnknownCertificateError',
      /Certificate wwww: .*no certificate of this name.*www/,
    ));

  test('with a wrong structure fails in the first state and shows the correct input', async () => {
    await expectRejected({ name: 'www' }, 'InvalidInputError', /\{"certificate": "www"\}/);
    await expectRejected(['www'], 'InvalidInputError', /\{"certificate": "www"\}/);
    await expectRejected({ certificate: 'www', force: 'yes' }, 'InvalidInputError', /force/);
  });

  test('for a secret that this stack did not create fails and does not change the secret', async () => {
    const secrets = new SecretsManagerClient(d.local.clientConfig);
    const id = { SecretId: 'certificates/unowned' };
    await secrets.send(new DeleteSecretCommand({ ...id, ForceDeleteWithoutRecovery: true }));
    await secrets.send(new CreateSecretCommand({ Name: id.SecretId, SecretString: 'a value of another program' }));
    await expectRejected(
      { certificate: 'unowned', force: true },
      'SecretNotOwnedError',
      /certificates\/unowned.*not created by this stack/,
      announced,
    );
    expect((await d.ledger('unowned')).lease).toBeNull();
  });

  test('for the replica of a secret in another region fails with the command after which its certificate is used', async () => {
    const secrets = new SecretsManagerClient(d.local.clientConfig);
    const SecretId = 'certificates/replica';
    const SecretString = JSON.stringify(await d.secret('replica'));
    const Tags = [{ Key: 'perennial:stack', Value: 'Perennial' }];
    await secrets.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
    const primary = new SecretsManagerClient({ ...d.local.clientConfig, region: 'eu-west-1' });
    // The id is that of a version that this stack stored.
    const ClientRequestToken = createHash('sha256').update('stored in eu-west-1').digest('hex');
    await primary.send(new CreateSecretCommand({ Name: SecretId, ClientRequestToken, SecretString, Tags }));
    const AddReplicaRegions = [{ Region: 'us-east-1' }];
    await primary.send(new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions }));
    const renewal = { certificate: 'replica', force: true };
    const command = /stop-replication-to-replica --secret-id \S*certificates\/replica\S* --region us-east-1/;
    await expectRejected(renewal, 'SecretReplicaError', command, announced);
    await secrets.send(new StopReplicationToReplicaCommand({ SecretId }));
    const mark = d.local.pebble.requests().length;
    expect(await d.renew({ certificate: 'replica', deploy: true })).toMatchObject({ status: 'SUCCEEDED' });
    expect((await d.ledger('replica')).current?.versionId).toBe(ClientRequestToken);
    expect(requestsOfOrders(d, mark)).toBe(0);
  });

  test('for a secret that is scheduled for deletion fails with the command that restores it', async () => {
    const secrets = new SecretsManagerClient(d.local.clientConfig);
    await secrets.send(new DeleteSecretCommand({ SecretId: 'certificates/deleted' }));
    await expectRejected({ certificate: 'deleted', force: true }, 'SecretDeletedError', /restore-secret/, announced);
    // The certificate and delivery functions find the deleted secret with their own roles.
    const [, accounts = ''] = Object.entries(d.outputs).find(([key]) => key.endsWith('AccountsArn')) ?? [];
    const revocation = { action: 'revoke', certificate: 'deleted', reason: 'superseded' };
    const refused = { cause: expect.stringContaining('restore-secret') };
    const ended = await d.ended(await startExecution(d.local, accounts, revocation));
    expect(ended).toMatchObject({ ...refused, error: 'SecretDeletedError' });
    const { current } = await d.ledger('deleted');
    const run = { certificate: 'deleted', execution: 'none' };
    const input = { region: 'us-east-1', current };
    expect(
      await invoke('DeliveryFunction', { format: stepFormat, step: 'importCertificate', run, input }),
    ).toMatchObject({ errorType: 'SecretDeletedError', errorMessage: refused.cause });
  });
});

test('no history, log line or event contains a private key, PEM block or account key', async () => {
  const accountKeys = /"privateKey"|BEGIN [A-Z ]*(PRIVATE KEY|CERTIFICATE)|MIGHAgEAMBMGByqGSM49|MIIEv[QgwA]/;
  const histories = await Promise.all((await d.idle()).map((arn) => readHistory(d.local, arn)));
  expect(histories.flat().length).toBeGreaterThan(500);
  const logs = await d.local.aws.logEvents();
  expect(logs.length).toBeGreaterThan(200);
  const events = await d.local.aws.busEvents();
  expect(events.length).toBeGreaterThan(10);
  for (const [what, all] of Object.entries({ histories, logs, events })) {
    expect(JSON.stringify(all).match(accountKeys)?.[0], what).toBeUndefined();
  }
});
