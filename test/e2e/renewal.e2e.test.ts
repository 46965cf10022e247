import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACMClient, DescribeCertificateCommand, GetCertificateCommand } from '@aws-sdk/client-acm';
import { DeleteRolePolicyCommand, IAMClient, ListRolesCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateSecretCommand, DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CertificateConfig } from '../../infra/config.ts';
import { readHistory } from '../../local/executions.ts';
import { type Deployed, deployed } from './deployed.ts';

const zones = ['example.com', 'example.net'];
const ten = Array.from({ length: 10 }, (_, index) => `n${index}.example.net`);
const certificates: CertificateConfig[] = [
  { name: 'www', identifiers: ['example.com', '*.example.com'], acm: ['us-east-1', 'eu-west-1'] },
  { name: 'rsa', identifiers: ['rsa.example.com'], keyType: 'RSA-2048', acm: ['us-east-1'] },
  { name: 'ten', identifiers: ten },
  { name: 'changing', identifiers: ['a.example.net'], acm: ['us-east-1'] },
  { name: 'short', identifiers: ['short.example.net'], profile: 'shortlived' },
  { name: 'idn', identifiers: ['BÜCHER.example.com.'] },
  { name: 'unproven', identifiers: ['fine.example.com', 'unproven.example.com'] },
  { name: 'unseen', identifiers: ['unseen.example.com'] },
  { name: 'undelivered', identifiers: ['undelivered.example.com'], acm: ['us-east-1'] },
  { name: 'crowded', identifiers: ['crowded.example.com'] },
  { name: 'killed', identifiers: ['killed.example.com'] },
  { name: 'foreign', identifiers: ['foreign.example.com'] },
  { name: 'doomed', identifiers: ['doomed.example.com'] },
];

let d: Deployed;
let first: readonly string[];

beforeAll(async () => {
  // Everything but what a test wants to see from its beginning is issued by the fleet run that the deploy starts.
  d = await deployed({ zones, certificates });
  first = await d.idle();
});
afterAll(async () => {
  await d?.stop();
});

const leafOf = async (name: string) => new X509Certificate((await d.secret(name)).certificate);
const namesOf = (leaf: X509Certificate) => (leaf.subjectAltName ?? '').split(', ').sort();
const statesOf = async (arn: string) =>
  (await readHistory(d.local, arn)).flatMap(({ stateEnteredEventDetails: state }) => state?.name ?? []);
const requestsOfOrders = (mark: number) =>
  d.local.pebble.requests(mark).filter(({ path }) => path.startsWith('/order-plz')).length;

/** Forces renewals until one fails: Pebble hands out valid authorizations at random, and what is valid needs no proof. */
async function failsOnce(certificate: string) {
  for (let tries = 0; tries < 12; tries += 1) {
    const mark = d.local.pebble.requests().length;
    const run = await d.renew({ certificate, force: true });
    if (run.status === 'FAILED') return { run, mark };
  }
  throw new Error('twelve times no proof was asked for, which happens once in 4,096 runs');
}

/** Waits until the execution is in this state. */
async function reaches(arn: string, state: string): Promise<void> {
  for (let looks = 0; looks < 600; looks += 1) {
    if ((await statesOf(arn)).includes(state)) return;
    await sleep(50);
  }
  throw new Error(`${arn} did not reach ${state} in 30 s`);
}

describe('the fleet run that a deploy starts', () => {
  test('issues every certificate of the config', async () => {
    expect(first).toHaveLength(certificates.length);
    for (const { name } of certificates) expect((await d.ledger(name)).current, name).not.toBeNull();
  });

  test('gives apex and wildcard one P-256 certificate that ACM holds in both regions', async () => {
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

  test('honours key type, profile, ten names and an internationalised name', async () => {
    expect((await leafOf('rsa')).publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(namesOf(await leafOf('ten'))).toEqual(ten.map((name) => `DNS:${name}`));
    expect(namesOf(await leafOf('idn'))).toEqual(['DNS:xn--bcher-kva.example.com']);
    const { notBefore, notAfter } = await d.secret('short');
    expect((Date.parse(notAfter) - Date.parse(notBefore)) / 3_600_000).toBeCloseTo(160, 0);
  });

  test('stores a key that belongs to its certificate, and a chain that leads to the root of the CA', async () => {
    const root = new X509Certificate(await d.local.pebble.issuingRoot());
    for (const { name } of certificates) {
      const { certificate, chain, privateKey } = await d.secret(name);
      const { createPrivateKey } = await import('node:crypto');
      expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey)), name).toBe(true);
      const issuer = new X509Certificate(chain);
      expect(new X509Certificate(certificate).verify(issuer.publicKey), name).toBe(true);
      expect(issuer.verify(root.publicKey), name).toBe(true);
    }
  });

  test('leaves no value of ours in DNS and no lease taken', async () => {
    for (const zone of zones) expect(await d.txt(zone)).toEqual({});
    for (const { name } of certificates) {
      expect(await d.ledger(name)).toMatchObject({ lease: null, order: null, leftovers: [], failure: null });
    }
  });

  test('is followed by one that finds nothing to do and asks the CA nothing', async () => {
    const mark = d.local.pebble.requests().length;
    const run = await d.fleet();
    expect(run.status).toBe('SUCCEEDED');
    expect(await d.idle()).toHaveLength(certificates.length);
    expect(d.local.pebble.requests(mark)).toEqual([]);
  });
});

describe('a renewal', () => {
  test('that is forced issues a new certificate for a new key over the same ARN', async () => {
    const [before, ledger] = [await d.secret('www'), await d.ledger('www')];
    const run = await d.renew({ certificate: 'www', force: true });
    expect(run.cause).toBeUndefined();
    expect(run.status).toBe('SUCCEEDED');
    const after = await d.secret('www');
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(after.privateKey).not.toBe(before.privateKey);
    expect((await d.ledger('www')).deliveries['us-east-1']?.arn).toBe(ledger.deliveries['us-east-1']?.arn);
  });

  test('of a changed identifier list reissues and keeps the ARN in ACM', async () => {
    const before = await d.ledger('changing');
    const changed = certificates.map((each) =>
      each.name === 'changing' ? { ...each, identifiers: ['a.example.net', 'b.example.net'] } : each,
    );
    await d.redeploy({ zones, certificates: changed });
    expect((await d.ledger('changing')).failure).toBeNull();
    expect(namesOf(await leafOf('changing'))).toEqual(['DNS:a.example.net', 'DNS:b.example.net']);
    const { deliveries } = await d.ledger('changing');
    expect(deliveries['us-east-1']?.arn).toBe(before.deliveries['us-east-1']?.arn);
    const acm = new ACMClient({ ...d.local.clientConfig, region: 'us-east-1' });
    const held = await acm.send(new DescribeCertificateCommand({ CertificateArn: deliveries['us-east-1']?.arn }));
    expect(held.Certificate?.SubjectAlternativeNames?.toSorted()).toEqual(['a.example.net', 'b.example.net']);
  });

  test('whose value the CA cannot see ends with its problem for that identifier, and leaves nothing', async () => {
    const show = d.local.dns.hide({ view: 'validation', name: '_acme-challenge.unproven.example.com' });
    const { run } = await failsOnce('unproven');
    show();
    expect(run).toMatchObject({ status: 'FAILED', error: 'ChallengeFailedError' });
    expect(run.cause).toMatch(/unproven\.example\.com: .*TXT/);
    expect(await d.txt('example.com')).toEqual({});
    expect(await d.ledger('unproven')).toMatchObject({
      lease: null,
      leftovers: [],
      failure: { count: 1, error: 'ChallengeFailedError' },
    });
    const events = (await d.local.aws.busEvents()).filter(
      ({ detailType }) => detailType === 'Certificate Renewal Failed',
    );
    expect(events.at(-1)?.detail).toMatchObject({ certificate: 'unproven', identifier: 'unproven.example.com' });
  });

  test('whose value no server shows ends in PropagationTimeoutError, and the challenge is never answered', async () => {
    const scale = (factor: number) =>
      fetch(`${d.local.aws.endpoint}/_ministack/config`, {
        method: 'POST',
        body: JSON.stringify({ 'stepfunctions._SFN_WAIT_SCALE': factor }),
      });
    const name = '_acme-challenge.unseen.example.com';
    const shows = (['validation', 'authoritative'] as const).map((view) => d.local.dns.hide({ view, name }));
    await scale(0.02); // five minutes in six seconds
    const { run, mark } = await failsOnce('unseen');
    await scale(1);
    for (const show of shows) show();
    expect(run).toMatchObject({ status: 'FAILED', error: 'PropagationTimeoutError' });
    expect(run.cause).toContain(name);
    expect(run.cause).toMatch(/127\.0\.0\.1:\d+/);
    const answered = d.local.pebble.requests(mark).filter(({ path }) => path.startsWith('/chalZ'));
    expect(answered).toEqual([]);
    expect(await d.txt('example.com')).toEqual({});
    expect((await d.ledger('unseen')).lease).toBeNull();
  });

  test('whose import is denied is delivered by the next fleet run without a new order', async () => {
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
    const run = await d.renew({ certificate: 'undelivered', force: true });
    await iam.send(new DeleteRolePolicyCommand(policy));
    expect(run).toMatchObject({ status: 'FAILED', error: 'AccessDeniedError' });
    expect(run.cause).toContain('acm:ImportCertificate');

    const mark = d.local.pebble.requests().length;
    await d.fleet();
    await d.idle();
    const { current, deliveries, failure } = await d.ledger('undelivered');
    expect(deliveries['us-east-1']?.versionId).toBe(current?.versionId);
    expect(failure).toBeNull();
    expect(requestsOfOrders(mark)).toBe(0);
  });

  test('started five times at once issues once', async () => {
    const before = await d.secret('crowded');
    const mark = d.local.pebble.requests().length;
    const arns = await Promise.all(Array.from({ length: 5 }, () => d.start({ certificate: 'crowded', force: true })));
    const runs = await Promise.all(arns.map((arn) => d.ended(arn)));
    expect(runs.map(({ status }) => status)).toEqual(Array(5).fill('SUCCEEDED'));
    expect(requestsOfOrders(mark)).toBe(1);
    expect((await d.secret('crowded')).serialNumber).not.toBe(before.serialNumber);
  });

  test('whose function is killed while it stores keeps the staged key and leaves the current certificate whole', async () => {
    const before = { value: await d.secret('killed'), stages: await d.stages('killed') };
    const arn = await d.start({ certificate: 'killed', force: true });
    await reaches(arn, 'Wait for issuance');
    const workers = workersOf('Certificate');
    expect(workers).not.toEqual([]);
    for (const pid of workers) process.kill(pid, 'SIGSTOP');
    await reaches(arn, 'Store certificate');
    for (const pid of workers) process.kill(pid, 'SIGKILL');
    const run = await d.ended(arn);

    expect(run).toMatchObject({ status: 'FAILED', error: 'UnexpectedError' });
    expect(await d.secret('killed')).toEqual(before.value);
    const staged = Object.entries(await d.stages('killed')).filter(([, labels]) => labels.includes('CANDIDATE'));
    expect(staged).toHaveLength(1);
    expect(Object.keys(before.stages)).not.toContain(staged[0]?.[0]);
    expect(await d.txt('example.com')).toEqual({});
    expect(await d.ledger('killed')).toMatchObject({ lease: null, leftovers: [] });
    expect(await d.renew({ certificate: 'killed', force: true })).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('bad input at run time', () => {
  const refused = async (input: unknown, error: string, sentence: RegExp) => {
    const mark = d.local.pebble.requests().length;
    const run = await d.renew(input);
    expect(run).toMatchObject({ status: 'FAILED', error });
    expect(run.cause).toMatch(sentence);
    expect(await statesOf(run.arn)).toEqual(['Start', 'Check renewal', 'Read the error', 'Failed']);
    expect(d.local.pebble.requests(mark)).toEqual([]);
  };

  test('an unknown certificate fails at the first state and names those that there are', () =>
    refused({ certificate: 'wwww' }, 'UnknownCertificateError', /No certificate is named wwww.*www/));

  test('an input of another shape fails at the first state and shows the right one', async () => {
    await refused({ name: 'www' }, 'InvalidInputError', /Give \{"certificate": "www"\}/);
    await refused(['www'], 'InvalidInputError', /Give \{"certificate": "www"\}/);
    await refused({ certificate: 'www', force: 'yes' }, 'InvalidInputError', /force/);
  });

  test('a secret of that name that is not ours is left alone', async () => {
    const secrets = new SecretsManagerClient(d.local.clientConfig);
    const id = { SecretId: 'certificates/foreign' };
    await secrets.send(new DeleteSecretCommand({ ...id, ForceDeleteWithoutRecovery: true }));
    await secrets.send(new CreateSecretCommand({ Name: id.SecretId, SecretString: 'somebody else put this here' }));
    await refused(
      { certificate: 'foreign', force: true },
      'SecretNotOursError',
      /certificates\/foreign.*not made by this stack/,
    );
    expect((await d.ledger('foreign')).lease).toBeNull();
  });

  test('a secret scheduled for deletion is named with the command that restores it', async () => {
    const secrets = new SecretsManagerClient(d.local.clientConfig);
    await secrets.send(new DeleteSecretCommand({ SecretId: 'certificates/doomed' }));
    await refused({ certificate: 'doomed', force: true }, 'SecretDeletedError', /restore-secret/);
  });
});

test('no private key, PEM block or account key is in any history, log line or event of all these runs', async () => {
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

/** Process ids of the warm workers of the function of this room, of this environment alone. */
function workersOf(room: string): number[] {
  const prefix = `AWS_LAMBDA_FUNCTION_NAME=Perennial-Certificates${room}Function`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        return variables.some((each) => each.startsWith(prefix)) && isOurs(pid);
      } catch {
        return false; // ended meanwhile, or another user's
      }
    });
}

/** Whether one of the environment's processes started it, however many processes lie between. */
function isOurs(pid: number): boolean {
  for (let ancestor = pid; ancestor > 1; ) {
    if (d.local.pids.includes(ancestor)) return true;
    const [, parent] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${ancestor}/status`, 'utf8')) ?? [];
    ancestor = Number(parent);
  }
  return false;
}
